# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize
# deadline: 180
#
# Whatever a client without rights sends, it is told what is wrong with it, and the daemon goes on.

. guest/iommud.sh

pid=$(daemon_pid)
hold victim 0 "$LAB_EDU"

as_user "$LAB_STRANGER_UID" programs/malformed "$LEASE" | tee "$CASE_DIR/calls"
assert lease_is "$LEASE" active
assert_eq "$(daemon_pid)" "$pid" "the process of the daemon"

# The log is not the client's to fill with lines of its own making
assert_eq "$(entries | jq -r '.MESSAGE | select(type != "string")')" "" "entries that are no text"

let_go "$PID"
assert_ended "$LEASE"
assert_untouched
