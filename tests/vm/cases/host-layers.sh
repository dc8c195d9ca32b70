# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# What hosts make of disks: LVM, RAID, loop devices, multipath. As long as one of them is there the disk is taken by nobody, mounted or not,
# and the use is named.

. guest/iommud.sh

disk=$(disk_of "$LAB_NVME_HOST")
part=/dev/${disk}p2
mkdir "$CASE_DIR/mnt"
allow "$LAB_VMM_UID" "$LAB_NVME_HOST" "$LAB_NVME"

# assert_in_use REGEX [DEVICE]
assert_in_use() {
        local device="${2:-$LAB_NVME_HOST}"

        assert_refused "(HostInUse)" as_user "$LAB_VMM_UID" iommuctl acquire "$device"
        assert_match "$OUTPUT" "The host uses $device: $1"
        assert bindings_are "$BEFORE"
}

without_mount() {
        ! findmnt "$CASE_DIR/mnt" >/dev/null || umount "$CASE_DIR/mnt"
}

without_partition() {
        [[ -e "$part" ]] || return 0
        wipefs --quiet --all "$part"
        sfdisk --quiet --lock --delete "/dev/$disk" 2
        udevadm settle
}
sfdisk --quiet --lock --append "/dev/$disk" <<<"start=69632, size=40960"
udevadm settle
defer without_partition

# A logical volume: for a file system, for swap, for nothing
without_lvm() {
        ! vgs lab >/dev/null 2>&1 || vgremove --quiet --force --yes lab
        pvremove --quiet --force --yes "$part"
}
defer without_lvm
defer without_mount
assert vgcreate --quiet --yes lab "$part"
assert lvcreate --quiet --yes --size 8M --name data lab
assert_in_use "dm-[0-9]+ is on ${disk}p2"
mke2fs -q -t ext4 /dev/lab/data
mount /dev/lab/data "$CASE_DIR/mnt"
assert_in_use "$CASE_DIR/mnt is on ${disk}p2"
umount "$CASE_DIR/mnt"
mkswap --quiet /dev/lab/data
swapon /dev/lab/data
assert_in_use "swap is on ${disk}p2"
swapoff /dev/lab/data
without_lvm >/dev/null

# RAID
without_raid() {
        [[ ! -e /dev/md/lab && ! -e /dev/md127 ]] || mdadm --quiet --stop --scan
        mdadm --quiet --zero-superblock "$part" || true
}
defer without_raid
assert mdadm --quiet --create /dev/md127 --run --force --level=1 --raid-devices=1 --metadata=1.2 "$part" </dev/null
assert_in_use "md127 is on ${disk}p2"
mke2fs -q -t ext4 /dev/md127
mount /dev/md127 "$CASE_DIR/mnt"
assert_in_use "$CASE_DIR/mnt is on ${disk}p2"
umount "$CASE_DIR/mnt"
without_raid

# A loop device
loop=$(losetup --find --show "$part")
without_loop() {
        losetup --detach "$loop" 2>/dev/null || true
}
defer without_loop
assert_in_use "${loop#/dev/} is on ${disk}p2"
mke2fs -q -t ext4 "$loop"
mount "$loop" "$CASE_DIR/mnt"
assert_in_use "$CASE_DIR/mnt is on ${disk}p2"
umount "$CASE_DIR/mnt"
without_loop

# Multipath: two disks as if they were two ways to one, the second for when the first fails, and its partitions on top
other=$(disk_of "$LAB_NVME")
without_multipath() {
        local map

        without_mount
        swapoff /dev/mapper/lab-path-swap 2>/dev/null || true
        for map in lab-path-data lab-path-swap lab-path; do
                ! dmsetup info "$map" >/dev/null 2>&1 || dmsetup remove --retry "$map"
        done
}
defer without_multipath
size=$(blockdev --getsz "/dev/$disk")
assert dmsetup create lab-path --table \
        "0 $size multipath 0 0 2 1 round-robin 0 1 1 /dev/$disk 1000 round-robin 0 1 1 /dev/$other 1000"
assert_in_use "dm-[0-9]+ is on ${disk}"
assert_in_use "dm-[0-9]+ is on ${other}" "$LAB_NVME"
assert dmsetup create lab-path-data --table "0 65536 linear /dev/mapper/lab-path 2048"
assert dmsetup create lab-path-swap --table "0 40960 linear /dev/mapper/lab-path 69632"
mount /dev/mapper/lab-path-data "$CASE_DIR/mnt"
assert_in_use "$CASE_DIR/mnt is on ${disk}"
assert_in_use "$CASE_DIR/mnt is on ${other}" "$LAB_NVME"
umount "$CASE_DIR/mnt"
mkswap --quiet /dev/mapper/lab-path-swap
swapon /dev/mapper/lab-path-swap
assert_in_use "swap is on ${disk}"
swapoff /dev/mapper/lab-path-swap
without_multipath

# They are nobody's any more. One after the other: each comes back under the name that it had.
without_partition
for device in "$LAB_NVME_HOST" "$LAB_NVME"; do
        name=$(disk_of "$device")
        hold "free-$name" "$LAB_VMM_UID" "$device"
        let_go "$PID"
        assert_ended "$LEASE"
        assert_bindings "$BEFORE"
        assert_soon 20 test -b "/dev/$name"
        assert_eq "$(disk_of "$device")" "$name" "the disk of $device"
done
assert_soon 20 test -b "/dev/${disk}p1"
udevadm settle
assert_untouched
