# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm-faults
# boot: own
# deadline: 600
# expect: kernel-warning
#
# The kernel itself has no memory (failslab): for each thing in turn that it allocates for the daemon, where that rebinds, opens,
# BINDs, ATTACHes and writes down, and for a client that does that, from the first to the last. Whatever then fails: the device is
# given back, at once or when an administrator has it tried again.
#
# What is done for all devices alike is tried with one that takes no time for it, of the mock IOMMU: everything of a lease of mode
# attached, with its records. With one on PCI, on VT-d, the calls to the kernel: the change of a driver; the BIND of a claim; and BIND,
# ATTACH and the first mapping by a client. No lease makes others.

. guest/faults.sh
. guest/mock.sh

mountpoint --quiet /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
# iommufd has faults of its own, which come with those
for option in failslab/ignore-gfp-wait:N failslab/cache-filter:N failslab/verbose:0 fail_iommufd/verbose:0; do
        echo "${option#*:}" >"/sys/kernel/debug/${option%:*}"
done
without_udev
original=$(bindings)
mark_kernel_log

# ---- the daemon, and any device

assert bind_driver "$LAB_MOCK" vfio-mock
BEFORE=$(bindings)
everywhere starve "$LAB_MOCK" attached
assert_bindings "$BEFORE"
assert bind_native "$LAB_MOCK"
assert_bindings "$original"

# ---- the daemon, and a device on PCI: its driver is changed

# A virtual function of the disk: it has no interrupt that the kernel would ask the firmware about, of which it does not survive that
# there is no memory
disk=/sys/bus/pci/devices/$LAB_NVME_PF
without_functions() {
        echo 0 >"$disk/sriov_numvfs"
        echo 1 >"$disk/sriov_drivers_autoprobe"
}
defer without_functions
echo 0 >"$disk/sriov_drivers_autoprobe"
echo 1 >"$disk/sriov_numvfs"
DEVICE=$(basename "$(readlink "$disk/virtfn0")")
is_known() {
        iommuctl find "$DEVICE" >/dev/null 2>&1
}
assert_soon 20 is_known
defer drop_claims
# A reset is a tenth of a second of waiting, several times for each lease
echo >"/sys/bus/pci/devices/$DEVICE/reset_method"

BEFORE=$(bindings)
everywhere starve-calls "$DEVICE"
assert_bindings "$BEFORE"

# ---- a claim of it

assert bind_driver "$DEVICE" vfio-pci
everywhere starve-calls "$DEVICE" claim

# ---- its client

no_record() {
        ! compgen -G "$LEASES/lease-*" >/dev/null
}

BEFORE=$(bindings)
CLIENT=0
assert clear_quarantine
allow "$LAB_VMM_UID" "$DEVICE"
choose_first
for ((n = FIRST; ; n += LAB_SAMPLE)); do
        said=$(as_user "$LAB_VMM_UID" iommuctl run -d "$DEVICE" -- "$PWD/programs/starve" "$n" '{iommufd}' '{device:0}')
        wait_until 60 no_record || fail "without allocation $n of its client: $(iommuctl leases --json)"
        if [[ "$said" == *"not starved" ]]; then
                assert_match "$said" '^all done'
                break
        fi
        printf '%s\n' "${said%$'\n'*}" >>"$CASE_DIR/said"
        CLIENT=$((CLIENT + 1))
done
sort "$CASE_DIR/said" | uniq -c
if ((LAB_SAMPLE == 1)); then
        for call in VFIO_DEVICE_BIND_IOMMUFD VFIO_DEVICE_ATTACH_IOMMUFD_PT; do
                assert grep -q "^$call failed with ENOMEM" "$CASE_DIR/said"
        done
fi
assert_soon 10 no_lease
assert_bindings "$BEFORE"
assert_soon 10 no_records

assert clear_quarantine
assert without_functions
BEFORE=$original
assert_untouched
# The kernel is not sure of itself either when a group of VFIO cannot be made, or when VT-d has no memory to go back to the domain of
# the kernel, and says so; nothing else may be heard from it
assert_eq "$(kernel_said | grep -E 'WARNING: |BUG: |Oops' | grep -vE ' (vfio_group_release|__iommu_release_dma_ownership)\+')" "" \
        "what the kernel complained about"
conclude "${TRIED[starve]} allocations of the kernel failed for the daemon and $CLIENT for its client," \
        "${TRIED[refused]} calls refused, ${TRIED[stuck]} stuck until released, nothing lost"
