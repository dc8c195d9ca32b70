# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034 # whoever sources this uses them
#
# The one place that says what is in the lab's machine and where. machine.sh builds the machine from it, the tests in
# the guest take the names from it. Addresses are as the guest sees them; cases/boot.sh holds the guest to it.

# The disk that the host itself uses: a partition table, and in partition 1 an ext4 file system labelled host-data,
# which nothing mounts unless a test does
LAB_NVME_HOST=0000:00:02.0

# The disk to give away, with known content: see below
LAB_NVME=0000:00:03.0

# Two network cards of the same kind on their own driver, each alone in its group
LAB_NIC=0000:00:04.0
LAB_NIC2=0000:00:05.0

# A device that no driver of the kernel wants
LAB_EDU=0000:00:06.0

# A bridge to conventional PCI and two network cards behind it: one group for the three of them
LAB_SHARED_BRIDGE=0000:00:08.0
LAB_SHARED_A=0000:01:01.0
LAB_SHARED_B=0000:01:02.0

# SR-IOV: a network card with up to 7 virtual functions, a disk with up to 40
LAB_IGB_PORT=0000:00:09.0
LAB_IGB=0000:02:00.0
LAB_IGB_VFS=7
LAB_NVME_PF_PORT=0000:00:0a.0
LAB_NVME_PF=0000:03:00.0
LAB_NVME_PF_VFS=40

# A slot with nothing in it: `plug` and `unplug` in guest/lib.sh put devices there. QEMU knows it by the second name.
LAB_SLOT_PORT=0000:00:0b.0
LAB_SLOT_BUS=free-slot
LAB_SLOT=0000:04:00.0

# The display that the machine was started with, and a graphics card that displays nothing anybody looks at
LAB_DISPLAY=0000:00:0c.0
LAB_GPU=0000:00:0d.0

# The devices of mock-iommu, when it is loaded. Two that can all that there is, the second in a group of its own as well;
# two in one group; one that can nothing; one behind another IOMMU
LAB_MOCK=mock0
LAB_MOCK2=mock1
LAB_MOCK_SHARED_A=mock2
LAB_MOCK_SHARED_B=mock3
LAB_MOCK_POOR=mock4
LAB_MOCK_ELSEWHERE=mock5
# Not among them unless it is asked for: the firmware wants some memory for it
LAB_MOCK_FIRMWARE=mock6
LAB_MOCKS="$LAB_MOCK $LAB_MOCK2 $LAB_MOCK_SHARED_A $LAB_MOCK_SHARED_B $LAB_MOCK_POOR $LAB_MOCK_ELSEWHERE"

# What the machine itself needs; no test gives these away
LAB_DISK=0000:00:10.0
LAB_STAGE_SHARE=0000:00:11.0
LAB_OVERLAY_SHARE=0000:00:12.0
LAB_PORTS=0000:00:13.0
LAB_RNG=0000:00:14.0

# The PCI devices that can be given away, and the drivers that the kernel binds them to ("" is none)
declare -gA LAB_NATIVE_DRIVER=(
        ["$LAB_NVME_HOST"]=nvme
        ["$LAB_NVME"]=nvme
        ["$LAB_NIC"]=e1000e
        ["$LAB_NIC2"]=e1000e
        ["$LAB_EDU"]=""
        ["$LAB_SHARED_A"]=e1000
        ["$LAB_SHARED_B"]=e1000
        ["$LAB_IGB"]=igb
        ["$LAB_NVME_PF"]=nvme
        ["$LAB_DISPLAY"]=bochs-drm
        ["$LAB_GPU"]=virtio-pci
)

# Known bytes of LAB_NVME: this line is in the block LAB_NVME_MAGIC_LBA (of 512 bytes), filled up with zeroes; of
# the first LAB_NVME_KNOWN bytes, the digest is in guest.env as LAB_NVME_SHA256. No more than what a guest's guest can
# read and digest in a second.
LAB_NVME_MAGIC="iommud lab: whoever reads this has done DMA"
LAB_NVME_MAGIC_LBA=4096
LAB_NVME_KNOWN=262144
LAB_NVME_SERIAL=lab-nvme
LAB_NVME_HOST_SERIAL=lab-host
LAB_NVME_PF_SERIAL=lab-pf

# Unprivileged users of the guest: a VM manager, a second one, and somebody to whom no policy gives anything
LAB_VMM_UID=1501
LAB_VMM2_UID=1502
LAB_STRANGER_UID=1503
