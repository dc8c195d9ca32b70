# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm
#
# What a lease of mode confined reaches is made, mapped, moved and taken back by `iommuctl domain` alone: by its client's own command,
# by another process of its user, and by root; and by nobody else. On the mock, and on edu behind VT-d.
#
# deadline: 120
# expect: daemon-death

. guest/iommud.sh
. guest/mock.sh
. guest/domains.sh

WINDOW_TYPE=0x1d4d0c02
VIOMMU_TYPE=0x1d4d0c04

# domain VERB ARGUMENT…: of the lease, by $AS or its user
domain() {
        as_user "${AS:-$LAB_VMM_UID}" iommuctl domain "$1" "$LEASE" "${@:2}"
}

# in_json FILTER VERB ARGUMENT…
in_json() {
        domain "${@:2}" --json | jq -c "$1"
}

# confine_by_itself NAME DEVICE PROGRAM: with all of $FILE at 1 MiB, which its own command has mapped
confine_by_itself() {
        # shellcheck disable=SC2016 # in that shell
        start "$1" "$LAB_VMM_UID" iommuctl run --mode confined -d "$2" -- sh -c \
                'iommuctl domain map "$IOMMUD_LEASE" 1 "$1" --iova=0x100000 >&2 && exec "$2" mapped "{device:0}" "$1" 0x100000' \
                sh "$FILE" "$PWD/programs/$3"
        assert_says "$1" "$PID" '^ready'
        LEASE=$(lease_of "$2")
}

# little_endian NUMBER…: 8 bytes each, in hexadecimal digits
little_endian() {
        local number byte

        for number in "$@"; do
                for ((byte = 0; byte < 64; byte += 8)); do
                        printf '%02x' $((number >> byte & 0xff))
                done
        done
}

bind_driver "$LAB_MOCK" vfio-mock
BEFORE=$(bindings)
use_policy "$(rule allow "$LAB_VMM_UID" any | jq -c '. + {limits: {pinned_bytes: 348160}}')" "$(rule allow "$LAB_VMM2_UID" any)"

memory memory "$LAB_VMM_UID"
keeper=$PID
confine_by_itself m "$LAB_MOCK" mock-dma
client=$PID
assert_done m fill 0x1111 0x100000 0x1000

# ---- who may

AS=$LAB_VMM2_UID assert_refused "belongs to uid $LAB_VMM_UID" domain detach "$LAB_MOCK"
AS=$LAB_VMM2_UID assert_refused "(Denied)" domain revoke
assert_eq "$(AS=0 in_json .driver hw-info "$LAB_MOCK")" '""'
assert_eq "$(in_json '[.pasids, .nesting, .dirty_tracking]' hw-info "$LAB_MOCK")" '[1023,true,true]'

# ---- what was written to, exactly, and again until it is told for good

dirty=$(domain alloc "$LAB_MOCK" 1 --dirty-tracking --pasid-capable)
domain attach "$LAB_MOCK" "$dirty"
domain dirty "$dirty" on
assert_done m fill 0x2222 0x102008 8
assert_done m fill 0x2222 0x110000 0x3000
written='[{"iova":1056768,"length":4096},{"iova":1114112,"length":12288}]'
assert_eq "$(in_json .dirty bitmap "$dirty" 0x100000 "$MEMORY_SIZE" --keep)" "$written"
assert_eq "$(in_json .dirty bitmap "$dirty" 0x100000 "$MEMORY_SIZE")" "$written"
assert_eq "$(in_json .dirty bitmap "$dirty" 0x100000 "$MEMORY_SIZE")" '[]'
domain dirty "$dirty" off
assert_refused "can't tell which pages are dirty" domain dirty 2 on

# ---- a PASID has memory of its own, inside a window, where there is room

ioas=$(domain alloc-ioas --window=4M-0x4fffff)
assert_eq "$(domain map "$ioas" "$FILE" --offset=64K --length=64K)" 0x400000
assert_refused "not in one window" domain map "$ioas" "$FILE" --iova=0x100000
second=$(domain alloc "$LAB_MOCK" "$ioas" --pasid-capable)
assert_eq "$(domain attach "$LAB_MOCK" "$second" --pasid=5)" 5
assert_eq "$(domain attach "$LAB_MOCK" "$second" --pasid=any)" 1
assert_done m fill 0x3333 0x400000 0x1000 5
assert_answer same m expect main 0x110000 0x1000 0x3333
assert_answer "unmapped 0x410000" m fill 0x3333 0x410000 0x1000 1
domain detach "$LAB_MOCK" --pasid=5
domain detach "$LAB_MOCK" --pasid=1
assert_answer "blocked 0x400000" m fill 0x3333 0x400000 0x1000 5

# A copy of a file: the device reads it, and what it writes there the file does not have
printf '%4096s' x >"$CASE_DIR/file"
chmod 644 "$CASE_DIR/file"
assert_refused "only a copy (--copy)" domain map "$ioas" "$CASE_DIR/file" --read-only
assert_eq "$(domain map "$ioas" "$CASE_DIR/file" --copy)" 0x410000
assert_refused "asks for 65536 more" domain map "$ioas" "$FILE" --length=64K
domain attach "$LAB_MOCK" "$second"
assert_done m copy 0x410000 0x400000 0x1000
cmp <(dd if="$FILE" bs=4096 skip=16 count=1 status=none) "$CASE_DIR/file" || fail "the device has read something else"
assert_done m fill 0x4444 0x410000 0x1000
assert_eq "$(sha256sum <"$CASE_DIR/file")" "$(printf '%4096s' x | sha256sum)"
assert_eq "$(domain unmap "$ioas" all)" $((65536 + 4096))
assert_answer "unmapped 0x400000" m fill 0x5555 0x400000 0x1000
domain attach "$LAB_MOCK" "$dirty"

