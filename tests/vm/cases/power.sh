# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 90
#
# power/control is the host's choice, and vfio-pci sets it when it comes and when it goes: it is put back with the driver.

. guest/iommud.sh

control_of() {
        cat "/sys/bus/pci/devices/$1/power/control"
}

# set_control CONTROL: of the network card
set_control() {
        echo "$1" >"/sys/bus/pci/devices/$LAB_NIC/power/control"
}
defer set_control "$(control_of "$LAB_NIC")"
defer bind_native "$LAB_NIC"
defer drop_claims

# cycle: a lease comes and goes, with the daemon killed in between
cycle() {
        local before

        before="$(driver_of "$LAB_NIC") $(override_of "$LAB_NIC") $(control_of "$LAB_NIC")"
        hold "cycle-$((++CYCLES))" 0 "$LAB_NIC"
        kill_daemon
        let_go "$PID"
        assert_ended "$LEASE"
        assert_eq "$(driver_of "$LAB_NIC") $(override_of "$LAB_NIC") $(control_of "$LAB_NIC")" "$before" \
                "driver, override and power/control"
}
CYCLES=0

# vfio-pci makes "on" of it when it goes
set_control auto
cycle
assert iommuctl claim "$LAB_NIC"
assert iommuctl unclaim "$LAB_NIC"
assert_eq "$(driver_of "$LAB_NIC") $(control_of "$LAB_NIC")" "e1000e auto" "what a claim gives back"

# and "auto" when it comes, which is also what a device goes through that was on it before
assert bind_driver "$LAB_NIC" vfio-pci
assert_eq "$(control_of "$LAB_NIC")" auto "what vfio-pci makes of power/control"
set_control on
cycle

assert bind_native "$LAB_NIC"
assert_untouched
