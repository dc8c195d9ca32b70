# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: pass
# deadline: 180
#
# The guest's guest reads the disk by DMA, in a QEMU with no more than two file descriptors to it. Without iommud: root
# opens them here. If this works and the same with iommud does not, it is not the lab's fault.

assert bind_driver "$LAB_NVME" vfio-pci
defer bind_native "$LAB_NVME"

exec {iommufd}<>/dev/iommu
exec {device}<>"/dev/vfio/devices/$(cdev_of "$LAB_NVME")"
start qemu "$LAB_VMM_UID" "$PWD/inner/qemu" "$iommufd" "$device"
assert_says qemu "$PID" '^inner: ready' 120
say qemu go
assert wait "$PID"

assert has_said qemu "^inner: disk: $LAB_NVME_SERIAL"
assert has_said qemu "^inner: magic: $LAB_NVME_MAGIC"
assert has_said qemu "^inner: sha256: $LAB_NVME_SHA256"
exec {iommufd}>&- {device}>&-
