# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 240
#
# Devices that are not on PCI, and behind an IOMMU that is no Intel's: found, shown, refused, handed out, taken back.

. guest/iommud.sh
. guest/mock.sh

client=$PWD/programs/mock-dma
field() {
        iommuctl show --json "$1" | jq -r ".[0].$2"
}
is_known() {
        [[ "$(iommuctl list --json | jq -r --arg name "$1" '.[] | select(.name == $name) | .subsystem')" == iommud-mock ]]
}
is_unknown() {
        ! is_known "$1"
}

# The bus is as new to iommud as the devices on it
for device in $LAB_MOCKS; do
        assert_soon 10 is_known "$device"
done
BEFORE=$(bindings)
allow "$LAB_VMM_UID" "$LAB_MOCK" "$LAB_MOCK_SHARED_A" "$LAB_MOCK_SHARED_B" "$LAB_MOCK_POOR"

assert_eq "$(field "$LAB_MOCK" device.driver)" mock-native
assert_eq "$(field "$LAB_MOCK" device.iommu)" mock-iommu0
assert_eq "$(field "$LAB_MOCK" group.id)" "$(group_of "$LAB_MOCK")"
assert_eq "$(field "$LAB_MOCK" group.dma_owner)" kernel
assert_eq "$(field "$LAB_MOCK_SHARED_A" 'group.devices | join(" ")')" "$LAB_MOCK_SHARED_A $LAB_MOCK_SHARED_B"
assert_match "$(iommuctl show "$LAB_MOCK")" "Driver: mock-native"
assert_match "$(iommuctl list)" "$LAB_MOCK"

# ---- handed out

assert_eq "$(as_user "$LAB_VMM_UID" iommuctl plan --json "$LAB_MOCK" | jq -c '[.steps[] | [.action, .target]]')" \
        '[["rebind","vfio-mock"],["open",""]]'
assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl acquire "$LAB_MOCK"

start dma "$LAB_VMM_UID" iommuctl run -d "$LAB_MOCK" -- "$client" unbound '{iommufd}' '{device:0}'
assert_says dma "$PID" "^ready$"
LEASE=$(lease_of "$LAB_MOCK")
assert_driver "$LAB_MOCK" vfio-mock
assert_eq "$(override_of "$LAB_MOCK")" vfio-mock "the override"
assert_eq "$(field "$LAB_MOCK" device.original_driver)" mock-native
assert_done dma fill 0x1234 0x100000 0x1000
assert_answer same dma expect main 0x100000 0x1000 0x1234
assert_refused "(Taken)" iommuctl acquire "$LAB_MOCK"

# All that its IOMMU can is its holder's, who has no rights but his descriptors
ask dma domain a dirty pasid
ask dma domain b
assert_done dma attach a
mock_replace dma a b
assert_done dma attach a
assert_done dma track a on
assert_done dma fill 0x5678 0x102000 0x1000
assert_answer "dirty 0x102000" dma dirty a 0x100000 0x40000
ask dma domain p pasid
assert_done dma attach p 3
assert_done dma fill 0x9abc 0x100000 0x1000 3
assert_answer same dma expect p 0x100000 0x1000 0x9abc
ask dma domain f empty fault
assert_done dma detach 3
assert_done dma attach f
assert_answer "fault 0x100000 0" dma fill 0xdef0 0x100000 0x1000
assert_done dma map f 0x100000 0x1000
assert_done dma answer success

# Its user lets go of it while the device goes on with its DMA; the next one finds it quiet and empty
ask dma stream 0x100000 0x1000
kill -KILL "$PID"
wait "$PID" || true
assert_ended "$LEASE"
assert_driver "$LAB_MOCK" mock-native
assert_entry "$MESSAGE_RELEASE" IOMMUD_DEVICE="$LAB_MOCK" IOMMUD_LEASE="$LEASE"
start again "$LAB_VMM_UID" iommuctl run -d "$LAB_MOCK" -- "$client" unbound '{iommufd}' '{device:0}'
assert_says again "$PID" "^ready$"
LEASE=$(lease_of "$LAB_MOCK")
ask again counters
assert_match "$ANSWER" "^pieces 0 served 0 blocked 0 unmapped 0 requests 0 resets [0-9]+$"
kill "$PID"
wait "$PID" || true
assert_ended "$LEASE"

# ---- a group of two, and one that cannot be reset

hold both "$LAB_VMM_UID" "$LAB_MOCK_SHARED_A"
assert_driver "$LAB_MOCK_SHARED_A" vfio-mock
assert_driver "$LAB_MOCK_SHARED_B" vfio-mock
assert_eq "$(lease_field "$LEASE" 'companions | join(" ")')" "$LAB_MOCK_SHARED_B"
let_go "$PID"
assert_ended "$LEASE"
assert_driver "$LAB_MOCK_SHARED_B" mock-native

hold poor "$LAB_VMM_UID" "$LAB_MOCK_POOR"
let_go "$PID"
assert_ended "$LEASE"
assert_driver "$LAB_MOCK_POOR" mock-native
assert_eq "$(iommuctl quarantine --json | jq -r '.[].device')" "$LAB_MOCK_POOR"
assert clear_quarantine

# ---- somebody else has it, and it goes

bind_driver "$LAB_MOCK2" vfio-mock
start other 0 programs/kernel-verbs bind "iommud-mock/$LAB_MOCK2"
assert_says other "$PID" "^bound$"
assert_refused "(Taken)" iommuctl acquire "$LAB_MOCK2"
kill "$PID"
wait "$PID" || true
bind_native "$LAB_MOCK2"

echo 1 >"$(sysfs_of "$LAB_MOCK2")/remove"
assert_soon 10 is_unknown "$LAB_MOCK2"
echo 1 >/sys/bus/iommud-mock/rescan
assert_soon 10 is_known "$LAB_MOCK2"

assert_untouched
