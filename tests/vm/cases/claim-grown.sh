# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 240
#
# A group that has more than it had when it was claimed is handed to nobody until somebody says that this is right.

. guest/iommud.sh

defer drop_claims

bring_back() {
        echo 1 >/sys/bus/pci/rescan
        wait_until 20 has_device "$LAB_SHARED_B"
}
defer bring_back

take_away() {
        echo 1 >"/sys/bus/pci/devices/$LAB_SHARED_B/remove"
}

allow "$LAB_VMM_UID" "$LAB_SHARED_A" "$LAB_SHARED_B"
group="group:$(group_of "$LAB_SHARED_A")"

# Claimed with one of the two, which is all that there is; then the other one comes
take_away
assert iommuctl claim --persistent "$LAB_SHARED_A"
assert_claim "$LAB_SHARED_A" parked
mark_kernel_log
bring_back

# The kernel lets no driver of its own have it, and who asks is told what is new
says_grown() {
        [[ "$(group_field "$(group_of "$LAB_SHARED_A")" claim_reason)" == *"$LAB_SHARED_B ("* ]]
}
assert_soon 20 says_grown
assert claim_is "$LAB_SHARED_A" parked
assert_eq "$(driver_of "$LAB_SHARED_B")" "" "the driver of the new device"
for device in "$LAB_SHARED_A" "$LAB_SHARED_B" "$group"; do
        assert_refused "(NotViable)" as_user "$LAB_VMM_UID" iommuctl acquire "$device"
        assert_match "$OUTPUT" "has grown since it was approved: $LAB_SHARED_B \\([0-9a-f:]+\\)"
done
assert_refused "(NotViable)" iommuctl claim "$group"
assert_match "$(iommuctl show "$LAB_SHARED_A")" "Claim says: .*$LAB_SHARED_B"

# It goes, and all is well again
take_away
is_well() {
        [[ "$(group_field "$(group_of "$LAB_SHARED_A")" claim_reason)" == "" ]]
}
assert_soon 20 is_well
hold alone "$LAB_VMM_UID" "$LAB_SHARED_A"
let_go "$PID"
assert_ended "$LEASE"
assert_claim "$LAB_SHARED_A" parked
assert clear_quarantine

# Over a start of the host: nothing is taken, and it is said
systemctl stop iommud.service
systemctl clean --what=fdstore iommud.service 2>/dev/null || true
find "$LEASES" -mindepth 1 -delete
assert bind_native "$LAB_SHARED_A"
bring_back
assert bind_native "$LAB_SHARED_B"
systemctl start iommud.service
assert claim_is "$LAB_SHARED_A" failed
assert says_grown
assert_entry "$MESSAGE_CLAIM_FAILED"
assert_eq "$(driver_of "$LAB_SHARED_A") $(driver_of "$LAB_SHARED_B")" "e1000 e1000" "the drivers"
assert_refused "(NotViable)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_SHARED_A"

# Accepted: both are parked, and known from now on
assert iommuctl claim --accept "$group"
assert claim_is "$LAB_SHARED_A" parked
assert_eq "$(driver_of "$LAB_SHARED_A") $(driver_of "$LAB_SHARED_B")" "vfio-pci vfio-pci" "the drivers"
assert_eq "$(group_field "$(group_of "$LAB_SHARED_A")" claim_persistent)" true
hold both "$LAB_VMM_UID" "$LAB_SHARED_A" "$LAB_SHARED_B"
let_go "$PID"
assert_ended "$LEASE"
assert_claim "$LAB_SHARED_A" parked

# One that is known comes back on its own; to take it away had to wait for iommud to close it
take_away
assert_fails has_device "$LAB_SHARED_B"
assert_claim "$LAB_SHARED_A" parked
bring_back
assert_soon 30 is_driven_by "$LAB_SHARED_B" vfio-pci
assert_claim "$LAB_SHARED_A" parked
OUTPUT=$(programs/kernel-verbs bind "$LAB_SHARED_B" </dev/null) || true
assert_match "$OUTPUT" '^failed EINVAL: '

assert iommuctl unclaim "$group"
assert bind_native "$LAB_SHARED_B"
assert clear_quarantine
assert_untouched
assert no_claim_records
