# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Packages of another Debian than the machine's own, without touching the machine: a second, private configuration of
# apt in the cache, with its own lists and archives, for the same mirror that the machine uses.

LAB_SUITE=trixie
LAB_BACKPORTS=trixie-backports
# The oldest that iommud is for: see rootfs.sh
LAB_OLD_SUITE=bookworm
LAB_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# The places of Debian's own archive that the machine's apt knows, best first
debian_mirrors() {
        local codename uri release component

        codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
        # shellcheck disable=SC2016 # apt's variables, not the shell's
        apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
                while read -r uri release component; do
                        case "$component:$release" in
                        main:"$codename" | main:stable | main:oldstable | main:testing)
                                printf '%s\n' "$uri"
                                ;;
                        esac
                done | sort -u
}

private_apt_dir() {
        printf '%s\n' "$LAB_CACHE/apt"
}

# private_apt_sources MIRROR SUITE...
private_apt_sources() {
        local suite

        for suite in "${@:2}"; do
                printf 'deb [signed-by=%s] %s %s main\n' "$LAB_KEYRING" "$1" "$suite"
        done
}

# How the machine's apt reaches its mirror (proxies, retries) holds for ours too
private_apt_transport() {
        apt-config dump | grep -E '^Acquire::(https?|Retries|ForceIPv[46])(::[^ ]*)? "[^"]' || true
}

# private_apt COMMAND...: apt-get, apt-cache or apt-mark, which then knows only the lab's sources
private_apt() {
        APT_CONFIG="$(private_apt_dir)/apt.conf" "$@"
}

# private_apt_prepare SUITE...: leaves $LAB_CACHE/apt with sources.list, transport.conf and fresh lists, of these and no others
private_apt_prepare() {
        local dir mirror mirrors

        dir=$(private_apt_dir)
        mkdir -p "$dir"/{lists/partial,cache/archives/partial}
        : >"$dir/status"

        cat >"$dir/apt.conf" <<EOF
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$dir";
Dir::State::lists "$dir/lists";
Dir::State::status "$dir/status";
Dir::Cache "$dir/cache";
Acquire::Languages "none";
// the cache belongs to root alone, where apt's own user cannot write
APT::Sandbox::User "root";
EOF
        private_apt_transport >"$dir/transport.conf"
        cat "$dir/transport.conf" >>"$dir/apt.conf"

        mirrors=$(debian_mirrors)
        for mirror in $mirrors; do
                say "reading the package lists of $*"
                private_apt_sources "$mirror" "$@" >"$dir/sources.list"
                # Signatures are checked, so a source that is not Debian's fails here and the next one has its turn
                if private_apt apt-get update --error-on=any; then
                        return 0
                fi
        done

        die "none of the mirrors in this machine's apt configuration has $*"
}
