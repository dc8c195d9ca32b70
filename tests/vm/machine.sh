# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The lab's machine, as arguments of QEMU. An emulated VT-d in scalable mode, and in front of it what topology.sh says.

LAB_MEMORY=4G
LAB_CPUS=2

# at ADDRESS: where on the root bus a device of topology.sh sits, as QEMU wants to have it
at() {
        local slot="${1#0000:00:}"

        printf 'bus=pcie.0,addr=%s' "0x${slot%.*}.${slot#*.}"
}

# behind ADDRESS BUS: the same for a device that sits on the bus of a bridge or port
behind() {
        local slot="${1#0000:*:}"

        printf 'bus=%s,addr=%s' "$2" "0x${slot%.*}.${slot#*.}"
}

# kvm_works TREE KERNEL: not merely there. Some hosts offer a KVM that then cannot run what it is given. A kernel with
# nothing to boot panics, which ends QEMU; what counts is that it came so far.
kvm_works() {
        [[ -w /dev/kvm ]] || return
        tree_command "$1" qemu-system-x86_64
        timeout 30 "${TREE_COMMAND[@]}" -L "$1/usr/share/qemu" -L "$1/usr/share/seabios" \
                -M q35,kernel-irqchip=split -accel kvm -cpu host -m 512 -nodefaults -display none -no-reboot \
                -serial stdio -kernel "$2" -append "console=ttyS0 panic=-1" </dev/null 2>/dev/null |
                grep "Unable to mount root" >/dev/null
}

