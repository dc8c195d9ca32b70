# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 90
#
# What a client has not mapped for its device, the device cannot reach: not next to it, not at the client's own addresses.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_EDU"
start edu "$LAB_VMM_UID" iommuctl run -d "$LAB_EDU" -- "$PWD/programs/edu-dma" unbound '{iommufd}' '{device:0}'
assert_says edu "$PID" "^ready$"
LEASE=$(lease_of "$LAB_EDU")

say edu dma
assert_says edu "$PID" "^dma ok$"
say edu reach
assert_says edu "$PID" "^reached 1$"
say edu "reach 0x300000"
assert_says edu "$PID" "^reached 0$"
say edu outside
assert_says edu "$PID" "^outside ok$"

say edu exit
wait "$PID"
assert_ended "$LEASE"
assert clear_quarantine
assert_untouched
