#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The main job of iommud, shown to a reader: a disk of the host goes to an unprivileged QEMU, whose guest reads it by
# DMA, and comes back. Runs in the guest (`tests/lab demo`). Everything that is told is also checked, by the helpers of
# the cases: a demonstration that goes wrong fails.

set -Eeuo pipefail
cd "${0%/*}"
. ./topology.sh
. ./guest.env
. guest/lib.sh

CASE_DIR=$(mktemp -d /run/lab-demo-XXXXXX)
chmod 755 "$CASE_DIR"
defer rm -rf "$CASE_DIR"
trap 'where $? >&2' ERR
trap run_deferred EXIT
. guest/iommud.sh

heading() {
        printf '\n--- %s\n\n' "$1"
}

# show USER COMMAND...: as it would look in that user's terminal. Whether it succeeds is for the caller to judge.
show() {
        local user="$1" sign='$'
        shift

        if [[ "$user" == root ]]; then
                sign='#'
        fi
        printf '  %s%s %s\n' "$user" "$sign" "$*"
        OUTPUT=$(as_user "$(id -u "$user")" "$@" 2>&1 </dev/null) || return
        indent <<<"$OUTPUT"
}

indent() {
        sed 's/^/    /'
}

# account WHO WHAT: a line of the closing account
account() {
        ACCOUNT+=$(printf '  %-26s %s' "$1" "$2")$'\n'
}
ACCOUNT=""

heading "The devices of this host, and who has them"
show root iommuctl list
assert_driver "$LAB_NVME" nvme
account "the disk $LAB_NVME" "was with the host's driver, nvme"

heading "The administrator allows the user vmm this disk, and nobody anything else"
allow "$LAB_VMM_UID" "$LAB_NVME"
printf '  root# cat %s\n' "$POLICY"
indent <"$POLICY"

heading "A stranger asks for it"
if show stranger iommuctl acquire "$LAB_NVME"; then
        fail "a stranger has got the disk"
fi
indent <<<"$OUTPUT"
assert_match "$OUTPUT" Denied
assert no_lease
assert_driver "$LAB_NVME" nvme
account "a stranger" "was refused, and nothing was touched"

heading "The user vmm starts QEMU with the disk"
printf '  vmm$ iommuctl run -d %s -- qemu-system-x86_64 ... \\\n' "$LAB_NVME"
printf '          -object iommufd,id=iommufd0,fd={iommufd} -device vfio-pci,iommufd=iommufd0,fd={device:0}\n\n'
start qemu "$LAB_VMM_UID" iommuctl run -d "$LAB_NVME" -- "$PWD/inner/qemu" '{iommufd}' '{device:0}'
has_vfio_driver() {
        is_driven_by "$LAB_NVME" vfio-pci && ! no_lease
}
wait_until 60 has_vfio_driver || fail "there is no lease: $(cat "$CASE_DIR/qemu")"
show root iommuctl leases
LEASE=$(lease_of "$LAB_NVME")
account "the user vmm" "got it as lease $LEASE: two file descriptors, a device and an iommufd"

is_qemu() {
        [[ "$(cat "/proc/$PID/comm" 2>/dev/null)" == qemu-system* ]]
}
wait_until 60 is_qemu || fail "QEMU has not been started: $(cat "$CASE_DIR/qemu")"
printf '\n'
show root ps -o user,pid,comm -p "$PID"
printf '    its capabilities: %s\n' "$(sed -n 's/^CapEff:\t//p' "/proc/$PID/status")"
find "/proc/$PID/fd" -lname '/dev/vfio/*' -printf '    its descriptor %f is %l\n' \
        -o -lname '/dev/iommu' -printf '    its descriptor %f is %l\n'
assert_eq "$(sed -n 's/^CapEff:\t//p' "/proc/$PID/status")" 0000000000000000 "what QEMU is capable of"
assert_eq "$(stat -c %u "/proc/$PID")" "$LAB_VMM_UID" "the user of QEMU"
account "QEMU" "ran as uid $LAB_VMM_UID, without a single capability"

heading "Its guest boots, and reads the disk"
assert_says qemu "$PID" '^inner: ready' 120
say qemu go
assert_says qemu "$PID" '^inner: sha256: '
sed -n 's/\r$//; /^inner: \(clocks\|ready\)/d; s/^inner:/    &/p' "$CASE_DIR/qemu"
assert has_said qemu "^inner: magic: $LAB_NVME_MAGIC"
assert has_said qemu "^inner: sha256: $LAB_NVME_SHA256"
account "its guest" "read by DMA: \"$LAB_NVME_MAGIC\""
account "" "and $((LAB_NVME_KNOWN / 1024)) KiB whose digest is the right one"

heading "The guest is done, and QEMU ends"
assert_soon 60 is_over "$PID"
assert wait "$PID"
assert_ended "$LEASE"
show root iommuctl leases
assert no_lease
account "QEMU's end" "ended the lease"
assert_driver "$LAB_NVME" nvme
assert_soon 20 disk_is_back
printf '\n'
show root sh -c "iommuctl list | grep -e DEVICE -e $LAB_NVME"
account "the disk" "is with the host's driver nvme again, its content as before"

heading "What happened"
printf '%s\n' "$ACCOUNT"
