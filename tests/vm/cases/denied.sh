# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize
#
# Whoever has no rule gets nothing and changes nothing; a rule counts once it is loaded; a policy with a mistake in it never.

. guest/iommud.sh

assert_still_denied() {
        mark_kernel_log
        assert_refused "(Denied)" as_user "$1" iommuctl acquire "$LAB_NVME"
        assert no_lease
        assert bindings_are "$BEFORE"
        assert_eq "$(kernel_said)" "" "what the kernel said"
        assert_entry "$MESSAGE_DENIAL" IOMMUD_DEVICE="$LAB_NVME" IOMMUD_UID="$1" PRIORITY=5
}

assert_still_denied "$LAB_STRANGER_UID"
assert_match "$OUTPUT" "uid $LAB_STRANGER_UID may not have $LAB_NVME"
assert_no_entry "$MESSAGE_GRANT"
assert disk_is_back

# The error on the bus has the name that the contract says
assert_fails as_user "$LAB_STRANGER_UID" busctl call org.iommud1 /org/iommud1 org.iommud1.Manager \
        Acquire 'asa{sv}' 1 "$LAB_NVME" 0 --json=short
assert_match "$OUTPUT" "may not have"
assert_fails as_user "$LAB_STRANGER_UID" iommuctl plan --json "$LAB_NVME"
assert_eq "$(jq -r .possible <<<"$OUTPUT")" false
assert_eq "$(jq -r '.steps[] | select(.action == "blocked") | .reason' <<<"$OUTPUT")" Denied

# Neither a rule for somebody else nor one for another device helps
use_policy "$(rule allow "$LAB_VMM_UID" "$LAB_NVME")" "$(rule allow "$LAB_STRANGER_UID" "$LAB_NIC")"
assert_still_denied "$LAB_STRANGER_UID"

# A rule that is written but not loaded
printf '{ "rules": [ %s ] }\n' "$(rule allow "$LAB_STRANGER_UID" "$LAB_NVME")" >"$POLICY"
assert_still_denied "$LAB_STRANGER_UID"

# Only root loads
assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl reload
assert_still_denied "$LAB_STRANGER_UID"
assert iommuctl reload
assert_entry "$MESSAGE_POLICY"
hold granted "$LAB_STRANGER_UID" "$LAB_NVME"
let_go "$PID"
assert_ended "$LEASE"

# The first rule that matches decides
use_policy "$(rule deny "$LAB_STRANGER_UID" "$LAB_NVME")" "$(rule allow "$LAB_STRANGER_UID" any)"
assert_still_denied "$LAB_STRANGER_UID"
assert_match "$OUTPUT" "$POLICY"

# A broken file: the place is named, and what was in force still is
printf '{\n  "rules": [\n    { "uid": %s, "devices": "any", "verdict": "alow" }\n  ]\n}\n' \
        "$LAB_STRANGER_UID" >"$POLICY"
assert_refused "(InvalidPolicy)" iommuctl reload
assert_match "$OUTPUT" "$POLICY:3:[0-9]+: .*alow"
assert_entry "$MESSAGE_POLICY" PRIORITY=3
assert_still_denied "$LAB_STRANGER_UID"
hold other "$LAB_STRANGER_UID" "$LAB_NIC"
let_go "$PID"
assert_ended "$LEASE"

# The same by the signal of "systemctl reload", and one that anybody could have written
assert systemctl reload iommud.service
assert_still_denied "$LAB_STRANGER_UID"
printf '{ "rules": [ %s ] }\n' "$(rule allow "$LAB_STRANGER_UID" any)" >"$POLICY"
chmod 666 "$POLICY"
assert_refused "(InvalidPolicy)" iommuctl reload
assert_still_denied "$LAB_STRANGER_UID"

assert_untouched