# machine_arguments TREE DISK STAGE [MODE]: fills MACHINE. Names without a path are of the run's directory (see
# boot.sh), in which QEMU is started, since the path of a socket must be short.
machine_arguments() {
        local tree="$1" disk="$2" stage="$3" output="file,id=output,path=/dev/stdout" port="virtserialport,nr=1" sriov nic
        local cpus=$LAB_CPUS

        if [[ "${4:-}" == shell ]]; then
                output="stdio,id=output,signal=off"
                port="virtconsole,nr=0"
        fi

        if [[ "${4:-}" == bench ]] && ! ((LAB_KVM || LAB_REALTIME)); then
                cpus=1
        fi

        # Every virtual function takes two queues and an interrupt from what the physical one has to spare
        sriov="subsys=pf-subsystem,serial=$LAB_NVME_PF_SERIAL,sriov_max_vfs=$LAB_NVME_PF_VFS"
        sriov+=",sriov_vq_flexible=$((2 * LAB_NVME_PF_VFS)),sriov_vi_flexible=$LAB_NVME_PF_VFS"
        sriov+=",max_ioqpairs=$((2 * LAB_NVME_PF_VFS + 2)),msix_qsize=$((LAB_NVME_PF_VFS + 2))"

        # shellcheck disable=SC2054 # the commas are QEMU's
        MACHINE=(
                -L "$tree/usr/share/qemu" -L "$tree/usr/share/seabios"
                -nodefaults -no-user-config -display none -no-reboot
                -m "$LAB_MEMORY" -smp "$cpus"

                # First of the devices: it translates for those that come after it
                -device intel-iommu,intremap=on,scalable-mode=on,pasid-bits=20

                -drive "if=none,id=root,file=$disk,format=raw,snapshot=on"
                -device "virtio-blk-pci,$(at "$LAB_DISK"),drive=root"
                -fsdev "local,id=stage,path=$stage,security_model=none,readonly=on"
                -device "virtio-9p-pci,$(at "$LAB_STAGE_SHARE"),fsdev=stage,mount_tag=stage"
                -fsdev "local,id=overlay,path=overlay,security_model=none,readonly=on"
                -device "virtio-9p-pci,$(at "$LAB_OVERLAY_SHARE"),fsdev=overlay,mount_tag=overlay"
                -device "virtio-rng-pci,$(at "$LAB_RNG")"

                # What the guest has to say: its console to a file, the tests' output to us, and for a shell a terminal
                -serial file:console.log
                -device "virtio-serial-pci,$(at "$LAB_PORTS"),max_ports=4"
                -chardev "$output"
                -device "$port,chardev=output,name=org.iommud.lab.output"
                # The monitor, once for whoever looks from outside, and once connected to a port of the guest: a test
                # asks QEMU itself for a device to come or go, and nothing stands between.
                -chardev socket,id=outside,path=qmp,server=on,wait=off
                -object monitor-qmp,id=qmp-outside,chardev=outside
                -chardev socket,id=inside,path=qmp-guest,server=on,wait=off
                -object monitor-qmp,id=qmp-inside,chardev=inside
                -chardev socket,id=inside-port,path=qmp-guest
                -device virtserialport,nr=2,chardev=inside-port,name=org.iommud.lab.qmp

                -drive if=none,id=nvme-host,file=host.img,format=raw,snapshot=on
                -device "nvme,id=nvme-host,$(at "$LAB_NVME_HOST"),drive=nvme-host,serial=$LAB_NVME_HOST_SERIAL"
                -drive if=none,id=nvme,file=nvme.img,format=raw,snapshot=on
                -device "nvme,id=nvme,$(at "$LAB_NVME"),drive=nvme,serial=$LAB_NVME_SERIAL"

                # All network cards are on one wire.
                # An empty romfile keeps the firmware from looking for something to boot on each of them
                -device "e1000e,id=nic,netdev=nic-cable,$(at "$LAB_NIC"),romfile="
                -device "e1000e,id=nic2,netdev=nic2-cable,$(at "$LAB_NIC2"),romfile="
                -device "edu,id=edu,$(at "$LAB_EDU")"

                -device "pcie-pci-bridge,id=shared,$(at "$LAB_SHARED_BRIDGE")"
                -device "e1000,id=shared-a,netdev=shared-a-cable,$(behind "$LAB_SHARED_A" shared),romfile="
                -device "e1000,id=shared-b,netdev=shared-b-cable,$(behind "$LAB_SHARED_B" shared),romfile="

                -device "pcie-root-port,id=igb-port,$(at "$LAB_IGB_PORT"),chassis=1"
                -device "igb,id=igb,netdev=igb-cable,$(behind "$LAB_IGB" igb-port),romfile="
                -device "pcie-root-port,id=nvme-pf-port,$(at "$LAB_NVME_PF_PORT"),chassis=2"
                -device nvme-subsys,id=pf-subsystem
                -device "nvme,id=nvme-pf,$(behind "$LAB_NVME_PF" nvme-pf-port),$sriov"

                # A display that nobody sees. Without a romfile: the firmware need not draw on it
                -device "VGA,id=display,$(at "$LAB_DISPLAY"),vgamem_mb=4,romfile="
                -device "virtio-gpu-pci,id=gpu,$(at "$LAB_GPU"),iommu_platform=on,romfile="

                -device "pcie-root-port,id=$LAB_SLOT_BUS,$(at "$LAB_SLOT_PORT"),chassis=3"
        )

        for nic in nic nic2 shared-a shared-b igb; do
                MACHINE+=(-netdev "hubport,id=$nic-cable,hubid=0")
        done
        if ((LAB_PCIEHP)); then
                MACHINE+=(-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off)
        fi
        if ((LAB_KVM)); then
                MACHINE+=(-M "q35,kernel-irqchip=split" -accel kvm -cpu host)
        elif [[ "${4:-}" == bench && "$LAB_REALTIME" == 0 ]]; then
                # Its clock counts instructions, 2 ns for each, and jumps when there is nothing to do: whatever else the
                # machine around it does, the figures are the same. It has one processor: what several do at once, such a
                # clock would count as done one after the other, in turns of a length that nobody knows
                MACHINE+=(-M q35 -accel "tcg,thread=single" -cpu max -icount "shift=1,sleep=off")
        else
                # What processors have had since takes a fifth more time to emulate (-cpu max), and nobody here needs it. With svm
                # and npt the guest has KVM: its own guest is emulated once, and not twice
                MACHINE+=(-M q35 -accel "tcg,thread=multi" -cpu "Opteron_G3,x2apic=on,svm=on,npt=on")
        fi
}
