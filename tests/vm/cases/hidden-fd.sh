# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 240
# expect: kernel-warning daemon-death
#
# A descriptor that was never bound is on its way through a socket: the device can be bound, no process has it, and yet it
# must not be handed on. The unbind waits for it in the kernel, which nothing can end but the socket.

. guest/iommud.sh

use_policy "$(rule allow "$LAB_VMM_UID" "$LAB_NIC" "$LAB_NIC2")" "$(rule allow "$LAB_VMM2_UID" any)"

is_stuck_or_gone() {
        lease_is "$1" stuck || lease_is_gone "$1"
}

# hide NAME ADDRESS: the lease is over, the descriptor is in a socket
hide() {
        start "$1" "$LAB_VMM_UID" iommuctl run -d "$2" -- "$PWD/programs/hide-fd" '{device:0}' '{iommufd}' '{lifeline}'
        assert_says "$1" "$PID" '^hidden$'
        LEASE=$(lease_of "$2")
}

# assert_guarded ADDRESS LEASE: nobody gets it
assert_guarded() {
        local uid

        for uid in 0 "$LAB_VMM_UID" "$LAB_VMM2_UID"; do
                assert_refused "(Draining)" as_user "$uid" iommuctl acquire "$1"
        done
        assert_eq "$(lease_of "$1")" "$2" "the lease of $1"
}

hide hider "$LAB_NIC"
hider=$PID lease=$LEASE
assert_guarded "$LAB_NIC" "$lease"
assert_soon 60 is_stuck_or_gone "$lease"
assert lease_is "$lease" stuck
assert_match "$(lease_field "$lease" state_reason)" "$LAB_NIC.*has not returned after [0-9]+ s.*has it open"
assert_entry "$MESSAGE_STUCK" IOMMUD_LEASE="$lease" IOMMUD_DEVICE="$LAB_NIC"
assert_guarded "$LAB_NIC" "$lease"

# Everybody else is served meanwhile
hold meanwhile "$LAB_VMM2_UID" "$LAB_NVME"
assert_driver "$LAB_NVME" vfio-pci
let_go "$PID"
assert_ended "$LEASE"
assert_soon 20 disk_is_back

# Trying again on the administrator's word changes nothing, and hurts nobody
assert iommuctl release --no-wait "$lease"
assert_guarded "$LAB_NIC" "$lease"
assert lease_is "$lease" stuck

# The socket goes, and the rest follows by itself
kill -KILL "$hider"
assert_ended "$lease" 60
assert_driver "$LAB_NIC" e1000e
assert_bindings "$BEFORE"
hold after "$LAB_VMM_UID" "$LAB_NIC"
let_go "$PID"
assert_ended "$LEASE"

# The daemon can be ended while a child of it hangs, and the next one goes on with it
hide again "$LAB_NIC2"
hider=$PID lease=$LEASE
assert_soon 60 lease_is "$lease" stuck
kill_daemon
assert_guarded "$LAB_NIC2" "$lease"
hold beside "$LAB_VMM2_UID" "$LAB_NVME"
let_go "$PID"
assert_ended "$LEASE"
kill -KILL "$hider"
assert_ended "$lease" 90
assert_driver "$LAB_NIC2" e1000e
assert_untouched
