# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the machine itself must have: compilers, libraries and tools, all from its own release. Everything newer than
# that (kernel, QEMU, the guest's userland) stays inside the cache and is never installed.

# what iommud is built from
HOST_PACKAGES_BUILD=(
        gcc meson ninja-build pkgconf libc6-dev
        dpkg-dev                # tells meson where Debian has its libraries
        libsystemd-dev libudev-dev libjson-c-dev libnl-3-dev libnl-route-3-dev libnl-genl-3-dev
        python3-docutils        # manual pages
)

# what the host's test suites need in addition
HOST_PACKAGES_CHECK=(
        g++                     # the public header in C++
        clang libclang-rt-dev   # the second compiler, libFuzzer
        libasan8 libubsan1
        valgrind libc6-dbg
        dbus                    # a private bus for the tests of the bus layer
        systemd procps          # judges the unit, and looks for what it starts
        iproute2                # network interfaces for the tests of the host's own use
        shellcheck libxml2-utils polkitd python3
)

# what kernel and root file system are made with
HOST_PACKAGES_LAB=(
        mmdebstrap debian-archive-keyring xz-utils
        make flex bison bc lz4 libelf-dev libssl-dev rsync perl-base
)

package_installed() {
        dpkg-query --show --showformat='${db:Status-Status}\n' "$1" 2>/dev/null | grep -x installed >/dev/null
}

# install_packages NAME...: those that are missing
install_packages() {
        local missing=() p

        for p; do
                if ! package_installed "$p"; then
                        missing+=("$p")
                fi
        done
        if ((${#missing[@]} == 0)); then
                return 0
        fi

        say "installing ${missing[*]}"
        # Some other source of this machine may be broken, and is none of our business
        apt-get update || note "not all package lists could be read, going on with those that could"
        DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}" </dev/null
}
