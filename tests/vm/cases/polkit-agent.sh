# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 90
#
# Where the policy says "ask" and polkit asks somebody: what he is told, and what becomes of each thing that he can do.

. guest/iommud.sh
. guest/polkit.sh

use_policy "$(rule ask "$LAB_VMM_UID" "$LAB_NIC")" "$(rule allow "$LAB_VMM2_UID" any)"

# ask_agent NAME MODE: a client that asks for the device, and an agent that answers. The client is $CLIENT.
ask_agent() {
        start_waiting "$1" "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
        CLIENT=$PID
        start_agent "$1-agent" "$2" "$CLIENT"
        AGENT=$PID
        say "$1" go
        assert_says "$1-agent" "$AGENT" '^asked '
}

# He says yes: this client has it, and no other
ask_agent granted yes
assert_says granted "$CLIENT" '^[0-9]+$|cannot acquire'
assert_no_match "$(cat "$CASE_DIR/granted-agent")" 'not noted'
assert_says granted "$CLIENT" '^[0-9]+$'
lease=$(cat "$CASE_DIR/granted")
assert_eq "$(lease_field "$lease" uid)" "$LAB_VMM_UID" "the user of the lease"
asked=$(grep '^asked ' "$CASE_DIR/granted-agent")
assert_match "$asked" "hand $LAB_NIC \(.+\) with IOMMU group $(group_of "$LAB_NIC") to user $LAB_VMM_UID\$"
let_go "$CLIENT"
assert_ended "$lease"

# An answer is for one request: the same user, at once, has to ask again; nobody is there to answer
assert_refused "(AuthorizationRequired)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"

# He can't authenticate, or does not want to
for mode in no dismiss; do
        ask_agent "$mode" "$mode"
        assert_says "$mode" "$CLIENT" 'iommuctl: cannot acquire'
        assert_no_match "$(cat "$CASE_DIR/$mode-agent")" 'not noted'
        assert no_lease
        assert_bindings "$BEFORE"
done
assert grep -q '(Denied)' "$CASE_DIR/no"
assert grep -q 'was dismissed (Denied)' "$CASE_DIR/dismiss"

# Nobody is asked who must not be
start_waiting quiet "$LAB_VMM_UID" iommuctl acquire --no-ask-password "$LAB_NIC"
client=$PID
start_agent quiet-agent yes "$client"
say quiet go
assert_says quiet "$client" '\(AuthorizationRequired\)'
assert_eq "$(cat "$CASE_DIR/quiet-agent")" registered "what the agent has heard"

# He takes his time: everybody else is served meanwhile, also with the same device, and his yes comes too late
ask_agent slow later
hold other "$LAB_VMM2_UID" "$LAB_EDU"
let_go "$PID"
assert_ended "$LEASE"
assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC"
assert iommuctl list >/dev/null
assert_eq "$(wc -c <"$CASE_DIR/slow")" 0 "what the client has been told"

# The client goes: the question is taken back, and what he would say to it counts no more
kill -KILL "$CLIENT"
assert_says slow-agent "$AGENT" '^cancelled$'
assert no_lease
journalctl --sync
assert_ne "$(entries | jq -r .MESSAGE | grep "has gone before polkit could answer")" "" "what the journal says of it"

# iommud goes: the same, and the client is told
ask_agent restart later
systemctl restart iommud.service
assert_says restart-agent "$AGENT" '^cancelled$'
assert_says restart "$CLIENT" 'iommuctl: cannot acquire'
assert no_lease

# polkit goes: so does the question
ask_agent dies later
kill -KILL "$(systemctl show --property=MainPID --value polkit.service)"
assert_says dies "$CLIENT" '\(Denied\)'
assert no_lease

# The policy changes while he thinks: his yes comes to the new one
ask_agent changed later
use_policy "$(rule deny "$LAB_VMM_UID" "$LAB_NIC")"
say changed-agent yes
assert_says changed "$CLIENT" 'iommuctl: cannot acquire'
assert_no_match "$(cat "$CASE_DIR/changed-agent")" 'not noted'
assert_says changed "$CLIENT" 'denies it \(Denied\)'
assert no_lease

# The device goes while he thinks, and another one of the same kind comes to its place: he is asked again
use_policy "$(rule ask "$LAB_VMM_UID" "$LAB_SLOT")"
assert plug first edu
assert_soon 20 is_listed "$LAB_SLOT"
start_waiting replaced "$LAB_VMM_UID" iommuctl acquire "$LAB_SLOT"
client=$PID
start_agent replaced-agent later "$client"
agent=$PID
say replaced go
assert_says replaced-agent "$agent" "^asked .* $LAB_SLOT "
assert unplug first
assert_soon 20 is_not_listed "$LAB_SLOT"
assert plug second edu
assert_soon 20 is_listed "$LAB_SLOT"
say replaced-agent yes
asked_twice() {
        [[ "$(grep -c '^asked ' "$CASE_DIR/replaced-agent")" == 2 ]]
}
assert_soon 30 asked_twice
assert no_lease
say replaced-agent yes
assert_says replaced "$client" '^[0-9]+$'
LEASE=$(cat "$CASE_DIR/replaced")
let_go "$client"
assert_ended "$LEASE"
assert unplug second
assert_untouched
