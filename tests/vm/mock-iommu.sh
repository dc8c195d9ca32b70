# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The module of mock-iommu, for the kernel of the lab. In the cache afterwards: mock-KEY/iommud-mock.ko

# Of the kernel that it is for, what it is made of, and how
mock_name() {
        local files=("$LAB_VM"/mock-iommu/*)

        printf 'mock-%s\n' "$(digest "$(kernel_name)" "${files[@]/#/@}" "$(declare -f mock_build)")"
}

mock_dir() {
        printf '%s/%s\n' "$LAB_CACHE" "$(mock_name)"
}

mock_build() {
        local name="$1" work

        install_packages "${HOST_PACKAGES_LAB[@]}"
        work=$(scratch "$name")
        mkdir -p "$work"/{src,out}
        cp "$LAB_VM"/mock-iommu/* "$work/src"
        with_progress "mock IOMMU" "$work/log" make -C "$(kernel_dir)/devel" M="$work/src" modules
        cp "$work/src/iommud-mock.ko" "$work/out"

        publish "$work/out" "$name"
        rm -rf "$work"
}

# Leaves the module in the cache; needs the kernel there
mock_prepare() {
        local name

        name=$(mock_name)
        if ! cached "$name"; then
                mock_build "$name"
        fi
        retire mock "$name"
}
