# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm
# deadline: 180
#
# Devices come and go at inconvenient times: a thousand events at once, a group that gets another number, with a claim and with
# leases, and while the daemon is away; functions that are switched off, and a device that is torn out, while somebody has it.

. guest/iommud.sh

allow "$LAB_VMM_UID" any

# "5 0000:00:06.0", of every device in a group
in_sysfs() {
        find /sys/kernel/iommu_groups/*/devices -mindepth 1 -printf '%p\n' | sed 's,.*/\([0-9]*\)/devices/, \1 ,' | sort
}

known() {
        iommuctl list --json | jq -r '.[] | " \(.group) \(.name)"' | sort
}

all_is_known() {
        [[ "$(known)" == "$(in_sysfs)" ]] &&
                [[ "$(daemon_objects device)" == "$(in_sysfs | wc -l)" ]] &&
                [[ "$(daemon_objects group)" == "$(find /sys/kernel/iommu_groups -mindepth 1 -maxdepth 1 | wc -l)" ]]
}

assert_all_known() {
        wait_until 30 all_is_known || fail "what is known is not what there is: $(diff <(in_sysfs) <(known) || true)"
}

assert_all_known

# ---- a thousand events

# udev has no part in this, and would be busy with it for a long time
start_udev() {
        systemctl start systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service
}
defer start_udev
systemctl stop systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service

set_disk_vfs() {
        echo "$1" >"/sys/bus/pci/devices/$LAB_NVME_PF/sriov_numvfs"
}
without_functions() {
        set_disk_vfs 0
        echo 0 >"/sys/bus/pci/devices/$LAB_IGB/sriov_numvfs"
        echo 1 >"/sys/bus/pci/devices/$LAB_NVME_PF/sriov_drivers_autoprobe"
        echo 1 >"/sys/bus/pci/devices/$LAB_IGB/sriov_drivers_autoprobe"
}
defer without_functions
echo 0 >"/sys/bus/pci/devices/$LAB_NVME_PF/sriov_drivers_autoprobe"
echo 0 >"/sys/bus/pci/devices/$LAB_IGB/sriov_drivers_autoprobe"

# Functions come and go and come, and everything says that it has changed
storm() {
        local file i

        for ((i = 0; i < 2; i++)); do
                set_disk_vfs "$LAB_NVME_PF_VFS"
                for file in /sys/bus/pci/devices/*/uevent; do
                        echo change >"$file"
                        echo change >"$file"
                done
                set_disk_vfs 0
        done
        for file in /sys/bus/pci/devices/*/uevent; do
                for ((i = 0; i < 24; i++)); do
                        echo change >"$file"
                done
        done
        set_disk_vfs 3
}

assert_storm_over() {
        assert_all_known
        set_disk_vfs 0
        assert_all_known
        assert_figures "$1"
}

hold other "$LAB_VMM_UID" "$LAB_EDU"
other=$PID other_lease=$LEASE
daemon=$(daemon_pid)
figures=$(daemon_figures)

# meet_storm: it has to answer meanwhile; there were $events, and $answers
answers=0
meet_storm() {
        local start storm

        start=$(</sys/kernel/uevent_seqnum)
        storm &
        storm=$!
        while is_running "$storm"; do
                assert iommuctl leases >/dev/null
                answers=$((answers + 1))
        done
        assert wait "$storm"
        events=$(($(</sys/kernel/uevent_seqnum) - start))
        assert_storm_over "$figures"
}
meet_storm
memory=$(daemon_memory)

# It has to find all of it at once
start=$(</sys/kernel/uevent_seqnum)
kill -STOP "$daemon"
storm
kill -CONT "$daemon"
at_once=$(($(</sys/kernel/uevent_seqnum) - start))
assert_storm_over "$figures"

# Once more, for which it needs no more than the first time
meet_storm
assert_eq "$((at_once >= 1000 && events >= 1000))" 1 "it is true of $at_once and $events events that they are a thousand"
after=$(daemon_memory)
if ((!LAB_SANITIZER)); then
        assert_eq "$((after - memory < 100))" 1 "it is true that memory grew little, from $memory to $after kB"
fi
assert_eq "$(daemon_pid)" "$daemon" "the process of the daemon"
assert lease_is "$other_lease" active
assert start_udev
udevadm settle

# ---- a group gets another number

remove() {
        echo 1 >"/sys/bus/pci/devices/$1/remove"
}
bring_back() {
        echo 1 >/sys/bus/pci/rescan
        wait_until 20 has_device "$LAB_NIC2"
        bind_native "$LAB_NIC2"
}
defer bring_back

# renumber DEVICE: takes it away, has something else take the number of its group, and brings it back
renumber() {
        local before

        before=$(group_of "$1")
        remove "$1"
        echo "$LAB_IGB_VFS" >"/sys/bus/pci/devices/$LAB_IGB/sriov_numvfs"
        echo 1 >/sys/bus/pci/rescan
        wait_until 20 has_device "$1"
        assert_ne "$(group_of "$1")" "$before" "the group of $1"
}

# restore_number DEVICE: the lowest one that is free
restore_number() {
        remove "$1"
        echo 0 >"/sys/bus/pci/devices/$LAB_IGB/sriov_numvfs"
        echo 1 >/sys/bus/pci/rescan
        wait_until 20 has_device "$1"
}

