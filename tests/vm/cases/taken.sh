# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize
#
# What one has, nobody else gets, not even the same user, until it is given back.

. guest/iommud.sh

use_policy "$(rule allow "$LAB_VMM_UID" "$LAB_NVME")" "$(rule allow "$LAB_VMM2_UID" "$LAB_NVME")"
hold first "$LAB_VMM_UID" "$LAB_NVME"
first=$LEASE first_pid=$PID

for uid in "$LAB_VMM_UID" "$LAB_VMM2_UID" 0; do
        assert_refused "(Taken)" as_user "$uid" iommuctl acquire "$LAB_NVME"
        assert_match "$OUTPUT" "lease $first of uid $LAB_VMM_UID"
        assert_refused "(Taken)" as_user "$uid" iommuctl acquire "group:$(group_of "$LAB_NVME")"
        assert_fails as_user "$uid" iommuctl plan "$LAB_NVME"
        assert_match "$OUTPUT" '\(Taken\)'
done
# Who may not have it is not told who has
assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NVME"
assert_entry "$MESSAGE_DENIAL" IOMMUD_UID="$LAB_VMM2_UID" IOMMUD_DEVICE="$LAB_NVME"
assert lease_is "$first" active
assert_driver "$LAB_NVME" vfio-pci

# Nobody but its user and root can end it
assert_refused "(Denied)" as_user "$LAB_VMM2_UID" iommuctl release "$first"
assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl release "$first"
assert lease_is "$first" active

let_go "$first_pid"
assert_ended "$first"
hold second "$LAB_VMM2_UID" "$LAB_NVME"
assert_ne "$LEASE" "$first" "the second lease"

# Its user ends it by hand, while the holder still has the descriptors
assert as_user "$LAB_VMM2_UID" iommuctl release --no-wait "$LEASE"
assert lease_says "$LEASE" "open in iommuctl \(pid $PID\)|^$"
let_go "$PID"
assert_ended "$LEASE"

# And root can
hold third "$LAB_VMM_UID" "$LAB_NVME"
third_pid=$PID
assert iommuctl release --no-wait "$LAB_NVME"
let_go "$third_pid"
assert_ended "$LEASE"
assert_untouched
