# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What every part of the lab needs: where things are, how to speak, how to build something without ever leaving
# half of it behind. Sourced by tests/lab.

# Kernel, root file system and build directories live outside the checkout: they are large, belong to root, and
# are shared by all checkouts. Whoever deletes this directory loses time and nothing else.
LAB_CACHE="${XDG_CACHE_HOME:-${HOME:?}/.cache}/iommud-lab"

LAB_VM="$LAB_TREE/tests/vm"

say() {
        printf '\e[1m==>\e[0m %s\n' "$*"
}

note() {
        printf '    %s\n' "$*"
}

die() {
        printf '\e[1;31merror:\e[0m %s\n' "$*" >&2
        exit 1
}

# Colours are for people. In a log they are noise.
if [[ ! -t 1 ]]; then
        say() {
                printf '==> %s\n' "$*"
        }
        die() {
                printf 'error: %s\n' "$*" >&2
                exit 1
        }
fi

# duration SECONDS
duration() {
        if (($1 < 60)); then
                printf '%d s' "$1"
        else
                printf '%d min %d s' $(($1 / 60)) $(($1 % 60))
        fi
}

# attempt COMMAND...: runs it, sets LAB_ATTEMPT to its status and goes on. Not `if COMMAND`: errexit is off, all the way
# down, in a command whose failure is handled. A subshell, so nothing that it sets remains, and die() ends only that.
attempt() {
        set +e
        (
                set -e
                "$@"
        )
        LAB_ATTEMPT=$?
        set -e
}

# with_progress LABEL LOGFILE COMMAND...
# Runs a command that prints too much to be read and takes too long to be silent: all of it goes to the log, what
# it is at is shown now and then, and if it fails, the end of the log is shown.
with_progress() {
        local label="$1" log="$2" start=$SECONDS shown=$SECONDS lines=0 line every=15 r
        shift 2

        if [[ -t 1 ]]; then
                every=1
        fi

        # As in attempt()
        set +e
        (
                set -e
                "$@"
        ) 2>&1 </dev/null | while IFS= read -r line; do
                printf '%s\n' "$line"
                lines=$((lines + 1))
                if ((SECONDS >= shown + every)); then
                        shown=$SECONDS
                        if [[ -t 2 ]]; then
                                printf '\r\e[K    %s: %s, %d lines: %.80s' \
                                        "$label" "$(duration $((SECONDS - start)))" "$lines" "$line" >&2
                        else
                                printf '    %s: %s, %d lines: %.100s\n' \
                                        "$label" "$(duration $((SECONDS - start)))" "$lines" "$line" >&2
                        fi
                fi
        done >"$log"
        r=$?
        set -e

        if [[ -t 2 ]]; then
                printf '\r\e[K' >&2
        fi
        if ((r != 0)); then
                printf -- '--- the end of %s:\n' "$log" >&2
                tail -n 40 "$log" >&2
                die "$label failed"
        fi
        note "$label: done in $(duration $((SECONDS - start)))"
}

# digest WORD|@FILE...
# One key for all that went into something: change anything, and the key is another.
digest() {
        local i

        for i; do
                case "$i" in
                @*) sha256sum <"${i#@}" ;;
                *) sha256sum <<<"$i" ;;
                esac
        done | sha256sum | cut -c 1-16
}

# cached NAME: is there a finished one? A name in the cache exists only when all of its content does.
cached() {
        [[ -d "$LAB_CACHE/$1" ]]
}

# publish DIRECTORY NAME
# Gives something that is complete its final name. Everything reaches the disk before the name does, so that the
# name is never found with half the content, be it after a power failure.
publish() {
        sync -f "$1"
        mv -T "$1" "$LAB_CACHE/$2"
        sync -f "$LAB_CACHE"
}

# scratch NAME: an empty directory, where what is to be published is put together. Prints its path.
scratch() {
        local dir="$LAB_CACHE/tmp/$1"

        mkdir -p "$dir"
        printf '%s\n' "$dir"
}

# discard NAME: removes it. The name goes first, as it comes last in publish(): what is interrupted half way is not in the
# cache any more, and goes with the scratch directories. Called with the lock `preparation`, as those are used.
discard() {
        mkdir -p "$LAB_CACHE/tmp"
        mv -T "$LAB_CACHE/$1" "$LAB_CACHE/tmp/$1.old"
        rm -rf "$LAB_CACHE/tmp/$1.old"
}

# sweep_scratch: removes what an earlier run was putting together when it was interrupted. There may be mounts of the host's
# /proc or /dev in it, when it could not have mounts of its own, and nothing of those must be removed.
sweep_scratch() {
        local mount

        while read -r mount; do
                umount --lazy "$mount"
        done < <(findmnt --list --noheadings --output TARGET | grep -F "$LAB_CACHE/tmp/" | sort --reverse)
        rm -rf --one-file-system "$LAB_CACHE/tmp"
}

# with_own_mounts COMMAND...: what it mounts, nobody else sees, and it is gone with the last of its processes. In a container
# that may not mount, there is nothing to keep apart.
with_own_mounts() {
        if unshare --mount true 2>/dev/null; then
                unshare --mount -- "$@"
        else
                "$@"
        fi
}

# retire KIND NAME: NAME is used, and others of its kind that have not been used for long are removed. Another checkout
# may want another kernel, and it takes long to build.
retire() {
        local old

        touch "$LAB_CACHE/$2"
        while read -r old; do
                note "removing $old, which has not been used for two weeks"
                discard "$old"
        done < <(find "$LAB_CACHE" -maxdepth 1 -name "$1-*" -mtime +14 -printf '%f\n')
}

# lock NAME
# Two labs may run at once; what they share is made by one of them, while the other waits. The lock goes with the
# process. Not inherited by what the lab starts in the background: see unlocked(). LAB_HELD is what the lab holds by which this
# one was started, and which waits for it.
lock() {
        local fd=""

        if [[ "$1" == "${LAB_HELD:-}" ]]; then
                return
        fi
        # While it waits, all may be removed: then others lock another file of that name
        until [[ -n "$fd" && "/dev/fd/$fd" -ef "$LAB_CACHE/$1.lock" ]]; do
                if [[ -n "$fd" ]]; then
                        exec {fd}>&-
                fi
                mkdir -p "$LAB_CACHE"
                exec {fd}>"$LAB_CACHE/$1.lock"
                if ! flock --nonblock "$fd"; then
                        say "another lab holds $1, waiting for it"
                        flock "$fd"
                fi
        done
        LAB_LOCKS["$1"]=$fd
}

unlock() {
        local fd=${LAB_LOCKS["$1"]}

        exec {fd}>&-
        unset 'LAB_LOCKS[$1]'
}
declare -gA LAB_LOCKS=()
