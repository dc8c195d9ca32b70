# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For the cases that need many groups, on top of iommud.sh: sixteen virtual functions, of the network card with the driver
# igbvf, of the disk with none. Their addresses are $FUNCTIONS.

no_functions() {
        echo 0 >"/sys/bus/pci/devices/$LAB_IGB/sriov_numvfs"
        echo 0 >"/sys/bus/pci/devices/$LAB_NVME_PF/sriov_numvfs"
        udevadm settle
}
defer no_functions

# A function of the disk has no queues until somebody gives it some, and no driver can do anything with it
DISK_AUTOPROBE="/sys/bus/pci/devices/$LAB_NVME_PF/sriov_drivers_autoprobe"
with_autoprobe() {
        echo 1 >"$DISK_AUTOPROBE"
}
defer with_autoprobe
echo 0 >"$DISK_AUTOPROBE"
echo "$LAB_IGB_VFS" >"/sys/bus/pci/devices/$LAB_IGB/sriov_numvfs"
echo $((16 - LAB_IGB_VFS)) >"/sys/bus/pci/devices/$LAB_NVME_PF/sriov_numvfs"
udevadm settle

functions_are_known() {
        [[ "$(iommuctl list --json | jq '[.[] | select(.physical_function != "")] | length')" == 16 ]]
}
functions_are_driven() {
        [[ "$(iommuctl list --json | jq '[.[] | select(.driver == "igbvf")] | length')" == "$LAB_IGB_VFS" ]]
}
assert_soon 30 functions_are_known
assert_soon 60 functions_are_driven
mapfile -t FUNCTIONS < <(iommuctl list --json | jq -r '.[] | select(.physical_function != "") | .name')
