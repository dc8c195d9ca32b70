# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 180
#
# What iommud is for: an unprivileged VM manager gets a disk, its guest reads it by DMA, and when the manager ends, the host
# has the disk again.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_NVME"

start qemu "$LAB_VMM_UID" iommuctl run -d "$LAB_NVME" -- "$PWD/inner/qemu" '{iommufd}' '{device:0}'
is_leased() {
        LEASE=$(lease_of "$LAB_NVME")
        [[ "$LEASE" != null ]] && lease_is "$LEASE" active
}
assert_soon 30 is_leased
assert_driver "$LAB_NVME" vfio-pci
assert_eq "$(override_of "$LAB_NVME")" vfio-pci "the override"
assert_eq "$(disk_of "$LAB_NVME")" "" "the disk"
assert_eq "$(lease_field "$LEASE" uid)" "$LAB_VMM_UID"
assert_eq "$(lease_field "$LEASE" pid)" "$PID"
assert_eq "$(lease_field "$LEASE" mode)" vmm
assert_eq "$(lease_field "$LEASE" 'devices | join(" ")')" "$LAB_NVME"
assert_eq "$(lease_field "$LEASE" 'groups | join(" ")' )" "$(group_of "$LAB_NVME")"
assert_entry "$MESSAGE_GRANT" IOMMUD_DEVICE="$LAB_NVME" IOMMUD_LEASE="$LEASE" IOMMUD_UID="$LAB_VMM_UID" \
        IOMMUD_GROUP="$(group_of "$LAB_NVME")"

# It is the one that was started, and has no rights but its descriptors
is_qemu() {
        [[ "$(cat "/proc/$PID/comm")" == qemu-system* ]]
}
assert_soon 20 is_qemu
assert_eq "$(sed -n 's/^Uid:\t//p' "/proc/$PID/status")" \
        "$LAB_VMM_UID"$'\t'"$LAB_VMM_UID"$'\t'"$LAB_VMM_UID"$'\t'"$LAB_VMM_UID" "the user of QEMU"
assert_eq "$(sed -n 's/^CapEff:\t//p' "/proc/$PID/status")" 0000000000000000 "what QEMU is capable of"

assert_says qemu "$PID" '^inner: ready' 120
say qemu go
assert_says qemu "$PID" '^inner: sha256: '
if [[ -d /sys/module/kvm_amd ]]; then
        assert has_said qemu '^inner: clocks: (.* )?kvm-clock'
fi
assert has_said qemu "inner: disk: $LAB_NVME_SERIAL"
assert has_said qemu "^inner: magic: $LAB_NVME_MAGIC"
assert has_said qemu "^inner: sha256: $LAB_NVME_SHA256"
assert_soon 60 is_over "$PID"
assert wait "$PID"

assert_ended "$LEASE"
assert_driver "$LAB_NVME" nvme
assert_soon 20 disk_is_back
assert_entry "$MESSAGE_RELEASE" IOMMUD_DEVICE="$LAB_NVME" IOMMUD_LEASE="$LEASE" IOMMUD_UID="$LAB_VMM_UID"
assert_untouched
