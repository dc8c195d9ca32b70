# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize
# deadline: 120
#
# Two network cards behind one bridge are one group: they come and go together, or not at all.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_SHARED_A" "$LAB_SHARED_B"

plan_has() {
        jq -e --arg action "$1" --arg device "$2" 'any(.steps[]; .action == $action and .device == $device)' \
                >/dev/null <<<"$PLAN"
}

for pair in "$LAB_SHARED_A $LAB_SHARED_B" "$LAB_SHARED_B $LAB_SHARED_A"; do
        read -r device sibling <<<"$pair"

        PLAN=$(as_user "$LAB_VMM_UID" iommuctl plan --json "$device")
        assert_eq "$(jq .possible <<<"$PLAN")" true
        assert plan_has rebind "$device"
        assert plan_has open "$device"
        assert plan_has rebind "$sibling"
        assert_fails plan_has open "$sibling"
        assert plan_has keep "$LAB_SHARED_BRIDGE"
        assert bindings_are "$BEFORE"

        hold "$device" "$LAB_VMM_UID" "$device"
        assert_driver "$device" vfio-pci
        assert_driver "$sibling" vfio-pci
        assert_eq "$(lease_field "$LEASE" 'devices | join(" ")')" "$device" "what was handed out"
        assert_eq "$(lease_field "$LEASE" 'companions | join(" ")')" "$sibling" "what was taken along"
        assert_eq "$(lease_of "$sibling")" "$LEASE" "the lease of the sibling"
        assert_refused "(Taken)" iommuctl acquire "$sibling"

        let_go "$PID"
        assert_ended "$LEASE"
        assert_bindings "$BEFORE"
done

# Both in one lease, named or by the group
for selectors in "$LAB_SHARED_A $LAB_SHARED_B" "group:$(group_of "$LAB_SHARED_A")" "$LAB_SHARED_B $LAB_SHARED_A"; do
        read -r -a words <<<"$selectors"
        hold "both-${words[0]}-x" "$LAB_VMM_UID" "${words[@]}"
        assert_eq "$(lease_field "$LEASE" 'devices | length')" 2 "the number of devices"
        assert_eq "$(lease_field "$LEASE" 'companions | length')" 0 "the number of companions"
        assert_eq "$(lease_field "$LEASE" 'groups | length')" 1 "the number of groups"
        let_go "$PID"
        assert_ended "$LEASE"
        assert_bindings "$BEFORE"
done

# Whoever may have one of them only, gets none of them
allow "$LAB_VMM_UID" "$LAB_SHARED_A"
assert_refused "(NotViable)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_SHARED_A"
assert_match "$OUTPUT" "$LAB_SHARED_B, of the same group, is bound to e1000"
assert bindings_are "$BEFORE"
assert_refused "(Denied)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_SHARED_B"
assert_refused "(Denied)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_SHARED_A" "$LAB_SHARED_B"
assert_fails as_user "$LAB_VMM_UID" iommuctl plan --json "$LAB_SHARED_A"
assert_eq "$(jq .possible <<<"$OUTPUT")" false
assert_eq "$(jq -r '.steps[] | select(.action == "blocked") | .device + " " + .reason' <<<"$OUTPUT")" \
        "$LAB_SHARED_B NotViable"
assert_entry "$MESSAGE_DENIAL" IOMMUD_UID="$LAB_VMM_UID" IOMMUD_DEVICE="$LAB_SHARED_A"

# A sibling without a driver is in nobody's way: it stays as it is
defer bind_native "$LAB_SHARED_B"
unbind "$LAB_SHARED_B"
hold without "$LAB_VMM_UID" "$LAB_SHARED_A"
assert_eq "$(driver_of "$LAB_SHARED_B")" "" "the driver of the sibling"
assert_eq "$(lease_field "$LEASE" 'companions | length')" 0 "the number of companions"
let_go "$PID"
assert_ended "$LEASE"
assert_eq "$(driver_of "$LAB_SHARED_B")" "" "the driver of the sibling"
assert bind_native "$LAB_SHARED_B"

# The bridge is nobody's
assert_refused "(NotSupported)" iommuctl acquire "$LAB_SHARED_BRIDGE"
assert_untouched
