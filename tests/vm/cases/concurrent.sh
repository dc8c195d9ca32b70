# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 240
#
# Sixteen calls of Acquire at once: for sixteen groups all are granted, for one group one is.

. guest/iommud.sh

no_vfs() {
        echo 0 >"/sys/bus/pci/devices/$LAB_IGB/sriov_numvfs"
        echo 0 >"/sys/bus/pci/devices/$LAB_NVME_PF/sriov_numvfs"
        udevadm settle
}
defer no_vfs
# A function of the disk has no queues until somebody gives it some, and no driver can do anything with it
autoprobe="/sys/bus/pci/devices/$LAB_NVME_PF/sriov_drivers_autoprobe"
with_autoprobe() {
        echo 1 >"$autoprobe"
}
defer with_autoprobe
echo 0 >"$autoprobe"
echo "$LAB_IGB_VFS" >"/sys/bus/pci/devices/$LAB_IGB/sriov_numvfs"
echo 9 >"/sys/bus/pci/devices/$LAB_NVME_PF/sriov_numvfs"
udevadm settle

selectors=()
for ((i = 0; i < LAB_IGB_VFS; i++)); do
        selectors+=("pf=$LAB_IGB,vf=$i")
done
for ((i = 0; i < 9; i++)); do
        selectors+=("pf=$LAB_NVME_PF,vf=$i")
done
assert_eq "${#selectors[@]}" 16 "the number of functions"

all_are_known() {
        [[ "$(iommuctl list --json | jq '[.[] | select(.physical_function != "")] | length')" == 16 ]]
}
assert_soon 30 all_are_known
drivers_are_bound() {
        [[ "$(iommuctl list --json | jq '[.[] | select(.driver == "igbvf")] | length')" == "$LAB_IGB_VFS" ]]
}
assert_soon 60 drivers_are_bound
mapfile -t functions < <(iommuctl list --json | jq -r '.[] | select(.physical_function != "") | .name')
allow "$LAB_VMM_UID" "${functions[@]}"
before=$(bindings)

start many "$LAB_VMM_UID" programs/acquire-at-once "${selectors[@]}"
assert_says many "$PID" '^all$' 120
assert_eq "$(grep -c '^granted ' "$CASE_DIR/many")" 16 "the number that was granted, of $(cat "$CASE_DIR/many"): it"
assert_eq "$(iommuctl leases --json | jq '[.[] | select(.state == "active")] | length')" 16 "the number of leases"
assert_eq "$(iommuctl leases --json | jq '[.[].groups[]] | unique | length')" 16 "the number of groups"
for address in "${functions[@]}"; do
        assert_eq "$(driver_of "$address")" vfio-pci "the driver of $address"
done
let_go "$PID"
assert_soon 120 no_lease
assert_bindings "$before"
assert_eq "$(entries MESSAGE_ID="$MESSAGE_GRANT" | wc -l)" 16 "the number of grants in the journal"
assert_eq "$(entries MESSAGE_ID="$MESSAGE_RELEASE" | wc -l)" 16 "the number of releases in the journal"

# One group: whoever is first
one=()
for ((i = 0; i < 16; i++)); do
        one+=("${functions[0]}")
done
start same "$LAB_VMM_UID" programs/acquire-at-once "${one[@]}"
assert_says same "$PID" '^all$' 120
assert_eq "$(grep -c '^granted ' "$CASE_DIR/same")" 1 "the number that was granted"
assert_eq "$(grep -c '^refused org.iommud1.Error.Taken ' "$CASE_DIR/same")" 15 "the number that was too late"
assert_eq "$(iommuctl leases --json | jq length)" 1 "the number of leases"
let_go "$PID"
assert_soon 60 no_lease
assert_bindings "$before"

no_vfs
assert_untouched
