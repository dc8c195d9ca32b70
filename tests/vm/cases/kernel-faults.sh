# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm-next
# deadline: 600
# expect: kernel-warning
#
# The kernel itself has no memory (failslab): for each thing in turn that it allocates for the daemon, where that rebinds, opens,
# BINDs and ATTACHes, and for a client that does that, from the first to the last. Whatever then fails: the device is given back, at
# once or when an administrator has it tried again.

. guest/faults.sh

mountpoint --quiet /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
for option in ignore-gfp-wait:N cache-filter:N verbose:0; do
        echo "${option#*:}" >"/sys/kernel/debug/failslab/${option%:*}"
done

# A virtual function of the disk: it has no interrupt that the kernel would ask the firmware about, of which it does not survive that
# there is no memory
disk=/sys/bus/pci/devices/$LAB_NVME_PF
without_functions() {
        echo 0 >"$disk/sriov_numvfs"
        echo 1 >"$disk/sriov_drivers_autoprobe"
}
defer without_functions
original=$BEFORE
echo 0 >"$disk/sriov_drivers_autoprobe"
echo 1 >"$disk/sriov_numvfs"
DEVICE=$(basename "$(readlink "$disk/virtfn0")")
is_known() {
        iommuctl find "$DEVICE" >/dev/null 2>&1
}
assert_soon 20 is_known
defer drop_claims
without_driver=$(bindings)
assert bind_driver "$DEVICE" vfio-pci
BEFORE=$(bindings)
mark_kernel_log

# ---- the daemon

everywhere starve "$DEVICE" attached
everywhere starve "$DEVICE" claim

# ---- its client

no_record() {
        ! compgen -G "$LEASES/lease-*" >/dev/null
}

CLIENT=0
allow "$LAB_VMM_UID" "$DEVICE"
for ((n = 1; ; n++)); do
        said=$(as_user "$LAB_VMM_UID" iommuctl run -d "$DEVICE" -- "$PWD/programs/starve" "$n" '{iommufd}' '{device:0}')
        wait_until 60 no_record || fail "without allocation $n of its client: $(iommuctl leases --json)"
        if [[ "$said" == *"not starved" ]]; then
                assert_match "$said" '^all done'
                break
        fi
        printf '%s\n' "${said%$'\n'*}" >>"$CASE_DIR/said"
        CLIENT=$n
done
sort "$CASE_DIR/said" | uniq -c
for call in VFIO_DEVICE_BIND_IOMMUFD VFIO_DEVICE_ATTACH_IOMMUFD_PT; do
        assert grep -q "^$call failed with ENOMEM" "$CASE_DIR/said"
done
assert_soon 10 no_lease
assert_bindings "$BEFORE"
assert_soon 10 no_records
assert clear_quarantine

# ---- the daemon again, where a driver is changed

assert bind_native "$DEVICE"
BEFORE=$without_driver
everywhere starve "$DEVICE"

assert clear_quarantine
assert without_functions
BEFORE=$original
assert_untouched
# The kernel is not sure of itself either when a group of VFIO cannot be made, and says so; nothing else may be heard from it
assert_eq "$(kernel_said | grep -E 'WARNING: |BUG: |Oops' | grep -v ' vfio_group_release+')" "" "what the kernel complained about"
conclude "${TRIED[starve]} allocations of the kernel failed for the daemon and $CLIENT for its client," \
        "${TRIED[refused]} calls refused, ${TRIED[stuck]} stuck until released, nothing lost"
