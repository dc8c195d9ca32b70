# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# The VM manager is killed while its guest does DMA: the same end as if it had ended by itself.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_NVME"

start qemu "$LAB_VMM_UID" iommuctl run -d "$LAB_NVME" -- "$PWD/inner/qemu" '{iommufd}' '{device:0}' disk
# It has booted from the disk, and goes on reading
assert_says qemu "$PID" '^boot: reading'
LEASE=$(lease_of "$LAB_NVME")
assert lease_is "$LEASE" active
kill -KILL "$PID"
wait "$PID" || true

assert_ended "$LEASE"
assert_driver "$LAB_NVME" nvme
assert_soon 20 disk_is_back
assert_entry "$MESSAGE_RELEASE" IOMMUD_DEVICE="$LAB_NVME" IOMMUD_LEASE="$LEASE"
assert_no_entry "$MESSAGE_STUCK"
assert_untouched
