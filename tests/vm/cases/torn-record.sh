# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize
# deadline: 90
# expect: daemon-death
#
# The record of a lease that somebody holds is damaged while the daemon is away. Its device is out of reach: nobody may get it
# while it is in use.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_EDU"
start dma "$LAB_VMM_UID" iommuctl run -d "$LAB_EDU" -- "$PWD/programs/edu-dma" unbound '{iommufd}' '{device:0}'
assert_says dma "$PID" '^ready$'
LEASE=$(lease_of "$LAB_EDU")

systemctl stop iommud.service
sed -i 's/uid=[0-9]*/uid=0/' "$LEASES/lease-$LEASE"
systemctl start iommud.service

assert test -e "$LEASES/damaged-lease-$LEASE"
assert_ne "$(entries PRIORITY=3 | jq -r .MESSAGE | grep "lease-$LEASE is not usable")" "" "what is said"
# The lifeline that was kept for it belongs to nothing now, and is closed
assert_soon 10 stored_fds_are 0

assert_fails iommuctl acquire "$LAB_EDU"
assert_match "$OUTPUT" '\((Taken|NotViable)\)'
say dma dma
assert_says dma "$PID" '^dma ok$'
say dma exit
assert_soon 20 is_over "$PID"
rm "$LEASES/damaged-lease-$LEASE"

# It is on vfio-pci still, as was said: given back by hand
hold by-hand 0 "$LAB_EDU"
let_go "$PID"
assert_ended "$LEASE"
assert bind_native "$LAB_EDU"
assert_untouched
