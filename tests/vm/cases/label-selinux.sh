# SPDX-License-Identifier: LGPL-2.1-or-later
# boot: selinux
# deadline: 90
#
# Rules about the label of a security module, here SELinux's: who has been given it by the policy, who has not, and who takes it on by
# himself, as everybody can while SELinux is permissive. The policy is no more than that needs, and forbids nothing else.

. guest/iommud.sh
. guest/labels.sh

SELINUXFS=/sys/fs/selinux

assert_match "$(cat /sys/kernel/security/lsm)" selinux
if [[ ! -e "$SELINUXFS/load" ]]; then
        mount -t selinuxfs selinuxfs "$SELINUXFS"
fi

# The host's processes can start others as anything; a user's stay what they are
cat >"$CASE_DIR/policy.cil" <<EOF
(handleunknown allow)
(policycap nnp_nosuid_transition)
(mls true)
(sensitivity s0)
(sensitivityorder (s0))
(level low (s0))
(levelrange range (low low))
(user system_u)
(role system_r)
(userrole system_u system_r)
(userlevel system_u low)
(userrange system_u range)
(type lab_host_t)
(type lab_user_t)
(type lab_vmm_t)
(type lab_other_t)
(typeattribute domain)
(typeattributeset domain (lab_host_t lab_user_t lab_vmm_t lab_other_t))
(roletype system_r domain)
(class process (transition dyntransition))
(classorder (process))
(context host (system_u system_r lab_host_t range))
(sid kernel)
(sid security)
(sid unlabeled)
(sidorder (kernel security unlabeled))
(sidcontext kernel host)
(sidcontext security host)
(sidcontext unlabeled host)
(allow lab_host_t domain (process (transition dyntransition)))
EOF
assert secilc --output="$CASE_DIR/policy" --filecontext=/dev/null "$CASE_DIR/policy.cil"

enforce() {
        echo "$1" >"$SELINUXFS/enforce"
}

# This and a TYPE before a command: the process takes on the context when it executes that. runcon(1) would do the same, but wants
# to see a whole system that is set up for SELinux.
# shellcheck disable=SC2016 # for the shell that is started
become=(sh -c 'printf "system_u:system_r:%s:s0" "$0" >/proc/self/attr/exec && exec "$@"')

# as TYPE UID COMMAND...: as the host starts it
as() {
        as_user "$2" "${become[@]}" "$1" "${@:3}"
}

# user_as TYPE UID COMMAND...: as a user does it by himself
user_as() {
        "${become[@]}" lab_user_t setpriv --reuid="$2" --regid="$2" --clear-groups -- "${become[@]}" "$1" "${@:3}"
}

context=system_u:system_r:lab_vmm_t:s0
no_proof="whether its \"label\" is true of the caller is not known \\(\"$context\" is no proof of that"

# ---- before there is a policy, all are the kernel's

use_policy "$(rule_of allow '{"label": "*"}')"
denied 'is no proof' as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"

# ---- permissive: whoever wants it has it

assert dd if="$CASE_DIR/policy" of="$SELINUXFS/load" bs=1M status=none
assert_eq "$(tr -d '\0' </proc/self/attr/current)" system_u:system_r:lab_host_t:s0 "the label of the lab"
assert_eq "$(cat "$SELINUXFS/enforce")" 0
use_policy "$(rule_of allow '{"label": "*:lab_vmm_t:*"}')"
assert_eq "$(user_as lab_vmm_t "$LAB_STRANGER_UID" sh -c 'tr -d "\0" </proc/self/attr/current')" "$context" \
        "what somebody has taken on by himself"
denied "$no_proof" user_as lab_vmm_t "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC"
denied "$no_proof" as lab_vmm_t "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
assert_match "$(entries | jq -r .MESSAGE)" 'SELinux is permissive'

# What denies needs no proof
use_policy "$(rule_of deny '{"label": "*:lab_vmm_t:*"}')" "$(rule_of allow "{\"uid\": $LAB_VMM_UID}")"
denied 'rules\[0\] denies it' as lab_vmm_t "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
assert as lab_other_t "$LAB_VMM_UID" iommuctl plan "$LAB_NIC" >/dev/null

# ---- enforced: whom the policy lets

enforce 1
defer enforce 0
for pattern in '*:lab_vmm_t:*' "$context"; do
        use_policy "$(rule_of allow "{\"label\": \"$pattern\"}")"
        start "client" "$LAB_VMM_UID" "${become[@]}" lab_vmm_t iommuctl acquire "$LAB_NIC"
        rm "$CASE_DIR/client.input"
        assert_says client "$PID" '^[0-9]+$'
        LEASE=$(head -n 1 "$CASE_DIR/client")
        assert_eq "$(tr -d '\0' <"/proc/$PID/attr/current")" "$context" "the label of the client"
        assert_driver "$LAB_NIC" vfio-pci
        let_go "$PID"
        assert_ended "$LEASE"
        assert_bindings "$BEFORE"
        denied "$no_rule" as lab_other_t "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
        denied "$no_rule" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
        assert_fails user_as lab_vmm_t "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC"
        assert_match "$OUTPUT" "iommuctl: Permission denied"
done
use_policy "$(rule_of allow "{\"uid\": $LAB_VMM_UID, \"label\": \"$context\"}")"
assert as lab_vmm_t "$LAB_VMM_UID" iommuctl plan "$LAB_NIC" >/dev/null
denied "$no_rule" as lab_vmm_t "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC"

# ---- which is also what is explained

# verdict COMMAND...: the last word of the explanation
verdict() {
        "$@" --json "$LAB_NIC" | jq -r '"\(.[0].match) \(.[-1].verdict)"'
}
assert_eq "$(verdict iommuctl policy explain --as "$LAB_VMM_UID" --label "$context")" "yes allow"
assert_eq "$(verdict iommuctl policy explain --as "$LAB_VMM_UID" --label system_u:system_r:lab_other_t:s0)" "no deny"
assert_eq "$(verdict as lab_vmm_t "$LAB_VMM_UID" iommuctl policy explain)" "yes allow"
enforce 0
assert_eq "$(verdict iommuctl policy explain --as "$LAB_VMM_UID" --label "$context")" "unknown deny"
assert_eq "$(verdict as lab_vmm_t "$LAB_VMM_UID" iommuctl policy explain)" "unknown deny"
assert_match "$(as lab_vmm_t "$LAB_VMM_UID" iommuctl policy explain "$LAB_NIC")" "\"$context\" is no proof"
conclude "$CASES cases"
assert_untouched
