# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The guest's userland: a plain Debian as an administrator would have it, without iommud, which comes in at each boot
# (see guest/init). There are two, of the suites of Debian that apt.sh names: LAB_SUITE is the lab's, and has its tools;
# LAB_OLD_SUITE is the oldest that iommud is for, and has only what it takes to see that. In the cache afterwards, of each:
#
#   rootfs-KEY/tree/        unpacked: the lab's own QEMU and file system tools run from LAB_SUITE's
#   rootfs-KEY/disk.img     the same as an ext4 image, the guest's disk

# rootfs_name SUITE
rootfs_name() {
        printf 'rootfs-%s\n' "$(digest "$(uname -m)" "$1" "$(rootfs_package_list "$1")" \
                "$(declare -f rootfs_sources rootfs_preferences rootfs_tree rootfs_disk)" @"$LAB_VM/rootfs-customize")"
}

# rootfs_dir [SUITE]
rootfs_dir() {
        printf '%s/%s\n' "$LAB_CACHE" "$(rootfs_name "${1:-$LAB_SUITE}")"
}

# tree_command TREE PROGRAM: fills TREE_COMMAND with what starts a program of the tree on the machine, by the tree's own
# loader and libraries: a QEMU that is newer than the machine's without installing it, and with neither chroot nor
# mounts to clean up after.
tree_command() {
        local dir

        for dir in usr/bin usr/sbin; do
                if [[ -x "$1/$dir/$2" ]]; then
                        TREE_COMMAND=(
                                "$1/usr/lib64/ld-linux-x86-64.so.2"
                                --library-path "$1/usr/lib/x86_64-linux-gnu"
                                --argv0 "$2" "$1/$dir/$2"
                        )
                        return
                fi
        done
        die "the root file system has no $2"
}

# in_tree TREE PROGRAM ARGUMENTS...
in_tree() {
        tree_command "$1" "$2"
        "${TREE_COMMAND[@]}" "${@:3}"
}

# rootfs_package_list SUITE
rootfs_package_list() {
        grep -v -e '^#' -e '^$' "$LAB_VM/rootfs-$1.packages" | paste -s -d ,
}

# rootfs_sources SUITE: what is read for it
rootfs_sources() {
        printf '%s\n' "$1"
        if [[ "$1" == "$LAB_SUITE" ]]; then
                printf '%s\n' "$LAB_BACKPORTS"
        fi
}

# Of the backports, QEMU alone: all else is what Debian's users have
rootfs_preferences() {
        cat <<EOF
Package: src:qemu src:seabios
Pin: release n=$LAB_BACKPORTS
Pin-Priority: 600
EOF
}

# rootfs_tree SUITE DIRECTORY APT PREFERENCES
rootfs_tree() {
        with_own_mounts mmdebstrap --mode=root --variant=minbase --format=directory \
                --aptopt="$3/transport.conf" \
                --setup-hook="mkdir -p \"\$1\"/etc/apt/preferences.d" \
                --setup-hook="cp '$4' \"\$1\"/etc/apt/preferences.d/lab" \
                --include="$(rootfs_package_list "$1")" \
                --customize-hook="'$LAB_VM/rootfs-customize' \"\$1\"" \
                "$1" "$2" "$3/sources.list"
}

# rootfs_disk TREE FILE: sparse, and never written to. There is room for what a boot puts there
rootfs_disk() {
        truncate -s 4G "$2"
        in_tree "$1" mke2fs -q -t ext4 -L lab-root -O ^has_journal -d "$1" "$2"
}

# rootfs_build SUITE NAME
rootfs_build() {
        local suite="$1" name="$2" sources work out apt

        install_packages "${HOST_PACKAGES_LAB[@]}"
        say "building the lab's root file system of $suite (once; about a minute)"
        work=$(scratch "$name")
        out="$work/out"
        mkdir -p "$out"
        mapfile -t sources < <(rootfs_sources "$suite")
        private_apt_prepare "${sources[@]}"
        apt=$(private_apt_dir)
        rootfs_preferences >"$work/preferences"

        with_progress "root file system" "$work/log" rootfs_tree "$suite" "$out/tree" "$apt" "$work/preferences"
        with_progress "disk image" "$work/log" rootfs_disk "$out/tree" "$out/disk.img"

        publish "$out" "$name"
        rm -rf "$work"
        note "the root file system is in $LAB_CACHE/$name"
}

# rootfs_prepare SUITE: leaves it in the cache; at once, if it is there
rootfs_prepare() {
        local name

        name=$(rootfs_name "$1")
        if ! cached "$name"; then
                rootfs_build "$1" "$name"
        fi
        retire rootfs "$name"
}
