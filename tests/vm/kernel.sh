# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The kernel of the lab, from Debian's linux-source and kernel.config beside this file. In the cache afterwards:
#
#   kernel-KEY/bzImage       the lab's machine and its guest's guest boot it
#   kernel-KEY/modules/      lib/modules/VERSION, the few that are not built in
#   kernel-KEY/devel/        what it takes to build a module for it
#   kernel-KEY/config, version

LAB_KERNEL_MINIMUM=7.2

# Of what makes it the kernel it is; comments may change
kernel_name() {
        printf 'kernel-%s\n' "$(digest "$(uname -m)" "$(grep '^CONFIG_' "$LAB_VM/kernel.config")" \
                "$(declare -f kernel_source_package kernel_configure kernel_make kernel_devel kernel_build)")"
}

kernel_dir() {
        printf '%s/%s\n' "$LAB_CACHE" "$(kernel_name)"
}

# Of the linux-source packages that are new enough the oldest: what kernel.config was written for, as long as it is there
kernel_source_package() {
        local p

        while read -r p; do
                if [[ "$(printf '%s\n' "$LAB_KERNEL_MINIMUM" "${p#linux-source-}" |
                        sort --version-sort | head -n 1)" == "$LAB_KERNEL_MINIMUM" ]]; then
                        printf '%s\n' "$p"
                        return
                fi
        done < <(private_apt apt-cache search --names-only '^linux-source-[0-9]+\.[0-9]+$' |
                cut -d ' ' -f 1 | sort --version-sort)
        die "the mirror has no linux-source of $LAB_KERNEL_MINIMUM or later"
}

# kernel_unpack DIRECTORY: downloads the source, unpacks it there
kernel_unpack() {
        local dir="$1" package

        private_apt_prepare "$LAB_SUITE" "$LAB_BACKPORTS"
        package=$(kernel_source_package)

        say "downloading $package"
        (cd "$dir" && private_apt apt-get download "$package/$LAB_BACKPORTS")

        say "unpacking $package"
        dpkg-deb --fsys-tarfile "$dir/$package"_*.deb |
                tar --extract --to-stdout --wildcards "./usr/src/$package.tar.*" |
                tar --extract --xz --directory "$dir" --strip-components=1
        rm "$dir/$package"_*.deb
}

# kernel_configure SOURCE: exactly what kernel.config asks for. What a later Linux has renamed shows here; whether it is
# missed, cases/boot.sh will tell.
kernel_configure() {
        local line

        make -C "$1" -s KCONFIG_ALLCONFIG="$LAB_VM/kernel.config" allnoconfig
        while IFS= read -r line; do
                if [[ "$line" == CONFIG_* ]] && ! grep -qxF "$line" "$1/.config"; then
                        note "this Linux did not take over $line, going on without"
                fi
        done <"$LAB_VM/kernel.config"
}

kernel_make() {
        nice -n 5 make -C "$1" -j "$(($(nproc) + 1))" \
                KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab LOCALVERSION=-iommud-lab \
                "${@:2}"
}

# kernel_devel SOURCE TARGET: headers, scripts and symbol versions; an external module needs no more of a tree
kernel_devel() {
        (
                cd "$1"
                {
                        printf '%s\0' Makefile Kbuild .config Module.symvers
                        find . -type f \( -name 'Makefile*' -o -name 'Kconfig*' -o -name 'Kbuild*' \) \
                                -not -path './Documentation/*' -print0
                        find include scripts arch/x86/include arch/x86/entry/syscalls tools/objtool/objtool \
                                \( -type f -o -type l \) -not -name '*.o' -not -name '.*.cmd' -print0
                } | tar --create --null --files-from=- --dereference
        ) | tar --extract --directory "$2"
}

kernel_build() {
        local name="$1" work src out

        install_packages "${HOST_PACKAGES_LAB[@]}"
        say "building the kernel of the lab (once; about 7 minutes on two cores)"
        work=$(scratch "$name")
        src="$work/src"
        out="$work/out"
        mkdir -p "$src" "$out"/{modules,devel}

        kernel_unpack "$src"
        kernel_configure "$src"
        with_progress "kernel" "$work/log" kernel_make "$src" bzImage modules
        with_progress "modules" "$work/log" kernel_make "$src" modules_install \
                INSTALL_MOD_PATH="$out/modules" DEPMOD=true

        cp "$src/arch/x86/boot/bzImage" "$out/bzImage"
        cp "$src/.config" "$out/config"
        cp "$src/include/config/kernel.release" "$out/version"
        # these lead back to the source tree, which is not kept
        rm -f "$out"/modules/lib/modules/*/{build,source}
        kernel_devel "$src" "$out/devel"

        publish "$out" "$name"
        rm -rf "$work"
        note "Linux $(cat "$(kernel_dir)/version") is in $(kernel_dir)"
}

# Leaves the kernel in the cache; at once, if it is there
kernel_prepare() {
        local name

        name=$(kernel_name)
        if ! cached "$name"; then
                kernel_build "$name"
        fi
        retire kernel "$name"
}
