# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize
# deadline: 120
#
# A lease lives as long as its lifeline, whoever has it; a device is given back when nobody has it any more, whoever that is.

. guest/iommud.sh

use_policy "$(rule allow "$LAB_VMM_UID" "$LAB_NVME" "$LAB_EDU" "$LAB_NIC")" "$(rule allow "$LAB_VMM2_UID" any)"

# The device outlives the lifeline, in a process that was given it
start giver "$LAB_VMM_UID" iommuctl run -d "$LAB_NVME" -- \
        bash -c 'sleep infinity {lifeline}>&- {iommufd}>&- & echo keeper $!; wait'
assert_says giver "$PID" '^keeper [0-9]+$'
keeper=$(sed -n 's/^keeper //p' "$CASE_DIR/giver")
LEASE=$(lease_of "$LAB_NVME")
assert lease_is "$LEASE" active
kill -KILL "$PID"
wait "$PID" || true

assert_soon 10 lease_is "$LEASE" draining
assert_soon 10 lease_says "$LEASE" "$LAB_NVME is still open in sleep \\(pid $keeper\\)"
assert is_running "$keeper"
assert_refused "(Draining)" as_user "$LAB_VMM2_UID" iommuctl acquire "$LAB_NVME"
assert_match "$OUTPUT" "sleep \\(pid $keeper\\)"
assert_refused "(Draining)" iommuctl acquire "$LAB_NVME"
assert_eq "$(driver_of "$LAB_NVME")" vfio-pci "the driver while it drains"
# Nothing else waits for it
hold meanwhile "$LAB_VMM2_UID" "$LAB_EDU"
let_go "$PID"
assert_ended "$LEASE"

LEASE=$(lease_of "$LAB_NVME")
kill -KILL "$keeper"
assert_ended "$LEASE"
assert_driver "$LAB_NVME" nvme
assert_soon 20 disk_is_back

# The holder is another process than the caller, which is gone
start caller "$LAB_VMM_UID" iommuctl run -d "$LAB_NVME" -- bash -c 'sleep infinity & echo holder $!'
assert_says caller "$PID" '^holder [0-9]+$'
assert_soon 10 is_over "$PID"
holder=$(sed -n 's/^holder //p' "$CASE_DIR/caller")
LEASE=$(lease_of "$LAB_NVME")
hold turn "$LAB_VMM2_UID" "$LAB_EDU"         # time enough for the daemon to make a mistake in
let_go "$PID"
assert_ended "$LEASE"
LEASE=$(lease_of "$LAB_NVME")
assert lease_is "$LEASE" active
assert_eq "$(lease_field "$LEASE" state_reason)" ""
kill -KILL "$holder"
assert_ended "$LEASE"

# A holder that is named by a pidfd instead
start named "$LAB_VMM_UID" sleep infinity
named=$PID
LEASE=$(as_user "$LAB_VMM_UID" programs/acquire-for "$named" "$LAB_NIC")
assert lease_is "$LEASE" active
assert_driver "$LAB_NIC" vfio-pci
hold turn2 "$LAB_VMM2_UID" "$LAB_EDU"
let_go "$PID"
assert_ended "$LEASE"
LEASE=$(lease_of "$LAB_NIC")
assert lease_is "$LEASE" active
kill -KILL "$named"
assert_ended "$LEASE"
assert_driver "$LAB_NIC" e1000e
assert_entry "$MESSAGE_RELEASE" IOMMUD_LEASE="$LEASE" IOMMUD_DEVICE="$LAB_NIC"

# Nobody has a descriptor any more, but somebody has its registers mapped
assert clear_quarantine
start mapper "$LAB_VMM_UID" iommuctl run -d "$LAB_EDU" -- \
        bash -c 'exec programs/edu-dma unbound {iommufd} {device:0} {lifeline}>&-'
assert_says mapper "$PID" '^ready$'
LEASE=$(lease_of "$LAB_EDU")
assert_soon 10 lease_is "$LEASE" draining
say mapper dma
assert_says mapper "$PID" '^dma ok$'
say mapper map
assert_says mapper "$PID" '^mapped$'
assert_soon 15 lease_says "$LEASE" "$LAB_EDU is still open in edu-dma \\(pid $PID\\)"
assert lease_is "$LEASE" draining
say mapper exit
assert_ended "$LEASE"

assert_no_entry "$MESSAGE_STUCK"
assert_untouched
