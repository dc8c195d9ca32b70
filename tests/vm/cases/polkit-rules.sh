# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# Where the policy says "ask", the rules of polkit decide: for this device and this request, and nothing beyond.

. guest/iommud.sh
. guest/polkit.sh

assert_untouched_so_far() {
        assert no_lease
        assert_bindings "$BEFORE"
}

# What is installed: an administrator has to authenticate, each time anew
pkaction --action-id "$ACTION" --verbose >"$CASE_DIR/action"
assert_eq "$(grep -c '^ *implicit .*: *auth_admin$' "$CASE_DIR/action")" 3 "the number of defaults that are auth_admin"

use_policy "$(rule ask "$LAB_VMM_UID" "$LAB_NIC" "$LAB_NIC2" "$LAB_SHARED_A")" \
        "$(rule ask "$LAB_STRANGER_UID" "$LAB_NVME")" \
        "$(rule allow "$LAB_VMM2_UID" "$LAB_NIC")"

# Without rules of polkit's and an agent nobody can say yes
assert_refused "(AuthorizationRequired)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
assert_match "$OUTPUT" "there is no agent"
assert_refused "(AuthorizationRequired)" as_user "$LAB_VMM_UID" iommuctl acquire --no-ask-password "$LAB_NIC"
assert_match "$OUTPUT" "has not let it ask"
assert_entry "$MESSAGE_DENIAL" IOMMUD_UID="$LAB_VMM_UID" IOMMUD_DEVICE="$LAB_NIC"
assert_fails as_user "$LAB_VMM_UID" iommuctl plan --json "$LAB_NIC"
assert_eq "$(jq -r '.steps[] | select(.action == "blocked") | .reason' <<<"$OUTPUT")" AuthorizationRequired
assert_untouched_so_far

# Rules see who asks and for what
watch_polkit
polkit_rules <<EOF
polkit.addRule(function(action, subject) {
        if (action.id != "$ACTION")
                return polkit.Result.NOT_HANDLED;
        if (subject.user != "vmm")
                return polkit.Result.NO;
        if (action.lookup("device") == "$LAB_NIC" && action.lookup("ids") == "8086:10d3" &&
            action.lookup("mode") == "vmm" && action.lookup("uid") == "$LAB_VMM_UID")
                return polkit.Result.YES;
        return polkit.Result.AUTH_ADMIN;
});
EOF
hold granted "$LAB_VMM_UID" "$LAB_NIC"
assert_soon 10 polkit_was_asked 1 "$(jq -n -c --arg device "$LAB_NIC" --arg group "$(group_of "$LAB_NIC")" \
        --arg uid "$LAB_VMM_UID" \
        '{$device, ids: "8086:10d3", class: "020000", driver: "e1000e", $group, mode: "vmm", $uid}')"
let_go "$PID"
assert_ended "$LEASE"

# Asked again for each request
hold again "$LAB_VMM_UID" "$LAB_NIC"
let_go "$PID"
assert_ended "$LEASE"
assert_soon 10 polkit_was_asked 2 "{ \"device\": \"$LAB_NIC\" }"

# No; and somebody would have to authenticate
assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NVME"
assert_match "$OUTPUT" "polkit does not permit it"
assert_soon 10 polkit_was_asked 1 "{ \"device\": \"$LAB_NVME\", \"uid\": \"$LAB_STRANGER_UID\" }"
assert_refused "(AuthorizationRequired)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC2"

# One device of two is not enough, and each is asked about
assert_refused "(AuthorizationRequired)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC" "$LAB_NIC2"
assert_soon 10 polkit_was_asked 3 "{ \"device\": \"$LAB_NIC\" }"
assert_soon 10 polkit_was_asked 2 "{ \"device\": \"$LAB_NIC2\" }"
assert polkit_was_asked 6
assert_untouched_so_far

# polkit is asked for nobody whom the policy allows, or denies, or who could not have it anyway
hold allowed "$LAB_VMM2_UID" "$LAB_NIC"
assert_refused "(Taken)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
let_go "$PID"
assert_ended "$LEASE"
assert_refused "(Denied)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_EDU"
assert_refused "(Denied)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC" "$LAB_EDU"
assert_refused "(NotViable)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_SHARED_A"
hold last "$LAB_VMM_UID" "$LAB_NIC"
let_go "$PID"
assert_ended "$LEASE"
assert_soon 10 polkit_was_asked 7

# What is kept for the action would be kept for every device: it is polkit's administrator who would have to want that
polkit_rules <<EOF
polkit.addRule(function(action, subject) {
        if (action.id == "$ACTION")
                return polkit.Result.NO;
});
EOF
assert_refused "(Denied)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
assert_refused "(Denied)" as_user "$LAB_VMM_UID" iommuctl run -d "$LAB_NIC" -- true
assert_untouched