# ---- nested on a domain, and on a virtual IOMMU

parent=$(domain alloc "$LAB_MOCK" 1 --kind=nest-parent)
window="$WINDOW_TYPE:$(little_endian 0x40000000 0x40001fff 0x101000)"
nested=$(domain alloc "$LAB_MOCK" "$parent" --kind=nested --data="$window")
domain attach "$LAB_MOCK" "$nested"
assert_done m fill 0x6666 0x40000000 0x2000
assert_answer same m expect main 0x101000 0x2000 0x6666
assert_answer "unmapped 0x40002000" m fill 0x6666 0x40002000 0x1000
assert_eq "$(in_json .data alloc-viommu "$LAB_MOCK" "$parent" --data="$VIOMMU_TYPE:$(little_endian 1 0)")" \
        "\"$(little_endian 1 -2)\""
viommu=$(as_user "$LAB_VMM_UID" iommuctl domain "$LEASE" --json | jq '.[0].dma.virtuals[0].handle')
domain alloc-vdevice "$LAB_MOCK" "$viommu" 0x4d >/dev/null
assert_refused "is in use" domain destroy "$parent"

# ---- page faults: shown, and the device waits for the answer; whoever maps the page has the rest of it go through

# queue NAME VERB ARGUMENT…: in the background; its handle is $HANDLE
queue() {
        start "$1" "$LAB_VMM_UID" iommuctl domain "$2" "$LEASE" "${@:3}"
        assert_says "$1" "$PID" '^[0-9]+$'
        HANDLE=$(head -n 1 "$CASE_DIR/$1")
}

empty=$(domain alloc-ioas)
queue faults faults "$LAB_MOCK" "$empty" --answer=ask --pasid-capable
faults=$PID faulting=$HANDLE
domain attach "$LAB_MOCK" "$faulting"
domain attach "$LAB_MOCK" "$faulting" --pasid=9 >/dev/null
ask_ahead m fill 0x6767 0x100000 0x1000
assert_says faults "$faults" "^$LAB_MOCK 0x100000 [a-z,]*write group [0-9]+$"
domain map "$empty" "$FILE" --iova=0x100000 --length=64K >/dev/null
say faults success
assert_answered "done" m
assert_answer same m expect main 0x100000 0x1000 0x6767
ask_ahead m fill 0x6868 0x200000 0x1000 9
assert_says faults "$faults" "^$LAB_MOCK pasid 9 0x200000 [a-z,]*write group [0-9]+$"
say faults invalid
assert_answered "unmapped 0x200000" m
assert_refused "is in use" domain destroy "$faulting"
kill_daemon
assert_soon 20 domain ranges "$empty"
ask_ahead m fill 0x6969 0x300000 0x1000
assert_says faults "$faults" "^$LAB_MOCK 0x300000 "

# It is asked to end with a fault that has no answer: that is invalid. What comes later waits until the device is moved
kill "$faults"
wait "$faults" || fail "it ends with $?"
assert_answered "unmapped 0x300000" m
assert_match "$(cat "$CASE_DIR/faults")" "domain $faulting is in use, and nobody answers its page faults"
ask_ahead m fill 0x6a6a 0x400000 0x1000
domain detach "$LAB_MOCK" --pasid=9
domain attach "$LAB_MOCK" "$dirty"
assert_answered "unmapped 0x400000" m
domain destroy "$faulting"

# With nothing attached the domain goes with the verb; and the verb when all is taken back
start faults-json "$LAB_VMM_UID" iommuctl domain faults "$LEASE" "$LAB_MOCK" "$empty" --json
assert_says faults-json "$PID" '"domain"'
kill -INT "$PID"
wait "$PID" || fail "it ends with $?"
assert_refused "has nothing of the number" domain destroy "$(jq .domain "$CASE_DIR/faults-json")"
queue revoked faults "$LAB_MOCK" "$empty"
revoked=$PID

# ---- all of it back

domain revoke
wait "$revoked" || fail "it ends with $?"
assert_match "$(cat "$CASE_DIR/revoked")" "$HANDLE is not there any more"
assert_answer "attached 0" m sweep 500
assert_answer "blocked 0x100000" m fill 0x7777 0x100000 0x1000
assert_refused "taken back for good" domain alloc-ioas
finish "$client"

# ---- edu: what is detached, or unmapped, is reached no more

SIZE=8192
kill "$keeper"
wait "$keeper" || true
memory edu-memory "$LAB_VMM_UID"
keeper=$PID
confine_by_itself edu "$LAB_EDU" edu-dma
client=$PID
assert_answer "dma ok" edu dma
assert_eq "$(in_json .driver hw-info "$LAB_EDU")" '"intel-vtd"'
assert_refused "has no PASIDs" domain attach "$LAB_EDU" 2 --pasid=1
domain detach "$LAB_EDU"
assert_answer "reached 0" edu reach
domain attach "$LAB_EDU" 2
assert_answer "reached 1" edu reach
assert_eq "$(in_json '[.alignment, .ranges[0].first, .ranges[0].last, .ranges[1].first]' ranges 1)" '[4096,0,4276092927,4277141504]'
assert_eq "$(domain unmap 1 0x100000 8K)" 8192
assert_answer "reached 0" edu reach
finish "$client"
assert clear_quarantine
kill "$keeper"
wait "$keeper" || true

assert_untouched
bind_native "$LAB_MOCK"
