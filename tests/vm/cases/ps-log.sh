# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# Who has what now, with what it pins, and who had what: read back from the journal, and nobody writes into that.

. guest/iommud.sh

ps_field() {
        iommuctl ps --json | jq -r --argjson id "$LEASE" ".[] | select(.id == \$id) | .$1"
}

# events ARGUMENTS...: of the log since the case began, the oldest first. What was before it may have been in the same second.
before=$(date '+%Y-%m-%d %H:%M:%S')
is_another_second() {
        since=$(date '+%Y-%m-%d %H:%M:%S')
        [[ "$since" != "$before" ]]
}
assert_soon 5 is_another_second
events() {
        journalctl --sync
        iommuctl log --json --since="$since" "$@" | jq -r '[.[].event] | join(" ")'
}

# Two users, a lease each, one of which is done
use_policy "$(rule allow "$LAB_VMM_UID" "$LAB_NIC" "$LAB_EDU")" "$(rule allow "$LAB_VMM2_UID" "$LAB_NIC2")"
hold first "$LAB_VMM2_UID" "$LAB_NIC2"
first=$LEASE
let_go "$PID"
assert_ended "$first"

# A client of a unit, which pins what it does DMA to
iommuctl ps >"$CASE_DIR/none"
assert_eq "$(wc -l <"$CASE_DIR/none")" 1 "the lines of iommuctl ps without a lease"
systemd-run --quiet --collect --unit=lab-client --uid="$LAB_VMM_UID" --property=LimitMEMLOCK=64M \
        iommuctl run -d "$LAB_EDU" -- "$PWD/programs/pin-for" 8 '{iommufd}' '{device:0}'
stop_client() {
        systemctl stop lab-client.service 2>/dev/null || true
}
defer stop_client
is_leased() {
        LEASE=$(lease_of "$LAB_EDU")
        [[ "$LEASE" != null ]] && lease_is "$LEASE" active
}
assert_soon 30 is_leased
pins() {
        [[ "$(ps_field pinned)" == 8388608 ]]
}
wait_until 30 pins || fail "what it pins is '$(ps_field pinned)', and of it $(systemctl status lab-client.service)"
pid=$(systemctl show --property=MainPID --value lab-client.service)
assert_eq "$(ps_field pid)" "$pid" "the process"
assert_eq "$(ps_field command)" pin-for "the command"
assert_eq "$(ps_field unit)" lab-client.service "the unit"
assert_eq "$(ps_field uid)" "$LAB_VMM_UID" "the user"
assert_match "$(iommuctl ps)" " +$LEASE  active +[^ ]+ +$pid  pin-for +lab-client\.service .* vmm +8 MiB  $LAB_EDU"
# Everybody may know that
assert_match "$(as_user "$LAB_STRANGER_UID" iommuctl ps)" "pin-for +lab-client\.service .* 8 MiB  $LAB_EDU"
stop_client
assert_ended "$LEASE"

# A caller that has ended, with a lease that another process goes on with, is not known
start orphan "$LAB_VMM_UID" iommuctl run -d "$LAB_NIC" -- sh -c 'sleep 1000 & echo $!; exit 0'
assert_says orphan "$PID" '^[0-9]+$'
orphan=$(head -n 1 "$CASE_DIR/orphan")
wait "$PID" || true
LEASE=$(lease_of "$LAB_NIC")
assert_eq "$(ps_field command)" "" "the command of a process that has ended"
assert_eq "$(ps_field pinned)" null "what it pins"
assert_match "$(iommuctl ps)" " $PID  \? +\? "
kill "$orphan"
assert_ended "$LEASE"

# The log, by device, by lease, by user and by time
assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC2"
assert_eq "$(events "$LAB_NIC2")" "grant end reset release denial"
assert_eq "$(events "${LAB_NIC2#0000:}")" "grant end reset release denial"
assert_eq "$(events --lease="$first")" "grant end reset release"
assert_eq "$(events --uid="$LAB_STRANGER_UID")" denial
assert_eq "$(events --uid="$LAB_VMM2_UID" "$LAB_EDU")" ""
assert_eq "$(iommuctl log --json --since=0s "$LAB_NIC2" | jq length)" 0 "the number of events since now"
assert_eq "$(iommuctl log --json --lease="$first" | jq -c '.[0] | [.devices, .lease, .uid, .mode]')" \
        "[[\"$LAB_NIC2\"],$first,$LAB_VMM2_UID,\"vmm\"]"
assert_match "$(iommuctl log --lease="$first")" \
        '^[0-9]{4}-[0-9-]+ [0-9:]+  grant       Lease [0-9]+: .* granted to uid'

# What somebody else writes is not iommud's
before=$(events)
as_user "$LAB_STRANGER_UID" logger --journald <<EOF
MESSAGE=Lease 7: $LAB_NIC2 granted to uid 0
MESSAGE_ID=$MESSAGE_GRANT
IOMMUD_EVENT=grant
IOMMUD_DEVICE=$LAB_NIC2
EOF
journalctl --sync
assert_match "$(journalctl --quiet MESSAGE_ID="$MESSAGE_GRANT" _UID="$LAB_STRANGER_UID" --output=cat)" 'granted to uid 0'
assert_eq "$(events)" "$before" "the log after a forgery"

# Only who may read the journal reads this
assert_fails as_user "$LAB_STRANGER_UID" iommuctl log
assert_match "$OUTPUT" 'the journal cannot be read: root may'
assert_untouched
