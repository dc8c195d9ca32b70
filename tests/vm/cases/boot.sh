# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize always
#
# The machine is what topology.sh says, and the kernel can do what iommud is about. If this fails, look no further.

assert systemctl --quiet is-active multi-user.target
assert_eq "$(systemctl list-units --failed --no-legend --plain)" "" "the list of failed units"

assert test -c /dev/iommu
assert test -c /dev/vfio/vfio
assert test -d /sys/bus/pci/drivers/vfio-pci
assert_ne "$(ls /sys/class/iommu)" "" "the list of IOMMUs"

# Without KVM the guest's guest would be emulated twice. Where this machine runs on KVM itself it may have none to give
if [[ "$(systemd-detect-virt)" == qemu ]]; then
        assert as_user "$LAB_VMM_UID" test -w /dev/kvm
        assert test -d /sys/module/kvm_amd
fi

for address in "${!LAB_NATIVE_DRIVER[@]}"; do
        assert has_device "$address"
        assert_driver "$address" "${LAB_NATIVE_DRIVER["$address"]}"
        assert_ne "$(group_of "$address")" "" "the group of $address"
done

# Each in a group of its own, but for those behind the bridge
for address in "${!LAB_NATIVE_DRIVER[@]}"; do
        group=$(group_of "$address")
        members=$(find "/sys/kernel/iommu_groups/$group/devices" -type l -printf '%f\n' | sort | paste -s -d ' ')
        case "$address" in
        "$LAB_SHARED_A" | "$LAB_SHARED_B")
                assert_eq "$members" "$LAB_SHARED_BRIDGE $LAB_SHARED_A $LAB_SHARED_B" "the group of $address"
                ;;
        *)
                assert_eq "$members" "$address" "the group of $address"
                ;;
        esac
done

assert_eq "$(cat "/sys/bus/pci/devices/$LAB_IGB/sriov_totalvfs")" "$LAB_IGB_VFS"
assert_eq "$(cat "/sys/bus/pci/devices/$LAB_NVME_PF/sriov_totalvfs")" "$LAB_NVME_PF_VFS"
assert has_device "$LAB_SLOT_PORT"
assert_fails has_device "$LAB_SLOT"

# The disks have the content that other cases go by
assert_eq "$(lsblk --noheadings --output LABEL "/dev/$(disk_of "$LAB_NVME_HOST")p1")" host-data
assert_eq "$(head -c "$LAB_NVME_KNOWN" "/dev/$(disk_of "$LAB_NVME")" | sha256sum | cut -d ' ' -f 1)" "$LAB_NVME_SHA256"
assert_eq "$(dd if="/dev/$(disk_of "$LAB_NVME")" bs=512 skip="$LAB_NVME_MAGIC_LBA" count=1 status=none | tr -d '\0')" \
        "$LAB_NVME_MAGIC"
