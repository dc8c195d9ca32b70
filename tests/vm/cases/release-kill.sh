# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 150
#
# Root has whoever has a device open ended: with the unit, where there is one of its own, else the process alone.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_NIC" "$LAB_NIC2"

# Whoever is in there is no process of this case, which somebody else would end
stop_units() {
        systemctl stop lab-vm.service 2>/dev/null || true
        echo 1 >"$BARE/cgroup.kill"
        wait_until 10 rmdir "$BARE" 2>/dev/null
}
# A control group that is no unit's: the service manager knows nothing of who is in there
BARE=/sys/fs/cgroup/lab-bare
mkdir "$BARE"
defer stop_units

is_leased() {
        [[ "$(lease_of "$1")" != null ]]
}

unit_is_over() {
        [[ "$(systemctl show --property=ActiveState --value "$1")" != active ]]
}

# in_bare NAME COMMAND...: in the background, in that control group
in_bare() {
        # shellcheck disable=SC2016 # the inner shell expands it
        start "$1" 0 bash -c 'echo $$ >'"$BARE"'/cgroup.procs; exec "$@"' bash "${@:2}"
}

# A holder with a unit of its own, whose lease is active: the unit is stopped, and the lease goes
systemd-run --quiet --collect --unit=lab-vm --service-type=exec --uid="$LAB_VMM_UID" \
        iommuctl run -d "$LAB_NIC" -- sh -c 'sleep infinity {lifeline}>&- & exec sleep infinity'
assert_soon 20 is_leased "$LAB_NIC"
LEASE=$(lease_of "$LAB_NIC")
assert_soon 20 lease_is "$LEASE" active
for uid in "$LAB_VMM_UID" "$LAB_STRANGER_UID"; do
        assert_refused "(Denied)" as_user "$uid" iommuctl release --kill "$LEASE"
done
assert lease_is "$LEASE" active
assert_no_entry "$MESSAGE_KILL"
assert_eq "$(iommuctl release --kill "$LEASE")" "Lease $LEASE is gone."
assert_soon 20 unit_is_over lab-vm.service
assert_driver "$LAB_NIC" e1000e
assert_entry "$MESSAGE_KILL" IOMMUD_LEASE="$LEASE" IOMMUD_DEVICE="$LAB_NIC"
assert_match "$(entries MESSAGE_ID="$MESSAGE_KILL" | jq -r .MESSAGE)" "the unit lab-vm.service is ended"
assert systemctl is-active --quiet iommud.service

# A bare process of another user, in a pid and a mount namespace of its own, which ignores every signal that it can
in_bare bare iommuctl run -d "$LAB_NIC" -- bash -c \
        'exec unshare --mount --pid --fork --mount-proc \
         setpriv --reuid='"$LAB_VMM_UID"' --regid='"$LAB_VMM_UID"' --clear-groups \
         bash -c "trap \"\" TERM INT HUP; echo started; while :; do sleep 1; done" {lifeline}>&- {iommufd}>&-'
assert_says bare "$PID" '^started$'
bare=$PID
assert_soon 20 is_leased "$LAB_NIC"
LEASE=$(lease_of "$LAB_NIC")
assert_soon 20 lease_is "$LEASE" draining
assert_eq "$(iommuctl release --kill "$LEASE")" "Lease $LEASE is gone."
wait "$bare" || true
assert_match "$(entries MESSAGE_ID="$MESSAGE_KILL" | jq -r .MESSAGE)" "the process (bash|sleep) is ended.*$LAB_NIC"
assert_driver "$LAB_NIC" e1000e

# A process that was sent the descriptor by one that has ended since; another device's holder beside it lives on
in_bare other iommuctl run -d "$LAB_NIC2" -- sh -c 'echo started; exec sleep infinity'
assert_says other "$PID" '^started$'
other=$PID
other_lease=$(lease_of "$LAB_NIC2")
in_bare passed iommuctl run -d "$LAB_NIC" -- "$PWD/programs/pass-fd" '{device:0}'
assert_says passed "$PID" '^received [0-9]+$'
wait "$PID" || true
receiver=$(sed -n 's/^received //p' "$CASE_DIR/passed")
assert is_running "$receiver"
LEASE=$(lease_of "$LAB_NIC")
assert_soon 20 lease_is "$LEASE" draining
assert_eq "$(iommuctl release --kill "$LEASE")" "Lease $LEASE is gone."
assert_soon 10 is_over "$receiver"
assert_match "$(entries MESSAGE_ID="$MESSAGE_KILL" | jq -r .MESSAGE)" "the process pass-fd is ended, .*pid $receiver\)"
assert is_running "$other"
assert lease_is "$other_lease" active

# The numbers of all of it are in the journal, and nobody was ended twice
assert_eq "$(entries MESSAGE_ID="$MESSAGE_KILL" | jq -r .MESSAGE | sort | uniq -d)" "" "what was said twice"

kill -KILL "$other"
assert_ended "$other_lease"
assert_untouched