defer drop_claims
number=$(group_of "$LAB_NIC2")
assert iommuctl claim --persistent "$LAB_NIC2"
assert_claim "$LAB_NIC2" parked
renumber "$LAB_NIC2"
assert_all_known
assert_claim "$LAB_NIC2" parked
assert_driver "$LAB_NIC2" vfio-pci
assert_eq "$(group_field "$number" claim)" none "the claim on what has the number now"
hold renumbered "$LAB_VMM_UID" "$LAB_NIC2"
assert_eq "$(iommuctl leases --json | jq -r --argjson id "$LEASE" '.[] | select(.id == $id) | .groups[]')" \
        "$(group_of "$LAB_NIC2")" "the group of the lease"
let_go "$PID"
assert_ended "$LEASE"
assert_claim "$LAB_NIC2" parked
assert iommuctl unclaim "$LAB_NIC2"
restore_number "$LAB_NIC2"
assert bind_native "$LAB_NIC2"
assert_all_known
assert no_claim_records

# While the daemon is away: what has its name now is not what the lease had
hold away "$LAB_VMM_UID" "$LAB_NIC2"
systemctl stop iommud.service
let_go "$PID"
renumber "$LAB_NIC2"
assert bind_native "$LAB_NIC2"
systemctl start iommud.service
assert_ended "$LEASE"
assert_driver "$LAB_NIC2" e1000e
assert_all_known
assert_eq "$(lease_of "$LAB_NIC2")" null "the lease of $LAB_NIC2"
assert lease_is "$other_lease" active
restore_number "$LAB_NIC2"
assert bind_native "$LAB_NIC2"
assert_all_known

# ---- functions are switched off while somebody has one

is_going() {
        [[ ! -e "/sys/bus/pci/devices/$1/driver" ]]
}

was_asked() {
        [[ -n "$(entries MESSAGE_ID="$MESSAGE_REQUEST" IOMMUD_LEASE="$1")" ]]
}

# The holder of the first is asked, and lets go of it; that of the second doesn't hear
set_disk_vfs 2
assert_all_known
first=$(iommuctl find "pf=$LAB_NVME_PF,vf=0") second=$(iommuctl find "pf=$LAB_NVME_PF,vf=1")
start willing "$LAB_VMM_UID" iommuctl run --supervise -d "$first" -- sh -c 'echo started; exec sleep infinity'
assert_says willing "$PID" '^started$'
willing=$(lease_of "$first")
start deaf "$LAB_VMM_UID" iommuctl run -d "$second" -- sh -c 'echo started; exec sleep infinity'
assert_says deaf "$PID" '^started$'
deaf=$PID deaf_lease=$(lease_of "$second")
set_disk_vfs 0 &
writer=$!
assert_ended "$willing" 60
assert was_asked "$willing"
assert_soon 20 is_going "$second"
assert_soon 20 was_asked "$deaf_lease"
assert is_running "$writer"
hold meanwhile "$LAB_VMM_UID" "$LAB_NIC"
let_go "$PID"
assert_ended "$LEASE"
assert lease_is "$deaf_lease" active
kill -KILL "$deaf"
assert wait "$writer"
assert_ended "$deaf_lease"
assert_all_known

# ---- a device is torn out: its port has no power any more, and it answers nothing. This port can't tell the kernel, which hears of
# it from us; one that can is in surprise.sh.

set_power() {
        setpci -s "$LAB_SLOT_PORT" "CAP_EXP+18.w=$1:0700"
}
put_back() {
        set_power 0100
        echo 1 >/sys/bus/pci/rescan
}
put_away() {
        put_back
        if has_device "$LAB_SLOT"; then
                unplug torn
        fi
}

assert plug torn edu
defer put_away
assert_all_known
start torn "$LAB_VMM_UID" iommuctl run -d "$LAB_SLOT" -- "$PWD/programs/edu-dma" unbound '{iommufd}' '{device:0}'
assert_says torn "$PID" '^ready$'
torn=$PID lease=$(lease_of "$LAB_SLOT")
set_power 0700
assert_eq "$(setpci -s "$LAB_SLOT" 0.w)" ffff "what the device answers"
remove "$LAB_SLOT" &
writer=$!
assert_soon 20 is_going "$LAB_SLOT"
assert_soon 20 was_asked "$lease"
hold meanwhile2 "$LAB_VMM_UID" "$LAB_NIC"
let_go "$PID"
assert_ended "$LEASE"
assert lease_is "$lease" active
assert is_running "$writer"
kill -KILL "$torn"
assert wait "$writer"
assert_ended "$lease"
assert_fails has_device "$LAB_SLOT"
assert_all_known
assert clear_quarantine

# It is put in again
put_back
assert_soon 20 has_device "$LAB_SLOT"
assert_all_known
hold again "$LAB_VMM_UID" "$LAB_SLOT"
let_go "$PID"
assert_ended "$LEASE"
assert unplug torn

let_go "$other"
assert_ended "$other_lease"
assert_all_known
without_functions
assert_no_entry "$MESSAGE_STUCK"
assert_untouched
conclude "$at_once events at once, $events twice while it gave $answers answers: $figures before and after;" \
        "memory $memory kB, then $after kB"
