# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 150
#
# The adversary's matrix: what belongs to another client, by its name, by a guess, or by what was left of it. Each case is
# counted.

. guest/iommud.sh

CASES=0
use_policy "$(rule allow "$LAB_VMM_UID" "$LAB_NIC" "$LAB_EDU")" "$(rule allow "$LAB_VMM2_UID" "$LAB_NIC" "$LAB_EDU")"
hold victim "$LAB_VMM_UID" "$LAB_NIC"
victim=$LEASE victim_pid=$PID


# not_his WHY COMMAND...: refused for that reason (a regular expression), and the victim's lease is as it was
not_his() {
        assert_fails "${@:2}"
        assert_match "$OUTPUT" "$1"
        assert lease_is "$victim" active
        CASES=$((CASES + 1))
}

for uid in "$LAB_VMM2_UID" "$LAB_STRANGER_UID"; do
        his="belongs to uid $LAB_VMM_UID"
        if [[ "$uid" == "$LAB_VMM2_UID" ]]; then
                taken='\(Taken\)'
        else
                taken='\(Denied\)'
        fi
        not_his "$his" as_user "$uid" busctl call org.iommud1 "/org/iommud1/lease/$victim" org.iommud1.Lease Release 'a{sv}' 0
        not_his "$his" as_user "$uid" busctl call org.iommud1 "/org/iommud1/lease/$victim" org.iommud1.Lease Revoke 'a{sv}' 0
        not_his "$his" as_user "$uid" iommuctl release "$victim"
        not_his "$his" as_user "$uid" iommuctl release --kill "$victim"
        not_his "$his" as_user "$uid" iommuctl release "$LAB_NIC"
        not_his 'not writable' as_user "$uid" busctl set-property org.iommud1 "/org/iommud1/lease/$victim" \
                org.iommud1.Lease Uid u "$uid"
        not_his "$taken" as_user "$uid" iommuctl acquire "$LAB_NIC"
        not_his "$taken" as_user "$uid" iommuctl acquire "group:$(group_of "$LAB_NIC")"
        not_his 'Only root .*\(Denied\)' as_user "$uid" iommuctl quarantine clear "$LAB_NIC"
        not_his 'Only root .*\(Denied\)' as_user "$uid" iommuctl reload
        not_his 'Only root .*\(Denied\)' as_user "$uid" iommuctl claim "$LAB_EDU"
done
# Root of a user namespace has no leases of root's or of others
not_his "belongs to uid $LAB_VMM_UID" unshare --user --map-root-user -- iommuctl release "$victim"

# Numbers that somebody may guess; the one that is the victim's is not his either
for ((id = 0; id <= victim + 20; id++)); do
        not_his "belongs to uid $LAB_VMM_UID|Unknown object" as_user "$LAB_STRANGER_UID" busctl call org.iommud1 \
                "/org/iommud1/lease/$id" org.iommud1.Lease Release 'a{sv}' 0
done
let_go "$victim_pid"
assert_ended "$victim"

# The descriptors of a dead client: who still has them keeps nobody's place, and the device goes to nobody meanwhile
start giver "$LAB_VMM_UID" iommuctl run -d "$LAB_EDU" -- \
        bash -c 'sleep infinity {lifeline}>&- & echo keeper $!'
assert_says giver "$PID" '^keeper [0-9]+$'
keeper=$(sed -n 's/^keeper //p' "$CASE_DIR/giver")
lease=$(lease_of "$LAB_EDU")
assert_soon 20 lease_is "$lease" draining
for uid in "$LAB_VMM_UID" "$LAB_VMM2_UID" 0; do
        assert_refused "(Draining)" as_user "$uid" iommuctl acquire "$LAB_EDU"
        assert lease_is "$lease" draining
        CASES=$((CASES + 1))
done
assert_driver "$LAB_EDU" vfio-pci
kill -KILL "$keeper"
assert_ended "$lease"

# A lease's number comes never again: what was remembered of it is nobody's
hold next "$LAB_VMM2_UID" "$LAB_NIC"
assert_ne "$LEASE" "$victim" "the number of the next lease"
assert_refused "" as_user "$LAB_VMM_UID" busctl call org.iommud1 "/org/iommud1/lease/$victim" org.iommud1.Lease Release 'a{sv}' 0
assert lease_is "$LEASE" active
CASES=$((CASES + 1))
let_go "$PID"
assert_ended "$LEASE"

conclude "$CASES cases"
assert_untouched
