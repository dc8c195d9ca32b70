# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Devices come and go while the machine runs: what the cases about hotplug are built on.

assert_eq "$(qmp '{"execute": "query-status"}' | jq -r .status)" running
assert_fails qmp '{"execute": "no-such-command"}'

assert plug newcomer edu
assert_ne "$(group_of "$LAB_SLOT")" "" "the group of the new device"
assert unplug newcomer
assert_fails has_device "$LAB_SLOT"

# The place can be used again
assert plug newcomer e1000e '"romfile": ""'
assert_driver "$LAB_SLOT" e1000e
assert unplug newcomer
