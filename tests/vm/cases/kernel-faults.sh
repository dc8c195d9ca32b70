# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm-next
# deadline: 900
# expect: kernel-warning
#
# The kernel itself has no memory (failslab): for each thing in turn that it allocates for the daemon and for its client, from the
# first to the last. Whatever then fails: the device is given back, at once or when an administrator has it tried again.

. guest/faults.sh

mountpoint --quiet /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
for option in ignore-gfp-wait:N cache-filter:N verbose:0; do
        echo "${option#*:}" >"/sys/kernel/debug/failslab/${option%:*}"
done

mark_kernel_log

no_record() {
        ! compgen -G "$LEASES/lease-*" >/dev/null
}

# starve_client DEVICE: in its BIND, ATTACH and first mapping
CLIENT=0
starve_client() {
        local n said start=$SECONDS

        allow "$LAB_VMM_UID" "$1"
        for ((n = 1; ; n++)); do
                said=$(as_user "$LAB_VMM_UID" iommuctl run -d "$1" -- "$PWD/programs/starve" "$n" '{iommufd}' '{device:0}')
                wait_until 60 no_record || fail "without allocation $n of its client: $(iommuctl leases --json)"
                if [[ "$said" == *"not starved" ]]; then
                        assert_match "$said" '^all done'
                        break
                fi
                printf '%s\n' "${said%$'\n'*}" >>"$CASE_DIR/said"
                CLIENT=$n
        done
        assert_bindings "$BEFORE"
        assert no_records
        printf 'client of %s: %d, %d s\n' "$1" "$CLIENT" $((SECONDS - start)) | tee /dev/kmsg
        sort "$CASE_DIR/said" | uniq -c
        for call in VFIO_DEVICE_BIND_IOMMUFD VFIO_DEVICE_ATTACH_IOMMUFD_PT; do
                assert grep -q "^$call failed with ENOMEM" "$CASE_DIR/said"
        done
        assert clear_quarantine
}

everywhere starve "$LAB_EDU"
everywhere starve "$LAB_NIC"

give_back() {
        bind_native "$LAB_EDU"
}
defer give_back
original=$BEFORE
assert bind_driver "$LAB_EDU" vfio-pci
BEFORE=$(bindings)
starve_client "$LAB_EDU"
assert give_back
BEFORE=$original

assert_untouched
# The kernel is not sure of itself either when a group of VFIO cannot be made, and says so; nothing else may be heard from it
assert_eq "$(kernel_said | grep -E 'WARNING: |BUG: |Oops' | grep -v ' vfio_group_release+')" "" "what the kernel complained about"
conclude "${TRIED[starve]} allocations of the kernel failed for the daemon and $CLIENT for its client," \
        "${TRIED[refused]} leases refused, ${TRIED[stuck]} stuck until released, nothing lost"
