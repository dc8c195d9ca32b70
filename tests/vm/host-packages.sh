# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the machine itself must have: compilers, libraries and tools, all from its own release. Everything newer than
# that (kernel, QEMU, the guest's userland) stays inside the cache and is never installed.

# what iommud is built from
HOST_PACKAGES_BUILD=(
        gcc ccache meson ninja-build pkgconf libc6-dev
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
        gcc libc6-dev binutils  # binutils make the boot sector of a disk, too
        make flex bison bc lz4 libelf-dev libssl-dev rsync perl-base
)

# installer COMMAND...: what changes the machine comes to its end even when the lab does not. It is not the guard's to kill.
installer() {
        env -u LAB_MARK DEBIAN_FRONTEND=noninteractive "$@" </dev/null
}

# install_packages NAME...: those that are missing
install_packages() {
        local missing=() p installed

        # Fails when one is not known at all
        installed=$(dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null) || true
        for p; do
                if ! grep -qxF "installed $p" <<<"$installed"; then
                        missing+=("$p")
                fi
        done
        if ((${#missing[@]} == 0)); then
                return 0
        fi

        say "installing ${missing[*]}"
        # Some other source of this machine may be broken, and is none of our business
        apt-get update || note "not all package lists could be read, going on with those that could"
        # What was interrupted, here or elsewhere, has to come to its end first. It will not without what it depends on, which
        # is next.
        installer dpkg --configure --pending || true
        installer apt-get install --yes --no-install-recommends --fix-broken \
                --option DPkg::Lock::Timeout=600 "${missing[@]}"
}
