# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Builds of the checkout. Each has its directory in the cache (a lab that runs as root leaves nothing in a user's
# checkout), and is brought up to date by each run, as meson and ninja do. Of a fresh checkout in the same place, ccache knows what
# was compiled for the one before.

# Where things go in the guest, which is a Debian with one /usr, whatever the machine is
LAB_BUILD_COMMON="--prefix=/usr --sysconfdir=/etc --localstatedir=/var"
LAB_BUILD_COMMON+=" -Dsystemdsystemunitdir=/usr/lib/systemd/system -Dvm-tests=true"

export CCACHE_DIR="$LAB_CACHE/ccache" CCACHE_MAXSIZE=500M

# The builds, and what meson is told for each
declare -gA LAB_BUILD_OPTIONS=(
        [gcc]="-Dwerror=true --buildtype=debugoptimized"
        [clang]="-Dwerror=true"
        [sanitize]="-Dwerror=true --buildtype=debug -Db_sanitize=address,undefined"
        [faults]="-Dwerror=true --buildtype=debugoptimized -Dfault-injection=true -Dtests=false"
        [release]="--buildtype=release"
)
declare -gA LAB_BUILD_COMPILER=([gcc]=gcc [clang]=clang [sanitize]=gcc [faults]=gcc [release]=gcc)

builds_dir() {
        printf '%s/build-%s\n' "$LAB_CACHE" "$(digest "$LAB_TREE")"
}

build_dir() {
        printf '%s/%s\n' "$(builds_dir)" "$1"
}

# build NAME: configures if need be, and compiles. With a warning it fails, except in the release build, which is also
# what a tester gets, by compilers that nobody has seen yet.
build() {
        local dir options key

        dir=$(build_dir "$1")
        read -r -a options <<<"$LAB_BUILD_COMMON ${LAB_BUILD_OPTIONS["$1"]}"
        key=$(digest "${LAB_BUILD_COMPILER["$1"]}" "${options[@]}")

        say "building with ${LAB_BUILD_COMPILER["$1"]} ($1)"
        mkdir -p "$dir"
        # A directory that was set up otherwise, or not to the end, begins anew
        if [[ "$(cat "$dir/lab-key" 2>/dev/null)" != "$key" ]]; then
                rm -rf "$dir"
                mkdir -p "$dir"
                with_progress "configuration" "$dir.log" \
                        env CC="ccache ${LAB_BUILD_COMPILER["$1"]}" meson setup "${options[@]}" "$dir" "$LAB_TREE"
                printf '%s\n' "$key" >"$dir/lab-key"
        fi
        with_progress "compilation" "$dir.log" ninja -C "$dir"
}

# stage_dir BUILD: where stage() puts it
stage_dir() {
        printf '%s.stage\n' "$(build_dir "$1")"
}

# stage BUILD: installs it as a package would be put together
stage() {
        local dir

        dir=$(stage_dir "$1")
        rm -rf "$dir"
        mkdir -p "$dir"
        with_progress "installation" "$(build_dir "$1").log" \
                meson install -C "$(build_dir "$1")" --no-rebuild --destdir "$dir"
}
