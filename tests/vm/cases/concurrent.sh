# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize always
# deadline: 240
#
# Sixteen calls of Acquire at once: for sixteen groups all are granted, for one group one is.

. guest/iommud.sh
. guest/functions.sh

selectors=()
for ((i = 0; i < LAB_IGB_VFS; i++)); do
        selectors+=("pf=$LAB_IGB,vf=$i")
done
for ((i = 0; i < 16 - LAB_IGB_VFS; i++)); do
        selectors+=("pf=$LAB_NVME_PF,vf=$i")
done
assert_eq "${#selectors[@]}" 16 "the number of functions"

allow "$LAB_VMM_UID" "${FUNCTIONS[@]}"
before=$(bindings)

start many "$LAB_VMM_UID" programs/acquire-at-once "${selectors[@]}"
assert_says many "$PID" '^all$' 120
assert_eq "$(grep -c '^granted ' "$CASE_DIR/many")" 16 "the number that was granted, of $(cat "$CASE_DIR/many"): it"
assert_eq "$(iommuctl leases --json | jq '[.[] | select(.state == "active")] | length')" 16 "the number of leases"
assert_eq "$(iommuctl leases --json | jq '[.[].groups[]] | unique | length')" 16 "the number of groups"
for address in "${FUNCTIONS[@]}"; do
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
        one+=("${FUNCTIONS[0]}")
done
start same "$LAB_VMM_UID" programs/acquire-at-once "${one[@]}"
assert_says same "$PID" '^all$' 120
assert_eq "$(grep -c '^granted ' "$CASE_DIR/same")" 1 "the number that was granted"
assert_eq "$(grep -c '^refused org.iommud1.Error.Taken ' "$CASE_DIR/same")" 15 "the number that was too late"
assert_eq "$(iommuctl leases --json | jq length)" 1 "the number of leases"
let_go "$PID"
assert_soon 60 no_lease
assert_bindings "$before"

no_functions
assert_untouched
