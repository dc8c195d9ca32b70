# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 90
#
# A disk that the host itself needs is taken by nobody, root included, and the use is named.

. guest/iommud.sh

disk=$(disk_of "$LAB_NVME_HOST")
mkdir "$CASE_DIR/mnt"
allow "$LAB_VMM_UID" "$LAB_NVME_HOST"

# assert_in_use REGEX
assert_in_use() {
        local uid

        for uid in 0 "$LAB_VMM_UID"; do
                assert_refused "(HostInUse)" as_user "$uid" iommuctl acquire "$LAB_NVME_HOST"
                assert_match "$OUTPUT" "$1"
                assert_fails as_user "$uid" iommuctl plan "$LAB_NVME_HOST"
                assert_match "$OUTPUT" "\(HostInUse\)"
        done
        assert bindings_are "$BEFORE"
        assert no_lease
}

assert_free() {
        hold "free-$1" "$LAB_VMM_UID" "$LAB_NVME_HOST"
        let_go "$PID"
        assert_ended "$LEASE"
        assert_bindings "$BEFORE"
        assert_soon 20 test -b "/dev/${disk}p1"
        udevadm settle
}

is_unmounted() {
        ! findmnt "$CASE_DIR/mnt" >/dev/null
}
without_mount() {
        is_unmounted || umount --lazy "$CASE_DIR/mnt"
}
defer without_mount
mount "/dev/${disk}p1" "$CASE_DIR/mnt"
assert_in_use "The host uses $LAB_NVME_HOST: $CASE_DIR/mnt is on ${disk}p1"
assert_entry "$MESSAGE_DENIAL" IOMMUD_DEVICE="$LAB_NVME_HOST" IOMMUD_UID=0
# Through the group as well
assert_refused "(HostInUse)" iommuctl acquire "group:$(group_of "$LAB_NVME_HOST")"
umount "$CASE_DIR/mnt"
assert_free mount

# In a mount namespace that the daemon does not see
# shellcheck disable=SC2016 # that shell's arguments
start namespace 0 unshare --mount --propagation private sh -c \
        'mount "$1" "$2" && echo mounted && read -r line' sh "/dev/${disk}p1" "$CASE_DIR/mnt"
assert_says namespace "$PID" '^mounted'
assert is_unmounted
assert_in_use "The host uses $LAB_NVME_HOST: .*${disk}p1"
say namespace end
assert_soon 10 is_over "$PID"
assert_free namespace

# Swap, on a partition that is there for a while
without_swap() {
        [[ -e "/dev/${disk}p2" ]] || return 0
        swapoff "/dev/${disk}p2" 2>/dev/null || true
        sfdisk --quiet --lock --delete "/dev/$disk" 2
        udevadm settle
}
sfdisk --quiet --lock --append "/dev/$disk" <<<"start=69632, size=40960"
udevadm settle
defer without_swap
mkswap --quiet "/dev/${disk}p2"
swapon "/dev/${disk}p2"
assert_in_use "The host uses $LAB_NVME_HOST: swap is on ${disk}p2"
swapoff "/dev/${disk}p2"

# A layer on top
dmsetup create lab-linear --table "0 40960 linear /dev/${disk}p2 0"
without_layer() {
        ! dmsetup info lab-linear >/dev/null 2>&1 || dmsetup remove --retry lab-linear
}
defer without_layer
assert_in_use "The host uses $LAB_NVME_HOST: .*${disk}p2"
without_layer
without_swap
assert_free layers

# What the guest runs from is nobody's either
assert_refused "(HostInUse)" iommuctl acquire "$LAB_DISK"
assert_match "$OUTPUT" ' / is on vda'
assert_untouched
