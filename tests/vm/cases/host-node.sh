# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 90
#
# A disk that a process has open is taken by nobody, and the process is named. So is one that others are made of.

. guest/iommud.sh

disk=$(disk_of "$LAB_NVME_HOST")
partition=/dev/${disk}p2
allow "$LAB_VMM_UID" "$LAB_NVME_HOST"

# assert_in_use REGEX
assert_in_use() {
        local uid

        for uid in 0 "$LAB_VMM_UID"; do
                assert_refused "(HostInUse)" as_user "$uid" iommuctl acquire "$LAB_NVME_HOST"
                assert_match "$OUTPUT" "The host uses $LAB_NVME_HOST: $1"
        done
        assert bindings_are "$BEFORE"
}

assert_possible() {
        assert iommuctl plan "$LAB_NVME_HOST" >/dev/null
}

# open_by NAME NODE: has it open until it is told to end
open_by() {
        # shellcheck disable=SC2016 # for the shell that is started
        start "$1" 0 sh -c 'exec 7<"$1" && echo open && read -r line' sh "$2"
        assert_says "$1" "$PID" '^open'
}

assert_closed() {
        say "$1" end
        assert_soon 10 is_over "$PID"
        assert_possible
}

udevadm settle
assert_possible

# The disk, its partition, and the controller, which is a character device
open_by disk "/dev/$disk"
assert_in_use "/dev/$disk is open in sh \(pid $PID\)"
assert_closed disk
open_by partition "/dev/${disk}p1"
assert_in_use "/dev/${disk}p1 is open in sh \(pid $PID\)"
assert_closed partition
controller=$(ls "/sys/bus/pci/devices/$LAB_NVME_HOST/nvme")
open_by controller "/dev/$controller"
assert_in_use "/dev/$controller is open in sh \(pid $PID\)"
assert_closed controller

# By another name
mknod /dev/lab-node b "$((0x$(stat -c %t "/dev/$disk")))" "$((0x$(stat -c %T "/dev/$disk")))"
defer rm /dev/lab-node
open_by other /dev/lab-node
assert_in_use "/dev/$disk is open in sh \(pid $PID\)"
assert_closed other

# Again and again: what udev does with a disk that comes back is in nobody's way
for round in 1 2 3; do
        hold "round-$round" "$LAB_VMM_UID" "$LAB_NVME_HOST"
        let_go "$PID"
        assert_ended "$LEASE"
        assert_driver "$LAB_NVME_HOST" nvme
        assert_soon 20 test -b "/dev/${disk}p1"
done
udevadm settle

# LVM and RAID, on a partition that is there for a while
without_partition() {
        [[ -e "$partition" ]] || return 0
        sfdisk --quiet --lock --delete "/dev/$disk" 2
        udevadm settle
}
sfdisk --quiet --lock --append "/dev/$disk" <<<"start=69632, size=40960"
udevadm settle
defer without_partition

mkdir "$CASE_DIR/mnt"
pvcreate --quiet --yes "$partition" >/dev/null
vgcreate --quiet lab "$partition" >/dev/null
drop_volumes() {
        vgchange --quiet --activate n lab && vgremove --quiet --yes lab && pvremove --quiet --yes "$partition"
} >/dev/null
defer drop_volumes
lvcreate --quiet --yes --wipesignatures n --size 8M --name volume lab >/dev/null
assert_in_use ".* is on ${disk}p2"
mkfs.ext4 -q /dev/lab/volume
mount /dev/lab/volume "$CASE_DIR/mnt"
assert_in_use "$CASE_DIR/mnt is on ${disk}p2"
umount "$CASE_DIR/mnt"
vgchange --quiet --activate n lab >/dev/null
udevadm settle
assert_possible
drop_volumes
DEFERRED=("${DEFERRED[@]:0:${#DEFERRED[@]}-1}")

mdadm --quiet --create /dev/md77 --run --level=1 --raid-devices=2 --metadata=1.2 "$partition" missing
drop_array() {
        mdadm --quiet --stop /dev/md77 || true
        mdadm --quiet --zero-superblock "$partition"
}
defer drop_array
assert_in_use "md77 is on ${disk}p2"
mkfs.ext4 -q /dev/md77
mount /dev/md77 "$CASE_DIR/mnt"
assert_in_use "$CASE_DIR/mnt is on ${disk}p2"
umount "$CASE_DIR/mnt"
udevadm settle
drop_array
DEFERRED=("${DEFERRED[@]:0:${#DEFERRED[@]}-1}")
without_partition
assert_possible
assert_untouched
