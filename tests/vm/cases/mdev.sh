# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# A mediated device, of the kernel's own sample: its driver is a VFIO driver from its birth, it has no IOMMU of its own, and
# takes no DMA from anybody.

. guest/iommud.sh

MTTY=83b8f4f2-509f-382f-3c1e-e6bfe0fa1001

field() {
        iommuctl show --json "$MTTY" | jq -r ".[0].$1"
}
is_known() {
        [[ "$(iommuctl list --json | jq -r --arg name "$MTTY" '.[] | select(.name == $name) | .subsystem')" == mdev ]]
}
is_unknown() {
        ! is_known
}
unload_mtty() {
        if [[ -e "/sys/bus/mdev/devices/$MTTY" ]]; then
                echo 1 >"/sys/bus/mdev/devices/$MTTY/remove"
        fi
        rmmod mtty mdev
}

modprobe mtty || skip "the kernel has no sample of a mediated device"
defer unload_mtty
echo "$MTTY" >/sys/devices/virtual/mtty/mtty/mdev_supported_types/mtty-2/create
assert_soon 10 is_known
driver=$(driver_of "$MTTY")
allow "$LAB_VMM_UID" "$MTTY"

assert_eq "$(field device.driver)" "$driver"
assert_eq "$(field device.iommu)" ""
assert_eq "$(field device.cdev)" "$(cdev_of "$MTTY")"
assert_eq "$(field group.id)" "$(group_of "$MTTY")"
assert_eq "$(field group.dma_owner)" none
assert_eq "$(field 'group.reserved_regions | length')" 0

# Nothing has to be rebound
assert_eq "$(as_user "$LAB_VMM_UID" iommuctl plan --json "$MTTY" | jq -c '[.steps[] | .action]')" '["open"]'
assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl acquire "$MTTY"

hold mtty "$LAB_VMM_UID" "$MTTY"
assert_eq "$(driver_of "$MTTY")" "$driver"
assert_refused "(Taken)" iommuctl acquire "$MTTY"
let_go "$PID"
assert_ended "$LEASE"
assert_eq "$(driver_of "$MTTY")" "$driver"

# Unbinding it, to be sure that nobody has it, would be its end: so it is for its last user, and root, until somebody says
# otherwise
use_policy "$(rule allow "$LAB_VMM_UID" "$MTTY")" "$(rule allow "$LAB_VMM2_UID" "$MTTY")"
assert_refused "(Quarantined)" as_user "$LAB_VMM2_UID" iommuctl acquire "$MTTY"
assert_match "$OUTPUT" "can't be unbound"

# It is bound while it is used, and its last close is waited for
start client "$LAB_VMM_UID" iommuctl run -d "$MTTY" -- "$PWD/programs/vfio-client" unbound '{iommufd}' '{device:0}'
assert_says client "$PID" "^ready [1-9]"
kill "$PID"
wait "$PID" || true
wait_until 30 no_lease || fail "the lease does not end"
assert clear_quarantine
as_user "$LAB_VMM2_UID" iommuctl plan "$MTTY" >/dev/null

# ---- it goes while somebody has it

has_no_cdev() {
        [[ -z "$(cdev_of "$MTTY")" ]]
}
hold gone "$LAB_VMM_UID" "$MTTY"
echo 1 >"/sys/bus/mdev/devices/$MTTY/remove" &
remove=$!
assert_soon 20 has_no_cdev
let_go "$PID"
wait "$remove"
assert_soon 10 is_unknown
assert_ended "$LEASE"
assert clear_quarantine
assert_untouched
