# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
# boot: own
# expect: daemon-death
#
# The message bus is started again, which nobody should do: iommud comes back with it, and with its leases.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_EDU"
start dma "$LAB_VMM_UID" iommuctl run -d "$LAB_EDU" -- "$PWD/programs/edu-dma" unbound '{iommufd}' '{device:0}'
assert_says dma "$PID" '^ready$'
LEASE=$(lease_of "$LAB_EDU")
pid=$(daemon_pid)

systemctl restart dbus.service
assert_soon 60 is_other_than "$pid"
assert lease_is "$LEASE" active
say dma dma
assert_says dma "$PID" '^dma ok$'
say dma exit
assert_ended "$LEASE"
assert_untouched
