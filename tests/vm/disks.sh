# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The content of the NVMe disks. Made anew for each run, in a second: they are sparse, and QEMU never writes to them.

# disk_to_give_away FILE: known bytes at known blocks, the first of which can be booted. Prints the digest of LAB_NVME_KNOWN.
disk_to_give_away() {
        local line='every line of this disk is known, and this one is number'

        # As many lines as it takes; `head` closes the pipe on `seq`, which is no failure
        { seq -f "$line %.0f" 1 20000 || true; } 2>/dev/null | head -c "$LAB_NVME_KNOWN" >"$1"
        truncate -s 64M "$1"
        as --32 -o "$1.o" "$LAB_VM/inner/boot.S"
        ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$1.boot" "$1.o"
        dd if="$1.boot" of="$1" conv=notrunc status=none
        printf '%s' "$LAB_NVME_MAGIC" |
                dd of="$1" bs=512 seek="$LAB_NVME_MAGIC_LBA" conv=notrunc,sync status=none
        head -c "$LAB_NVME_KNOWN" "$1" | sha256sum | cut -d ' ' -f 1
}

# disk_of_the_host FILE TREE: a partition table and a file system in the first partition, made by the tools of TREE
disk_of_the_host() {
        local start=2048 sectors=65536

        truncate -s 64M "$1"
        in_tree "$2" sfdisk --quiet "$1" <<EOF
label: gpt
start=$start, size=$sectors, type=linux, name=host-data
EOF
        in_tree "$2" mke2fs -q -F -t ext4 -L host-data -E offset=$((start * 512)) "$1" $((sectors / 2))k
}
