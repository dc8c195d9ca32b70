# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 90
#
# What is asked of a holder: by the policy, before it ends the lease; and by root, over a restart.

. guest/iommud.sh

use_policy "{ \"uid\": $LAB_VMM_UID, \"devices\": \"any\", \"max_lease_seconds\": 12, \"verdict\": \"allow\" }"
start timed "$LAB_VMM_UID" iommuctl run --supervise -d "$LAB_NIC" -- sh -c 'echo started; exec sleep infinity'
timed=$PID
assert_says timed "$timed" 'the devices are asked for: its time is over'
r=0
wait "$timed" || r=$?
assert_eq "$r" 143 "the status of a command whose time is over"
assert_driver "$LAB_NIC" e1000e

allow "$LAB_VMM_UID" "$LAB_NIC"
start deaf "$LAB_VMM_UID" iommuctl run --supervise -d "$LAB_NIC" -- \
        sh -c 'trap "" TERM; echo started; while :; do sleep 1; done'
assert_says deaf "$PID" '^started$'
deaf=$PID
LEASE=$(lease_of "$LAB_NIC")
assert_fails iommuctl release --request --reason="firmware update" --timeout=1 "$LEASE"
assert systemctl restart iommud.service
assert lease_is "$LEASE" active
assert lease_says "$LEASE" "wanted back: firmware update"
# The first time may not have been heard
asked_again() {
        [[ "$(grep -c "the devices are asked for: firmware update" "$CASE_DIR/deaf")" == 2 ]]
}
assert_soon 20 asked_again
pkill -KILL -U "$LAB_VMM_UID"
assert_ended "$LEASE"
wait "$deaf" || true
assert_untouched
