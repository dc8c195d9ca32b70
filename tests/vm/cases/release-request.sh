# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize
# deadline: 150
#
# Somebody would like to have a device back: its holder is asked, and nobody else hears of it.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_NIC" "$LAB_NIC2"

# What a stranger hears on the bus meanwhile
start ear "$LAB_STRANGER_UID" stdbuf -oL dbus-monitor --system "sender='org.iommud1'"
ear=$PID

# A command that is supervised ends, and with it the lease
start vmm "$LAB_VMM_UID" iommuctl run --supervise -d "$LAB_NIC" -- sh -c 'echo started; exec sleep infinity'
assert_says vmm "$PID" '^started$'
vmm=$PID
LEASE=$(lease_of "$LAB_NIC")
assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl release --request "$LEASE"
assert_refused "(Denied)" as_user "$LAB_VMM2_UID" iommuctl release --request "$LEASE"
assert lease_is "$LEASE" active
assert_eq "$(iommuctl release --request --deadline=60 --reason="firmware update" "$LEASE")" "Lease $LEASE is gone."
assert_says vmm "$vmm" 'the devices are asked for: firmware update'
r=0
wait "$vmm" || r=$?
assert_eq "$r" 143 "the status of a command that was ended by SIGTERM"
assert_entry "$MESSAGE_REQUEST" IOMMUD_LEASE="$LEASE" IOMMUD_UID="$LAB_VMM_UID"
assert_driver "$LAB_NIC" e1000e

# The one who acquired it may ask too, and a daemon that was started anew knows whom
start again "$LAB_VMM_UID" iommuctl run --supervise -d "$LAB_NIC" -- sh -c 'echo started; exec sleep infinity'
assert_says again "$PID" '^started$'
again=$PID
LEASE=$(lease_of "$LAB_NIC")
assert systemctl restart iommud.service
assert lease_is "$LEASE" active
assert_eq "$(as_user "$LAB_VMM_UID" iommuctl release --request "$LEASE")" "Lease $LEASE is gone."
assert_says again "$again" 'the devices are asked for: uid '"$LAB_VMM_UID"' asks for it'

# One who does not listen goes on, and whoever asks is told so after a while
start deaf "$LAB_VMM_UID" iommuctl run --supervise -d "$LAB_NIC" -- sh -c 'trap "" TERM; echo started; while :; do sleep 1; done'
assert_says deaf "$PID" '^started$'
deaf=$PID
LEASE=$(lease_of "$LAB_NIC")
assert_fails iommuctl release --request --timeout=2 "$LEASE"
assert_match "$OUTPUT" "nothing was taken away"
assert lease_is "$LEASE" active
assert iommuctl release --no-wait "$LEASE"
assert_soon 20 lease_is "$LEASE" draining
assert_refused "(Draining)" iommuctl release --request "$LEASE"
pkill -KILL -U "$LAB_VMM_UID"
assert_ended "$LEASE"
wait "$deaf" || true

# One who has left the bus can't be asked, and that is said
start silent "$LAB_VMM_UID" iommuctl run -d "$LAB_NIC2" -- sh -c 'echo started; exec sleep infinity'
assert_says silent "$PID" '^started$'
silent=$PID
LEASE=$(lease_of "$LAB_NIC2")
assert_refused "(NotSupported)" iommuctl release --request "$LEASE"
assert_match "$OUTPUT" "has left the bus"
assert lease_is "$LEASE" active
kill -KILL "$silent"
assert_ended "$LEASE"

# The leases were announced to everybody; what was said to their holders was not
kill -KILL "$ear"
assert_match "$(cat "$CASE_DIR/ear")" "member=PropertiesChanged"
assert_no_match "$(cat "$CASE_DIR/ear")" "ReleaseRequested"
assert_untouched
