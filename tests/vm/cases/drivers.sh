# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# Whatever driver a device had, and none, and whatever override: it has them again afterwards.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_NVME" "$LAB_NIC" "$LAB_EDU"

# cycle ADDRESS: acquires and gives back; in between it is on vfio-pci
cycle() {
        local before after

        before="$(driver_of "$1") $(override_of "$1")"
        hold "cycle-$((++CYCLES))" "$LAB_VMM_UID" "$1"
        assert_eq "$(driver_of "$1")" vfio-pci "the driver of $1"
        assert_ne "$(cdev_of "$1")" "" "the node of $1"
        assert_eq "$(iommuctl list --json | jq -r --arg name "$1" '.[] | select(.name == $name) | .original_driver')" \
                "${before% *}" "the original driver"
        let_go "$PID"
        assert_ended "$LEASE"
        after="$(driver_of "$1") $(override_of "$1")"
        assert_eq "$after" "$before" "driver and override of $1"
}
CYCLES=0

cycle "$LAB_NVME"
assert_soon 20 disk_is_back

name=$(netdev_of "$LAB_NIC")
cycle "$LAB_NIC"
netdev_is_back() {
        [[ "$(netdev_of "$LAB_NIC" 2>/dev/null)" == "$name" ]]
}
assert_soon 20 netdev_is_back

cycle "$LAB_EDU"
assert_eq "$(driver_of "$LAB_EDU")" "" "the driver of $LAB_EDU"

# On vfio-pci before, by an override, as administrators do it: it stays there
defer bind_native "$LAB_NIC"
assert bind_driver "$LAB_NIC" vfio-pci
cycle "$LAB_NIC"
assert_eq "$(driver_of "$LAB_NIC") $(override_of "$LAB_NIC")" "vfio-pci vfio-pci"

# The same without an override any more
echo >"/sys/bus/pci/devices/$LAB_NIC/driver_override"
cycle "$LAB_NIC"
assert_eq "$(driver_of "$LAB_NIC")" vfio-pci

# None, although there would be one
unbind "$LAB_NIC"
cycle "$LAB_NIC"
assert_eq "$(driver_of "$LAB_NIC")" "" "the driver of $LAB_NIC"

# An override that is for a driver of which there is none
echo nothing >"/sys/bus/pci/devices/$LAB_NIC/driver_override"
cycle "$LAB_NIC"
assert_eq "$(override_of "$LAB_NIC")" nothing

# On pci-stub
assert bind_driver "$LAB_NIC" pci-stub
cycle "$LAB_NIC"
assert_eq "$(driver_of "$LAB_NIC") $(override_of "$LAB_NIC")" "pci-stub pci-stub"

assert bind_native "$LAB_NIC"
assert_untouched
