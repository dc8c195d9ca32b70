# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# A device appears in a group that is with a client: the holder and the administrator are told, and nobody's driver and the
# client have the group at once.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_SHARED_A" "$LAB_SHARED_B"
group=$(group_of "$LAB_SHARED_A")

bring_back() {
        echo 1 >/sys/bus/pci/rescan
        wait_until 20 has_device "$LAB_SHARED_B"
        bind_native "$LAB_SHARED_B"
}
defer bring_back

start vmm "$LAB_VMM_UID" iommuctl run --supervise -d "$LAB_SHARED_A" -- sh -c 'echo started; exec sleep infinity'
assert_says vmm "$PID" '^started$'
vmm=$PID
LEASE=$(lease_of "$LAB_SHARED_A")
assert_eq "$(lease_of "$LAB_SHARED_B")" "$LEASE" "the lease of the sibling"

# The sibling goes, which is no business of the holder's, and comes back as a device that nobody has had
echo 1 >"/sys/bus/pci/devices/$LAB_SHARED_B/remove"
assert_fails has_device "$LAB_SHARED_B"
assert lease_is "$LEASE" active
echo 1 >/sys/bus/pci/rescan
assert_soon 20 has_device "$LAB_SHARED_B"
assert_eq "$(group_of "$LAB_SHARED_B")" "$group" "the group that it is in again"
assert_says vmm "$vmm" "$LAB_SHARED_B has appeared in the group"
assert_no_match "$(cat "$CASE_DIR/vmm")" "unplugged"
assert_entry "$MESSAGE_GROWTH" IOMMUD_LEASE="$LEASE" IOMMUD_DEVICE="$LAB_SHARED_B" IOMMUD_GROUP="$group"
assert lease_is "$LEASE" active

# It is nobody else's, whoever asks
assert_refused "(Taken)" iommuctl acquire "$LAB_SHARED_B"

# The kernel lets a driver have it only as long as the client has not begun; the lease ends when that driver is gone
unbind "$LAB_SHARED_B"
assert_eq "$(iommuctl release --request "$LEASE")" "Lease $LEASE is gone."
assert_driver "$LAB_SHARED_A" e1000
assert bind_native "$LAB_SHARED_B"
assert_untouched
