# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Root of another user namespace has the number 0 on the bus, and no more rights here than anybody.

. guest/iommud.sh

contained() {
        unshare --user --map-root-user -- "$@"
}
assert_eq "$(contained id -u)" 0 "the user in the namespace"
assert_eq "$(contained busctl --json=short call org.freedesktop.DBus / org.freedesktop.DBus \
        GetConnectionUnixUser s org.iommud1 | jq '.data[0]')" 0 "the user on the bus"

# root of the host is allowed what no rule is about
hold host 0 "$LAB_NIC2"
let_go "$PID"
assert_ended "$LEASE"

assert_refused "(Denied)" contained iommuctl acquire "$LAB_NIC2"
assert_entry "$MESSAGE_DENIAL" IOMMUD_UID=0 IOMMUD_DEVICE="$LAB_NIC2"
assert_fails contained iommuctl plan "$LAB_NIC2"
assert_match "$OUTPUT" '\(Denied\)'
assert_refused "(Denied)" contained iommuctl reload

# Not even a rule for number 0 is about it, and what is denied to 0 is denied to it
allow 0 any
assert_refused "(Denied)" contained iommuctl acquire "$LAB_NIC2"
use_policy "$(rule deny 0 "$LAB_NIC2")" "$(jq -n -c '{subject: "any", devices: "any", verdict: "allow"}')"
assert_refused "(Denied)" contained iommuctl acquire "$LAB_NIC2"

# What is for everybody is for it too; but its number opens no leases of the host's root
use_policy "$(jq -n -c '{subject: "any", devices: "any", verdict: "allow"}')"
hold host-again 0 "$LAB_NIC"
host=$PID host_lease=$LEASE
assert_refused "(Denied)" contained iommuctl release "$host_lease"
assert lease_is "$host_lease" active
start contained 0 unshare --user --map-root-user -- iommuctl acquire "$LAB_NIC2"
assert_says contained "$PID" '^[0-9]+$'
LEASE=$(head -n 1 "$CASE_DIR/contained")
assert_eq "$(lease_field "$LEASE" uid)" 0
let_go "$PID"
assert_ended "$LEASE"
let_go "$host"
assert_ended "$host_lease"
assert_untouched
