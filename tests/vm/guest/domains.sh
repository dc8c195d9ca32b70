# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For cases with leases in which iommud binds and attaches, on top of iommud.sh. $LEASE is the one that is talked about, $AS
# who talks if it is not LAB_VMM_UID.

MEMORY_SIZE=262144

# call MEMBER SIGNATURE ARGUMENT…: of the lease
call() {
        as_user "${AS:-$LAB_VMM_UID}" busctl call org.iommud1 "/org/iommud1/lease/$LEASE" org.iommud1.Lease "$@"
}

# handle MEMBER …: the handle that it answers with
handle() {
        call "$@" | cut -d ' ' -f 2
}

# attach DEVICE TARGET [PASID], detach DEVICE [PASID]
attach() {
        call Attach 'sta{sv}' "$1" "$2" ${3:+1 pasid u} "${3:-0}"
}

detach() {
        call Detach 'sa{sv}' "$1" ${2:+1 pasid u} "${2:-0}"
}

# target_of DEVICE: the handle of what iommud has it attached to, 0 for nothing
target_of() {
        call DmaState | grep -oP "\"name\" s \"$1\" \"target\" t \K[0-9]+"
}

# memory NAME UID [unsealed]: whose path is $FILE, as long as $PID lives
memory() {
        start "$1" "$2" "$PWD/programs/map-file" hold "${SIZE:-$MEMORY_SIZE}" "${@:3}"
        assert_says "$1" "$PID" '^/proc/'
        FILE=$(head -n 1 "$CASE_DIR/$1")
}

map() {
        as_user "${AS:-$LAB_VMM_UID}" programs/map-file map "$LEASE" "$@"
}

# confine NAME UID DEVICE PROGRAM: with all of $FILE as its memory, at 1 MiB, from its start on. It is $PID, and has $LEASE.
confine() {
        # shellcheck disable=SC2016 # in that shell
        start "$1" "$2" iommuctl run --mode confined -d "$3" -- sh -c 'read -r line && exec "$@"' sh \
                "$PWD/programs/$4" mapped '{device:0}' "$FILE" 0x100000
        LEASE=$(new_lease "$3")
        AS=$2 map 1 "$FILE" 0x100000 >/dev/null
        say "$1" go
        assert_says "$1" "$PID" '^ready'
        assert_eq "$(head -n 1 "$CASE_DIR/$1")" ready
        assert_eq "$(lease_field "$LEASE" mode)" confined
}

has_active_lease() {
        LEASE=$(lease_of "$1")
        [[ "$LEASE" != null ]] && lease_is "$LEASE" active
}

# new_lease DEVICE: its number, as soon as it is there
new_lease() {
        wait_until 60 has_active_lease "$1" || fail "$1 is not handed out"
        echo "$LEASE"
}

# attached NAME UID DEVICE PROGRAM [IOAS]: the same in mode attached. The number of its first IOAS is 2 if it is alone.
attached() {
        start "$1" "$2" iommuctl run --mode attached -d "$3" -- "$PWD/programs/$4" bound '{iommufd}' '{device:0}' "${5:-2}"
        assert_says "$1" "$PID" '^ready'
        assert_eq "$(head -n 1 "$CASE_DIR/$1")" ready
        LEASE=$(lease_of "$3")
        assert_eq "$(lease_field "$LEASE" mode)" attached
}

# finish PID: a client ends, and its lease with it
finish() {
        kill "$1" 2>/dev/null || true
        wait "$1" || true
        assert_ended "$LEASE"
}
