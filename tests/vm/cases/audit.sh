# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# Who had what, from when to when and why not, is in the journal with its fields and in the kernel's audit log.

. guest/iommud.sh

# The kernel has an audit log, and somebody reads it, from here on
start listener 0 "$PWD/programs/audit-listen"
listener=$PID
assert_says listener "$listener" '^listening'
stop_listening() {
        say listener end
        wait "$listener"
}
defer stop_listening

# records TYPE: of iommud since the case began, the text of each
records() {
        sed -n "s/^$1 //p" "$CASE_DIR/listener"
}

has_record() {
        records "$1" | grep -qE "$2"
}

# assert_record TYPE REGEX: the kernel hands it on a moment later
assert_record() {
        wait_until 10 has_record "$@" || fail "no audit record of type $1 matches '$2': $(records "$1")"
}

ALLOC=2307 DEALLOC=2308 CONFIG=1111

# The policy: loaded by a user, by a signal, and with a mistake in it
allow "$LAB_VMM_UID" "$LAB_SHARED_A" "$LAB_SHARED_B"
assert_entry "$MESSAGE_POLICY" IOMMUD_EVENT=policy IOMMUD_UID=0 PRIORITY=6
assert_record "$CONFIG" 'op=policy id=0 .*res=success'
echo nonsense >"$POLICY"
assert_refused "(InvalidPolicy)" iommuctl reload
assert_entry "$MESSAGE_POLICY" IOMMUD_EVENT=policy PRIORITY=3
assert_record "$CONFIG" 'op=policy .*res=failed'
allow "$LAB_VMM_UID" "$LAB_SHARED_A" "$LAB_SHARED_B"

# A grant of two devices is found under each of them
hold granted "$LAB_VMM_UID" "$LAB_SHARED_A" "$LAB_SHARED_B"
for device in "$LAB_SHARED_A" "$LAB_SHARED_B"; do
        assert_entry "$MESSAGE_GRANT" IOMMUD_EVENT=grant IOMMUD_DEVICE="$device" IOMMUD_LEASE="$LEASE" \
                IOMMUD_UID="$LAB_VMM_UID" IOMMUD_PID="$PID" IOMMUD_MODE=vmm \
                IOMMUD_GROUP="$(group_of "$LAB_SHARED_A")" _SYSTEMD_UNIT=iommud.service
        assert_record "$ALLOC" \
                "op=grant device=\"$device\" lease=$LEASE id=$LAB_VMM_UID opid=$PID .*res=success"
done

# Refusals: no rule, somebody else has it, and a name that would like to be more than one
assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NVME"
assert_entry "$MESSAGE_DENIAL" IOMMUD_EVENT=denial IOMMUD_DEVICE="$LAB_NVME" IOMMUD_UID="$LAB_STRANGER_UID" \
        IOMMUD_REFUSAL=Denied
assert_record "$ALLOC" "op=denial device=\"$LAB_NVME\" id=$LAB_STRANGER_UID .*reason=Denied .*res=failed"
assert_refused "(Taken)" iommuctl acquire "$LAB_SHARED_A"
assert_entry "$MESSAGE_DENIAL" IOMMUD_DEVICE="$LAB_SHARED_A" IOMMUD_UID=0 IOMMUD_REFUSAL=Taken
assert_record "$ALLOC" "device=\"$LAB_SHARED_A\" id=0 .*reason=Taken .*res=failed"
assert_fails as_user "$LAB_STRANGER_UID" iommuctl acquire 'serial=x" res=success device="y'
assert_record "$ALLOC" "op=denial device=[0-9A-F]+ id=$LAB_STRANGER_UID .*res=failed"

# What somebody may not do is on record like what he may not have: with a lease of another, and what is root's
assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl release "$LEASE"
assert_entry "$MESSAGE_DENIAL" IOMMUD_EVENT=denial IOMMUD_LEASE="$LEASE" IOMMUD_DEVICE="$LAB_SHARED_A" \
        IOMMUD_UID="$LAB_STRANGER_UID" IOMMUD_REFUSAL=Denied
assert_record "$ALLOC" "op=denial device=\"$LAB_SHARED_A\" lease=$LEASE id=$LAB_STRANGER_UID .*reason=Denied .*res=failed"
assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl reload
assert_record "$CONFIG" "op=denial id=$LAB_STRANGER_UID .*reason=Denied .*res=failed"

# Its own user lets go: over, reset, back
let_go "$PID"
assert_ended "$LEASE"
for device in "$LAB_SHARED_A" "$LAB_SHARED_B"; do
        assert_entry "$MESSAGE_END" IOMMUD_EVENT=end IOMMUD_DEVICE="$device" IOMMUD_LEASE="$LEASE"
        assert_entry "$MESSAGE_RELEASE" IOMMUD_EVENT=release IOMMUD_DEVICE="$device" IOMMUD_LEASE="$LEASE"
        assert_record "$DEALLOC" "op=release device=\"$device\" lease=$LEASE id=$LAB_VMM_UID .*res=success"
done
assert_no_entry "$MESSAGE_REVOKE"

# Root ends what another user has, and that is something else
allow "$LAB_VMM_UID" "$LAB_NVME"
hold revoked "$LAB_VMM_UID" "$LAB_NVME"
assert iommuctl release --no-wait "$LEASE"
assert_entry "$MESSAGE_REVOKE" IOMMUD_EVENT=revoke IOMMUD_DEVICE="$LAB_NVME" IOMMUD_LEASE="$LEASE" \
        IOMMUD_UID="$LAB_VMM_UID" IOMMUD_BY_UID=0
assert_record "$DEALLOC" "op=revoke device=\"$LAB_NVME\" lease=$LEASE id=$LAB_VMM_UID .*by_uid=0 .*res=success"
let_go "$PID"
assert_ended "$LEASE"
assert_entry "$MESSAGE_RESET" IOMMUD_EVENT=reset IOMMUD_DEVICE="$LAB_NVME" IOMMUD_LEASE="$LEASE"
assert_record "$DEALLOC" "op=reset device=\"$LAB_NVME\" lease=$LEASE .*res=success"
assert_entry "$MESSAGE_RELEASE" IOMMUD_LEASE="$LEASE"
assert_record "$DEALLOC" "device=\"$LAB_NVME\" lease=$LEASE"

# Nothing of all this was too much for the kernel
assert_eq "$(entries PRIORITY=4 | jq -r .MESSAGE | grep -i 'audit log' || true)" "" "a complaint about the audit log"
assert_soon 20 disk_is_back
assert_untouched
