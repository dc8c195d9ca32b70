# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The commands of tests/lab, apart from check

prepare() {
        lock preparation
        sweep_scratch
        kernel_prepare
        mock_prepare
        rootfs_prepare "$LAB_SUITE"
        unlock preparation
}

# The other guest, for those who want it
prepare_old_guest() {
        lock preparation
        rootfs_prepare "$LAB_OLD_SUITE"
        unlock preparation
}

# What came with prepare() may be asked now
choose_accelerator() {
        if ((LAB_KVM_WANTED)); then
                if kvm_works "$(rootfs_dir)/tree" "$(kernel_dir)/bzImage"; then
                        LAB_KVM=1
                else
                        note "KVM does not work here, going on without"
                fi
        fi
}

# prepare_guest BUILD: all that a boot needs
prepare_guest() {
        local builds

        install_packages "${HOST_PACKAGES_BUILD[@]}"
        prepare
        choose_accelerator
        builds="builds-$(digest "$LAB_TREE")"
        lock "$builds"
        # Whoever has us run with what it holds has made it, and may be using it for something else as well
        if [[ "$builds" != "${LAB_HELD:-}" ]]; then
                build "$1"
                stage "$1"
        fi
        LAB_STAGE=$(stage_dir "$1")
        LAB_CASES="$LAB_VM/cases"
}

demo() {
        prepare_guest release
        say "booting the lab's machine"
        boot demo
        [[ "$LAB_STATUS" == 0 ]] || die "the demonstration failed; the console is in $LAB_CACHE/console.log"
}

shell() {
        local name="${1:-release}"

        [[ -t 0 ]] || die "a shell needs a terminal"
        [[ -n "${LAB_BUILD_OPTIONS["$name"]:-}" ]] || die "there is no build $name, but: ${!LAB_BUILD_OPTIONS[*]}"
        if [[ "$name" == sanitize ]]; then
                LAB_SANITIZER=1
        fi
        prepare_guest "$name"
        say "booting the lab's machine (a few seconds)"
        boot shell
        [[ "$LAB_STATUS" == 0 ]] || die "the lab's machine failed"
}

bench() {
        prepare_guest release
        say "benchmarks on this machine"
        meson test -C "$(build_dir release)" --no-rebuild --benchmark --verbose
        say "benchmarks in the lab's machine"
        boot bench
        [[ "$LAB_STATUS" == 0 ]] || die "the benchmarks failed; the console is in $LAB_CACHE/console.log"
}

clean() {
        local name

        lock preparation
        say "removing $LAB_CACHE"
        sweep_scratch
        while read -r name; do
                discard "$name"
        done < <(find "$LAB_CACHE" -maxdepth 1 -regex '.*/\(kernel\|mock\|rootfs\)-[0-9a-f]*' -printf '%f\n')
        rm -rf "$LAB_CACHE"
}
