# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm-faults
# deadline: 600
# expect: daemon-death
#
# As kill-points, for claims: a group is parked for good, lent to a client, parked again, and given back. At each point of that in turn
# the daemon is killed, or the change fails: the group is parked, or failed with the reason, or the kernel's as before, and what there
# is of the claim ends on root's word. That the host's own drivers come back is what kill-points is about.

. guest/faults.sh

without_udev
stand_in "$LAB_NIC" "$LAB_SHARED_A" "$LAB_SHARED_B"
defer drop_claims
everywhere kill "$LAB_NIC" claim
everywhere fail "$LAB_NIC" claim
everywhere fail "$LAB_SHARED_A" claim
assert_untouched
assert no_claim_records
conclude "${TRIED[kill]} kill points of claims tried, ${TRIED[fail]} calls made to fail, ${TRIED[stuck]} stuck until released," \
        "nothing lost"
