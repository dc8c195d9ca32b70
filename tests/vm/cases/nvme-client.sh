# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# An unprivileged driver for NVMe reads a disk that iommud gave it, by DMA into its own memory, and nothing but that.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_NVME"
start nvme "$LAB_VMM_UID" iommuctl run -d "$LAB_NVME" -- "$PWD/programs/nvme-client" unbound '{iommufd}' '{device:0}'
assert_says nvme "$PID" "^ready$"
LEASE=$(lease_of "$LAB_NVME")

say nvme identify
assert_says nvme "$PID" "^serial $LAB_NVME_SERIAL blocks [0-9]+ size 512$"
say nvme "text $LAB_NVME_MAGIC_LBA"
assert_says nvme "$PID" "^text $LAB_NVME_MAGIC$"

install -d -o "$LAB_VMM_UID" "$CASE_DIR/saved"
say nvme "save $((LAB_NVME_KNOWN / 512)) $CASE_DIR/saved/known"
assert_says nvme "$PID" "^saved $LAB_NVME_KNOWN$"
assert_eq "$(sha256sum <"$CASE_DIR/saved/known" | cut -d ' ' -f 1)" "$LAB_NVME_SHA256"

# Behind its 64 pages at 1 MiB there is nothing for the disk to write to. QEMU's disk does not notice
say nvme "read 0 0x13f000"
assert_says nvme "$PID" "^changed 1$"
say nvme "read 0 0x140000"
assert_says nvme "$PID" "^(changed 0|failed 0x.*)$"

kill "$PID"
wait "$PID" || true
assert_ended "$LEASE"
assert_driver "$LAB_NVME" nvme
assert_soon 20 disk_is_back
assert_untouched
