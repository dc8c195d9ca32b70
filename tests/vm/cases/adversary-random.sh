# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# The adversary's matrix: more than 10,000 calls (or one in LAB_SAMPLE) with arguments at random, to every method that there is, by
# somebody without rights. Each is answered as it should be, and nothing has changed afterwards. LAB_SEED makes the same calls again.

. guest/iommud.sh

SEED=$LAB_SEED
EACH=$((350 / LAB_SAMPLE))

pid=$(daemon_pid)
hold victim 0 "$LAB_EDU"
victim=$LEASE

# Its objects: the manager, a device, a group, and somebody else's lease
path_of() {
        busctl --json=short call org.iommud1 /org/iommud1 org.iommud1.Manager Find s "$1" | jq -r '.data[0][0]'
}
paths=(/org/iommud1 "$(path_of "$LAB_NIC")" "/org/iommud1/group/$(group_of "$LAB_NIC")" "/org/iommud1/lease/$victim")

# As many requests as one likes: what is behind the limit is to be tried
printf '{ "limits": [ { "uid": %u, "requests_per_second": 1000000 } ], "rules": [] }\n' "$LAB_STRANGER_UID" >"$POLICY"
defer drop_policy
assert iommuctl reload

descriptors() {
        find "/proc/$pid/fd" -mindepth 1 | wc -l
}

printf 'seed %u\n' "$SEED"
as_user "$LAB_STRANGER_UID" programs/random-calls all "$SEED" 4 "${paths[@]}" >"$CASE_DIR/first" ||
        fail "$(tail -n 20 "$CASE_DIR/first")"
before=$(descriptors)
as_user "$LAB_STRANGER_UID" programs/random-calls all "$SEED" "$EACH" "${paths[@]}" >"$CASE_DIR/calls" ||
        fail "seed $SEED: $(tail -n 20 "$CASE_DIR/calls")"
calls=$(sed -n 's/^\([0-9]*\) calls of .*/\1/p' "$CASE_DIR/calls")
((calls >= 10000 / LAB_SAMPLE)) || fail "there were only $calls calls"

assert_eq "$(daemon_pid)" "$pid" "the process of the daemon"
assert lease_is "$victim" active
assert_eq "$(iommuctl leases --json | jq length)" 1 "the number of leases"
# Nothing is kept of what was sent; of each of the few who have called since, the descriptor of its process
as_before() {
        (($(descriptors) <= before + 8))
}
assert_soon 20 as_before
assert_eq "$(entries | jq -r '.MESSAGE | select(type != "string")')" "" "entries that are no text"

let_go "$PID"
assert_ended "$victim"
conclude "$(tail -n 1 "$CASE_DIR/calls"), seed $SEED"
assert_untouched
