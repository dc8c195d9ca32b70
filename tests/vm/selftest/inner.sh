# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: pass
# suite: selftest-long
# deadline: 600
#
# The guest's guest reads the disk by DMA, in a QEMU with no more than two file descriptors to it. Without iommud: root
# opens them here. If this works and the same with iommud does not, it is not the lab's fault.

assert bind_driver "$LAB_NVME" vfio-pci
defer bind_native "$LAB_NVME"

exec {iommufd}<>/dev/iommu
exec {device}<>"/dev/vfio/devices/$(cdev_of "$LAB_NVME")"
as_user "$LAB_VMM_UID" "$PWD/inner/qemu" "$iommufd" "$device" | tee "$CASE_DIR/serial"

assert grep -qF "inner: disk: $LAB_NVME_SERIAL" "$CASE_DIR/serial"
assert grep -qF "inner: magic: $LAB_NVME_MAGIC" "$CASE_DIR/serial"
assert grep -qF "inner: sha256: $LAB_NVME_SHA256" "$CASE_DIR/serial"
exec {iommufd}>&- {device}>&-
