# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 240
#
# Where the policy says "ask" and polkit isn't there or doesn't answer: denied. Nobody else waits.

. guest/iommud.sh
. guest/polkit.sh

use_policy "$(rule ask "$LAB_VMM_UID" "$LAB_NIC")" "$(rule allow "$LAB_VMM2_UID" any)"

polkit_pid() {
        systemctl show --property=MainPID --value polkit.service
}

# Others, and other things, go on
assert_served() {
        assert iommuctl list >/dev/null
        hold "$1" "$LAB_VMM2_UID" "$LAB_EDU"
        let_go "$PID"
        assert_ended "$LEASE"
}

# Whoever it is who could say yes
polkit_rules <<EOF
polkit.addRule(function(action, subject) {
        if (action.id == "$ACTION")
                return polkit.Result.YES;
});
EOF
hold granted "$LAB_VMM_UID" "$LAB_NIC"
let_go "$PID"
assert_ended "$LEASE"

# Not there
defer systemctl unmask --runtime polkit.service
systemctl mask --runtime --now polkit.service
assert_refused "(Denied)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
assert_match "$OUTPUT" "it can't be reached"
assert_entry "$MESSAGE_DENIAL" IOMMUD_UID="$LAB_VMM_UID" IOMMUD_DEVICE="$LAB_NIC"
assert_served absent
systemctl unmask --runtime polkit.service

# There, and silent: as many questions as one user may have open, no more, and an end to each
systemctl start polkit.service
pid=$(polkit_pid)
kill -STOP "$pid"
defer systemctl kill --signal=CONT polkit.service
requests=()
for ((i = 0; i < 12; i++)); do
        requests+=("$LAB_NIC")
done
start silent "$LAB_VMM_UID" programs/acquire-at-once "${requests[@]}"
silent=$PID
assert_served silent-other
assert_says silent "$silent" '^all$' 60
assert_eq "$(grep -c 'Error.Quota' "$CASE_DIR/silent")" 4 "the number of requests that were too many"
assert_eq "$(grep -c 'Error.Denied' "$CASE_DIR/silent")" 8 "the number of requests that were denied"
assert_eq "$(entries IOMMUD_UID="$LAB_VMM_UID" | jq -r .MESSAGE | grep -c "has not answered in time")" 8 \
        "the number of denials that say why"
kill -TERM "$silent"
assert no_lease
assert_bindings "$BEFORE"

# It comes to its senses: the answers come too late, for questions that were taken back
kill -CONT "$pid"
hold woken "$LAB_VMM_UID" "$LAB_NIC"
let_go "$PID"
assert_ended "$LEASE"

assert_untouched
