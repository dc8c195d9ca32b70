# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 90
#
# A device to whose memory the firmware does DMA (an RMRR, a "direct" region): the kernel gives it to nobody, which is told before
# anything is changed. One whose firmware stops when the host has a driver for it is handed out like others.

. guest/iommud.sh
. guest/mock.sh
. guest/domains.sh

SIZE=$MEMORY_SIZE
LAB_NATIVE_DRIVER["$LAB_MOCK_FIRMWARE"]=mock-native
use_policy "$(rule allow "$LAB_VMM_UID" any)"

# appear REGION: with it, and known
appear() {
        mock_parameter firmware_region "$1"
        echo 1 >/sys/bus/iommud-mock/rescan
        assert_soon 10 is_listed "$LAB_MOCK_FIRMWARE"
        BEFORE=$(bindings)
}

disappear() {
        echo 1 >"$(sysfs_of "$LAB_MOCK_FIRMWARE")/remove"
        assert_soon 10 is_not_listed "$LAB_MOCK_FIRMWARE"
}

regions() {
        cut -d ' ' -f 3 "/sys/kernel/iommu_groups/$(group_of "$LAB_MOCK_FIRMWARE")/reserved_regions" | paste -s -d ' '
}

# fact FILTER: of what explain says about reserved addresses
fact() {
        jq -e "any(.facts[]; .topic == \"reserved\" and .values.first == $((0x7b000000)) and .values.last == $((0x7b00ffff)) and ($1))" \
                >/dev/null <<<"$OUTPUT" || fail "no such fact: $1: $OUTPUT"
}

# ---- at all times

assert_fails has_device "$LAB_MOCK_FIRMWARE"
appear 1
assert_eq "$(regions)" "direct msi" "the regions"

# The kernel means it
bind_driver "$LAB_MOCK_FIRMWARE" vfio-mock
exec {iommufd}<>/dev/iommu {device}<>"/dev/vfio/devices/$(cdev_of "$LAB_MOCK_FIRMWARE")"
assert_fails programs/mock-dma unbound "$iommufd" "$device"
assert_eq "$OUTPUT" "ready: EINVAL"
exec {iommufd}>&- {device}>&-
bind_native "$LAB_MOCK_FIRMWARE"
assert bindings_are "$BEFORE"

for uid in 0 "$LAB_VMM_UID"; do
        for mode in vmm attached confined; do
                assert_refused "(NotSupported)" as_user "$uid" iommuctl acquire --mode "$mode" "$LAB_MOCK_FIRMWARE"
        done
        assert_match "$OUTPUT" "The firmware wants memory .* group $(group_of "$LAB_MOCK_FIRMWARE") at all times .*direct.* never gives $LAB_MOCK_FIRMWARE"
        assert_fails as_user "$uid" iommuctl plan --json "$LAB_MOCK_FIRMWARE"
        assert_eq "$(jq -r '.steps[] | select(.action == "blocked") | .reason' <<<"$OUTPUT")" NotSupported "what plan says"
        assert_fails as_user "$uid" iommuctl explain --json "$LAB_MOCK_FIRMWARE"
        assert_eq "$(jq -r .possible <<<"$OUTPUT")" false "what explain says"
        fact '.grade == "bad" and .values.kind == "direct" and (.text | test("0x7b000000 to 0x7b00ffff"))'
done
assert_refused "(NotSupported)" iommuctl claim "$LAB_MOCK_FIRMWARE"
assert no_lease
assert bindings_are "$BEFORE"
disappear

# ---- until the host has a driver for it: there is nothing there that the client could not use

appear 2
assert_eq "$(regions)" "direct-relaxable msi" "the regions"
OUTPUT=$(as_user "$LAB_VMM_UID" iommuctl explain --json "$LAB_MOCK_FIRMWARE")
assert_eq "$(jq -r .possible <<<"$OUTPUT")" true "what explain says"
fact '.grade == "note" and .values.kind == "direct-relaxable" and (.text | test("a client can have these addresses"))'
memory memory "$LAB_VMM_UID"
confine client "$LAB_VMM_UID" "$LAB_MOCK_FIRMWARE" mock-dma
assert_eq "$(map 1 "$FILE" 0x7b000000)" 0x7b000000
assert_done client fill 0x1234 0x7b000000 0x1000
assert_answer same client expect main 0x100000 0x1000 0x1234
finish "$PID"
assert_bindings "$BEFORE"
disappear
assert_soon 20 no_lease
