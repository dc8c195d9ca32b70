# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm
# deadline: 180
# expect: daemon-death
#
# Eight users acquire and give back at the same time, one lease after the other, while the daemon is started again and killed:
# none of their leases is lost, and what they are told meanwhile is what a client may try again.

. guest/iommud.sh
. guest/functions.sh

# Of a restart and a kill each
ROUNDS=$((LAB_SAMPLE > 1 ? 1 : 3))

# The bus serves users that it finds by name only
drop_users() {
        sed -i '/^lab-load[0-9]*:/d' /etc/passwd
}
defer drop_users
UIDS=()
for ((i = 0; i < 8; i++)); do
        UIDS+=($((LAB_VMM_UID + 100 + i)))
        printf 'lab-load%d:x:%d:%d::/nonexistent:/usr/sbin/nologin\n' "$i" "${UIDS[i]}" "${UIDS[i]}" >>/etc/passwd
done

# Of either kind, those that have a driver and those that have none
devices=("${FUNCTIONS[@]:0:4}" "${FUNCTIONS[@]:12:4}")
rules=()
for i in "${!devices[@]}"; do
        rules+=("$(rule allow "${UIDS[i]}" "${devices[i]}")")
done
use_policy "${rules[@]}"
before=$(bindings)

clients=()
for i in "${!devices[@]}"; do
        start "client$i" "${UIDS[i]}" programs/acquire-often 0 "${devices[i]}"
        clients+=("$PID")
done

said() {
        cat "$CASE_DIR"/client? | grep -c "$1" || true
}

granted_to() {
        grep -c '^granted$' "$CASE_DIR/client$1" || true
}

# Each client has had a lease since @GRANTED was looked at, or is gone and said why
all_go_on() {
        local i

        for i in "${!clients[@]}"; do
                is_running "${clients[i]}" || fail "client $i: $(tail -n 3 "$CASE_DIR/client$i")"
                (($(granted_to "$i") > GRANTED[i])) || return 1
        done
}

assert_all_go_on() {
        local i

        GRANTED=()
        for i in "${!clients[@]}"; do
                GRANTED+=("$(granted_to "$i")")
        done
        assert_soon 60 all_go_on
}

assert_all_go_on
for ((round = 0; round < ROUNDS; round++)); do
        systemctl restart iommud.service
        assert_all_go_on
        kill_daemon
        assert_all_go_on
done

for i in "${!clients[@]}"; do
        say "client$i" enough
done
for i in "${!clients[@]}"; do
        assert_says "client$i" "${clients[i]}" '^done$'
        assert wait "${clients[i]}"
done
assert_eq "$(cat "$CASE_DIR"/client? | grep -vE '^(granted|again (ETIMEDOUT|Draining)|done)$')" "" "what else they were told"
assert_soon 10 no_lease
assert_bindings "$before"
assert_soon 10 no_records

no_functions
assert_untouched
conclude "${#clients[@]} clients, $(said '^granted$') leases, $ROUNDS restarts and $ROUNDS kills," \
        "$(said '^again') calls tried again, nothing lost"
