# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm
# deadline: 120
# expect: daemon-death
#
# What the IOMMU can do for a device: not known at first, then what it says and what it was tried for, of VT-d and of the mock.

. guest/iommud.sh
. guest/mock.sh

BEFORE=$(bindings)
defer drop_claims
allow "$LAB_VMM_UID" "$LAB_MOCK" "$LAB_EDU"

# assert_feature DEVICE EXPECTED NAME...
assert_feature() {
        local name

        for name in "${@:3}"; do
                assert_eq "$(iommuctl show --json "$1" | jq -r ".[0].device.iommu_features.$name")" "$2" "$name of $1"
        done
}

# It is as long as iommud that it is remembered
systemctl restart iommud.service
for device in "$LAB_MOCK" "$LAB_MOCK_POOR"; do
        assert_feature "$device" null dirty_tracking nesting page_faults viommu pasids aperture
done
# but who VT-d is, and what it lacks, stands in its registers
assert_feature "$LAB_EDU" intel-vtd driver
assert_feature "$LAB_EDU" null viommu aperture
assert_match "$(iommuctl show "$LAB_MOCK")" \
        'Not known yet: dirty tracking, nesting, page faults, virtual IOMMUs, PASIDs'

# The client of a plain lease binds; when it has gone, iommud has it bound once, and asks
hold plain "$LAB_VMM_UID" "$LAB_MOCK"
assert_feature "$LAB_MOCK" null dirty_tracking nesting page_faults viommu pasids
let_go "$PID"
assert_ended "$LEASE"
assert_feature "$LAB_MOCK" true dirty_tracking nesting page_faults
assert_feature "$LAB_MOCK" 1023 pasids
assert_feature "$LAB_MOCK" 0 aperture.first
assert_feature "$LAB_MOCK" $((0xffffffffffff)) aperture.last
assert_feature "$LAB_MOCK" 4096 page_size
assert_feature "$LAB_MOCK" null page_sizes
# its driver does not say who it is, so that nobody knows which virtual IOMMUs it could make
assert_feature "$LAB_MOCK" null viommu hitless
assert_match "$(iommuctl show "$LAB_MOCK")" 'IOMMU has: dirty tracking, nesting, page faults, PASIDs 1 to 1023'

# QEMU's VT-d
hold edu "$LAB_VMM_UID" "$LAB_EDU"
let_go "$PID"
assert_ended "$LEASE"
assert clear_quarantine
assert_feature "$LAB_EDU" intel-vtd driver
assert_feature "$LAB_EDU" false dirty_tracking nesting page_faults viommu hitless
assert_feature "$LAB_EDU" 0 pasids
assert_feature "$LAB_EDU" 4096 page_size
assert_eq "$(iommuctl show "$LAB_EDU" --json | jq -c '.[0].device.iommu_features.page_sizes')" '[4096,2097152,1073741824]'

# A claim binds it too, but attaches it to nothing, so that one thing stays unknown
assert iommuctl claim "$LAB_MOCK2"
assert_feature "$LAB_MOCK2" true dirty_tracking nesting
assert_feature "$LAB_MOCK2" null page_faults
assert iommuctl unclaim "$LAB_MOCK2"

# What the poor one has not is known as well
assert iommuctl claim "$LAB_MOCK_POOR"
assert_feature "$LAB_MOCK_POOR" false dirty_tracking nesting
assert_feature "$LAB_MOCK_POOR" 0 pasids
assert iommuctl unclaim "$LAB_MOCK_POOR"

assert_untouched
