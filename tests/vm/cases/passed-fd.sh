# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
# expect: daemon-death
#
# A client gives a descriptor to a process of another user, which no policy allows anything, and is killed. Of the device: it stays
# where it is until that process is done with it, who is named. Of the lifeline: the lease is that process's now.

. guest/iommud.sh

use_policy "$(rule allow "$LAB_VMM_UID" "$LAB_NIC")" "$(rule allow "$LAB_VMM2_UID" any)"

# pass ROLE: a lease of the card, of which a stranger has that descriptor and nobody else has any. The stranger is $KEEPER.
pass() {
        start "keeper-$1" "$LAB_STRANGER_UID" programs/give-fd from "lab-$1"
        KEEPER=$PID
        assert_says "keeper-$1" "$KEEPER" '^listening$'
        start "giver-$1" "$LAB_VMM_UID" iommuctl run -d "$LAB_NIC" -- "$PWD/programs/give-fd" to "lab-$1" "{$1}"
        assert_says "giver-$1" "$PID" '^sent$'
        assert_says "keeper-$1" "$KEEPER" '^received$'
        LEASE=$(lease_of "$LAB_NIC")
        kill -KILL "$PID"
        wait "$PID" || true
}

pass device:0
assert_soon 10 lease_is "$LEASE" draining
assert_soon 10 lease_says "$LEASE" "$LAB_NIC is still open in give-fd \\(pid $KEEPER\\)"
assert_eq "$(lease_field "$LEASE" 'holders[].pid')" "$KEEPER" "who has it"
for uid in 0 "$LAB_VMM_UID" "$LAB_VMM2_UID"; do
        assert_refused "(Draining)" as_user "$uid" iommuctl acquire "$LAB_NIC"
done
# That it is over is not forgotten, nor whom it waits for
kill_daemon
assert_soon 10 lease_is "$LEASE" draining
assert_soon 10 lease_says "$LEASE" "give-fd \\(pid $KEEPER\\)"
assert_driver "$LAB_NIC" vfio-pci
say keeper-device:0 enough
assert_ended "$LEASE"
assert_driver "$LAB_NIC" e1000e

pass lifeline
hold turn "$LAB_VMM2_UID" "$LAB_EDU"         # time enough for the daemon to make a mistake in
let_go "$PID"
assert_ended "$LEASE"
LEASE=$(lease_of "$LAB_NIC")
assert lease_is "$LEASE" active
kill_daemon
assert lease_is "$LEASE" active
say keeper-lifeline enough
assert_ended "$LEASE"
assert_driver "$LAB_NIC" e1000e
assert_no_entry "$MESSAGE_STUCK"
assert_untouched
