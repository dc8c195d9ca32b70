# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# Rules about the label of a security module, here AppArmor's: who is under the profile, who is not, and who has taken it on by
# himself. Nothing but the clients of this case is under any.

. guest/iommud.sh
. guest/labels.sh

RESTRICT=/proc/sys/kernel/apparmor_restrict_unprivileged_unconfined

assert_eq "$(cat /proc/self/attr/apparmor/current)" unconfined "the label of the lab"

# profile NAME FLAGS: one that forbids nothing. What it is called is what counts.
profile() {
        defer apparmor_parser --remove --skip-cache "$CASE_DIR/$1"
        cat >"$CASE_DIR/$1" <<EOF
profile $1 $2 {
        capability,
        change_profile,
        dbus,
        file,
        network,
        ptrace,
        signal,
        unix,
}
EOF
        assert apparmor_parser --add --skip-cache "$CASE_DIR/$1"
}
profile lab-vmm ""
profile lab-other ""
profile lab-lax "flags=(complain)"

# under PROFILE UID COMMAND...: who is not confined can do that by himself
under() {
        as_user "$2" aa-exec --profile="$1" -- "${@:3}"
}

# on_top_of PROFILE UID COMMAND...: adds the profile to his own
on_top_of() {
        # shellcheck disable=SC2016 # that shell's
        as_user "$2" sh -c 'echo "stack $0" >/proc/self/attr/apparmor/exec && exec "$@"' "$1" "${@:3}"
}

# in_unit NAME PROFILE UID COMMAND...: as an administrator does
in_unit() {
        systemd-run --quiet --wait --collect --pipe --unit="$1" --property=AppArmorProfile="$2" --uid="$3" -- "${@:4}" </dev/null
}

label_of() {
        tr -d '\0' <"/proc/$1/attr/apparmor/current"
}

no_proof='whether its "label" is true of the caller is not known \("[^"]*" is no proof of that'

# ---- a user under a profile: neither of the two without the other

use_policy "$(rule_of allow "{\"uid\": $LAB_VMM_UID, \"label\": \"lab-vmm\"}")"
start client "$LAB_VMM_UID" aa-exec --profile=lab-vmm -- iommuctl acquire "$LAB_NIC"
assert_says client "$PID" '^[0-9]+$'
LEASE=$(head -n 1 "$CASE_DIR/client")
assert_eq "$(label_of "$PID")" "lab-vmm (enforce)" "the label of the client"
assert_driver "$LAB_NIC" vfio-pci
let_go "$PID"
assert_ended "$LEASE"
assert_bindings "$BEFORE"

denied "$no_rule" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
denied "$no_rule" under lab-other "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
denied "$no_rule" under lab-lax "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
denied "$no_rule" under lab-vmm "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC"
denied "\"[^\"]*lab-vmm[^\"]*\" is no proof" on_top_of lab-vmm "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"

# Under a profile that nothing holds him to
use_policy "$(rule_of allow "{\"uid\": $LAB_VMM_UID, \"label\": \"lab-lax\"}")"
denied '"lab-lax \(complain\)" is no proof' under lab-lax "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
use_policy "$(rule_of allow "{\"uid\": $LAB_VMM_UID, \"label\": \"lab-lax (complain)\"}")"
assert under lab-lax "$LAB_VMM_UID" iommuctl plan "$LAB_NIC" >/dev/null

# ---- a profile alone is anybody's

use_policy "$(rule_of allow '{"label": "lab-vmm"}')"
assert_eq "$(under lab-vmm "$LAB_STRANGER_UID" sh -c 'tr -d "\0" </proc/self/attr/apparmor/current')" "lab-vmm (enforce)" \
        "what somebody has taken on by himself"
denied "$no_proof" under lab-vmm "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC"

# The host can see to it that he can't
if [[ -e "$RESTRICT" ]]; then
        restrict() {
                echo "$1" >"$RESTRICT"
        }
        defer restrict "$(cat "$RESTRICT")"
        use_policy "$(rule_of allow "{\"uid\": $LAB_VMM_UID, \"label\": \"lab-vmm\"}")"
        assert under lab-vmm "$LAB_VMM_UID" iommuctl plan "$LAB_NIC" >/dev/null
        restrict 1
        denied 'is no proof' under lab-vmm "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
        assert aa-exec --profile=lab-vmm -- setpriv --reuid="$LAB_VMM_UID" --regid="$LAB_VMM_UID" --clear-groups -- \
                iommuctl plan "$LAB_NIC" >/dev/null
        restrict 0
fi

# ---- with a unit, whoever runs in it

use_policy "$(rule_of allow '{"unit": "lab-vmm.service", "label": "lab-*"}')"
assert in_unit lab-vmm.service lab-vmm "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC" >/dev/null
assert_soon 30 no_lease
assert_bindings "$BEFORE"
denied "$no_rule" in_unit lab-vmm.service unconfined "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC"
denied "$no_rule" in_unit lab-other.service lab-vmm "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC"

# ---- what denies needs no proof

use_policy "$(rule_of deny '{"label": "lab-vmm"}')" "$(rule_of deny '{"label": "lab-lax"}')" \
        "$(rule_of allow "{\"uid\": $LAB_VMM_UID}")"
denied 'rules\[0\] denies it' under lab-vmm "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
denied 'rules\[0\] denies it' on_top_of lab-vmm "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
denied 'rules\[1\] denies it' under lab-lax "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
assert as_user "$LAB_VMM_UID" iommuctl plan "$LAB_NIC" >/dev/null
assert under lab-other "$LAB_VMM_UID" iommuctl plan "$LAB_NIC" >/dev/null

# ---- which is also what is explained, to root about anybody, to everybody about himself

use_policy "$(rule_of allow "{\"uid\": $LAB_VMM_UID, \"label\": \"lab-vmm\"}")"
# verdict COMMAND...: the last word of the explanation
verdict() {
        "$@" --json "$LAB_NIC" | jq -r '"\(.[0].match) \(.[-1].verdict)"'
}
assert_eq "$(verdict iommuctl policy explain --as "$LAB_VMM_UID" --label 'lab-vmm (enforce)')" "yes allow"
assert_eq "$(verdict iommuctl policy explain --as "$LAB_VMM_UID" --label 'lab-vmm (complain)')" "unknown deny"
assert_eq "$(verdict iommuctl policy explain --as "$LAB_VMM_UID" --label unconfined)" "no deny"
assert_eq "$(verdict iommuctl policy explain --as "$LAB_VMM_UID")" "unknown deny"
assert_eq "$(verdict under lab-vmm "$LAB_VMM_UID" iommuctl policy explain)" "yes allow"
assert_eq "$(verdict as_user "$LAB_VMM_UID" iommuctl policy explain)" "no deny"
assert_match "$(as_user "$LAB_VMM_UID" iommuctl policy explain "$LAB_NIC")" 'passed over: its "label" is not true of the caller'
denied "." as_user "$LAB_VMM_UID" iommuctl policy explain --as "$LAB_VMM_UID" --label 'lab-vmm (enforce)' "$LAB_NIC"

assert_eq "$(entries | jq -r .MESSAGE | grep "gives no security label" || true)" "" "a complaint about labels"
conclude "$CASES cases"
assert_untouched
