# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 180
# expect: daemon-death
#
# What a new daemon makes of what was asked before it: a holder whose device is leaving is asked again, and who has a device open of
# which root has said that its holders are to be ended is ended.

. guest/iommud.sh

allow "$LAB_VMM_UID" any

is_going() {
        [[ ! -e "/sys/bus/pci/devices/$LAB_SLOT/driver" ]]
}

# A control group that is no unit's, and no part of this case's, with which it would be ended
BARE=/sys/fs/cgroup/lab-bare
empty_bare() {
        echo 1 >"$BARE/cgroup.kill"
        wait_until 10 rmdir "$BARE" 2>/dev/null
}
mkdir "$BARE"
defer empty_bare

# in_bare NAME COMMAND...: in the background, in that control group
in_bare() {
        # shellcheck disable=SC2016 # the inner shell expands it
        start "$1" 0 bash -c 'echo $$ >'"$BARE"'/cgroup.procs; exec "$@"' bash "${@:2}"
}

# Its holder is asked for it, by each daemon that finds it going: the first request may not have been heard
assert plug asked edu
assert_soon 20 is_listed "$LAB_SLOT"
# shellcheck disable=SC2016 # the inner shell expands it
start twice "$LAB_VMM_UID" iommuctl run --supervise -d "$LAB_SLOT" -- \
        bash -c 'n=0; trap "echo asked; n=\$((n + 1))" TERM; echo started; while ((n < 2)); do sleep 0.2; done'
twice=$PID
assert_says twice "$twice" '^started$'
lease=$(lease_of "$LAB_SLOT")
request_unplug asked
assert_says twice "$twice" '^asked$' 120
assert lease_is "$lease" active
kill_daemon
assert_ended "$lease" 60
wait "$twice"
assert_eq "$(grep -c "is being unplugged" "$CASE_DIR/twice")" 2 "how often the holder was asked"
assert_soon 30 is_unplugged asked
assert_soon 20 is_not_listed "$LAB_SLOT"

# Or by the one that is started when it is going already
assert plug later edu
assert_soon 20 is_listed "$LAB_SLOT"
start later "$LAB_VMM_UID" iommuctl run --supervise -d "$LAB_SLOT" -- sh -c 'echo started; exec sleep infinity'
later=$PID
assert_says later "$later" '^started$'
lease=$(lease_of "$LAB_SLOT")
assert systemctl stop iommud.service
request_unplug later
assert_soon 40 is_going
assert is_running "$later"
assert systemctl start iommud.service
assert_ended "$lease" 60
assert_eq "$(grep -c "is being unplugged" "$CASE_DIR/later")" 1 "how often the holder was asked"
wait "$later" || true
assert_soon 30 is_unplugged later
assert_soon 20 is_not_listed "$LAB_SLOT"

# One whom nobody can see when root says so, and whom another daemon finds, which knows what root has said
in_bare hidden iommuctl run --mode=attached -d "$LAB_NIC" -- "$PWD/programs/hide-fd" '{device:0}' '{iommufd}' '{lifeline}'
assert_says hidden "$PID" '^hidden$'
hidden=$PID
LEASE=$(lease_of "$LAB_NIC")
assert_soon 20 lease_says "$LEASE" "could not be found"
assert iommuctl release --kill --no-wait "$LEASE"
kill_daemon
assert_soon 20 lease_says "$LEASE" "could not be found"
assert is_running "$hidden"
say hidden take
assert_says hidden "$hidden" '^taken$'
assert_ended "$LEASE" 60
assert is_over "$hidden"
assert_match "$(entries MESSAGE_ID="$MESSAGE_KILL" _PID="$(daemon_pid)" | jq -r .MESSAGE)" "the process hide-fd is ended, .*pid $hidden\\)"
assert_driver "$LAB_NIC" e1000e
assert_untouched
