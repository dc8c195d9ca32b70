# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm
#
# Mode confined: the client has the device and nothing else. iommud maps for it, inside its window, what it may write to
# itself; and takes all of it back.
#
# deadline: 300
# expect: daemon-death

. guest/iommud.sh
. guest/mock.sh
. guest/domains.sh

SIZE=$MEMORY_SIZE

bind_driver "$LAB_MOCK" vfio-mock
bind_driver "$LAB_MOCK2" vfio-mock
BEFORE=$(bindings)
use_policy "$(rule allow "$LAB_VMM_UID" any)" "$(rule allow "$LAB_VMM2_UID" any)"

# confine_to NAME UID DEVICE FILE IOVA: a client that has the device, in $LEASE, and the file as its memory
confine_to() {
        start "$1" "$2" iommuctl run --mode confined -d "$3" -- \
                "$PWD/programs/mock-dma" mapped '{device:0}' "$4" "$5"
        assert_says "$1" "$PID" '^ready'
        assert_eq "$(head -n 1 "$CASE_DIR/$1")" ready
        LEASE=$(lease_of "$3")
        assert_eq "$(lease_field "$LEASE" mode)" confined
}

memory memory "$LAB_VMM_UID"
file=$FILE
memory loose "$LAB_VMM_UID" unsealed
loose=$FILE
confine_to m "$LAB_VMM_UID" "$LAB_MOCK" "$file" 0x100000
client=$PID

# It has the device and its memory, but no iommufd
assert_eq "$(find "/proc/$client/fd" -lname /dev/iommu -printf . 2>/dev/null)" ""
assert_answer "unmapped 0x100000" m fill 0x1111 0x100000 0x1000

# ---- what is mapped, and how

assert_eq "$(map 1 "$file" 0x100000)" 0x100000
assert_done m fill 0x1111 0x100000 0x40000
assert_answer same m expect main 0x100000 0x40000 0x1111
assert_answer "unmapped 0x140000" m fill 0x2222 0x140000 0x1000
assert_refused "Something is mapped" map 1 "$file" 0x120000
assert_refused "IovaRanges" map 1 "$file" 0xfee00000
assert_refused "F_SEAL_SHRINK" map 1 "$loose" 0x200000
assert_refused "open for reading only" map 1 "$file" 0x200000 readwrite
assert_refused "has no IOAS 7" map 7 "$file" 0x200000
AS=$LAB_VMM2_UID assert_refused "belongs to uid $LAB_VMM_UID" map 1 /dev/null 0x200000

# For reading: the device can't write there
assert_eq "$(map 1 "$file" 0x200000 read)" 0x200000
assert_answer "unmapped 0x200000" m fill 0x3333 0x200000 0x1000
assert_answer same m expect main 0x100000 0x1000 0x1111

# Where there is room; and all of a range at once, or nothing of it
any=$(map 1 "$file" any)
assert_done m fill 0x4444 "$any" 0x1000
assert_answer same m expect main 0x100000 0x1000 0x4444
assert_refused "cut a mapping" call Unmap ttt 1 $((any)) 4096
assert_eq "$(call Unmap ttt 1 $((any)) "$SIZE")" "t $SIZE"
assert_answer "unmapped $any" m fill 0x5555 "$any" 0x1000
assert_answer same m expect main 0x100000 0x1000 0x4444

# ---- two leases reach nothing of each other, whatever numbers are guessed

first=$LEASE
memory memory2 "$LAB_VMM2_UID"
confine_to m2 "$LAB_VMM2_UID" "$LAB_MOCK2" "$FILE" 0x100000
client2=$PID
AS=$LAB_VMM2_UID map 1 "$FILE" 0x100000 >/dev/null
for id in 2 3; do
        ask m2 attach "$id"
        ask m2 fill 0x6666 0x100000 0x1000
done
assert_answer same m expect main 0x100000 0x1000 0x4444
for id in 0 1 4 5 6 7 8; do
        ask m2 attach "$id"
        assert_match "$ANSWER" "^attach: E"
done
AS=$LAB_VMM2_UID call Revoke 'a{sv}' 0 >/dev/null

# ---- domains with windows

LEASE=$first
ioas=$(call AllocIoas 'a{sv}' 1 iova_windows 'a(tt)' 1 $((0x400000)) $((0x7fffff)) | cut -d ' ' -f 2)
domain=$(call AllocDomain 'sta{sv}' "$LAB_MOCK" "$ioas" 1 dirty_tracking b true | cut -d ' ' -f 2)
assert_refused "not in one window" map "$ioas" "$file" 0x100000
assert_eq "$(map "$ioas" "$file" any)" 0x400000
call Attach 'sta{sv}' "$LAB_MOCK" "$domain" 0 >/dev/null
assert_done m fill 0x7777 0x400000 0x1000
assert_answer same m expect main 0x100000 0x1000 0x7777
assert_answer "unmapped 0x100000" m fill 0x8888 0x100000 0x1000

# What is dirty, exactly
call SetDirtyTracking tb "$domain" true
assert_done m fill 0x9999 0x402008 8
assert_done m fill 0x9999 0x43f000 0x1000
assert_eq "$(as_user "$LAB_VMM_UID" programs/map-file dirty "$LEASE" "$domain" 0x400000 0x40000)" "dirty 0x402000 0x43f000"
assert_eq "$(as_user "$LAB_VMM_UID" programs/map-file dirty "$LEASE" "$domain" 0x400000 0x40000)" "dirty"

# ---- the daemon dies, and knows all of it again

kill_daemon
assert_eq "$(lease_field "$LEASE" state)" active
assert_done m fill 0xaaaa 0x400000 0x1000
assert_match "$(call DmaState)" "\"pinned\" t $((2 * SIZE))"
assert_eq "$(call Unmap ttt 1 $((0x200000)) "$SIZE")" "t $SIZE"
call Attach 'sta{sv}' "$LAB_MOCK" 2 0 >/dev/null

# ---- everything is taken back, under a device that writes all the time and attaches itself anew

ask m stream 0x100000 0x4000
ask m progress 10
call Revoke 'a{sv}' 0 >/dev/null
ask m stop
assert_answer "attached 0" m sweep 500
ask m fill 0xbbbb 0x100000 0x1000
assert_eq "$ANSWER" "blocked 0x100000"
assert_refused "taken back for good" map 1 "$file" 0x100000
assert_refused "taken back for good" call AllocIoas 'a{sv}' 0
assert_eq "$(call DmaState | cut -d ' ' -f 2-4)" "0 0 1"

kill "$client"
wait "$client" || true
assert_ended "$first"
kill "$client2" 2>/dev/null || true
wait "$client2" || true
assert_untouched
bind_native "$LAB_MOCK"
bind_native "$LAB_MOCK2"
