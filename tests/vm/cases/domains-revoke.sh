# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm
#
# Memory that was moved away from, unmapped, detached, taken back or released is not written to any more, by a device that never
# stops writing: what the processor puts there afterwards, stays. Mode confined, on the mock.
#
# deadline: 300
# expect: daemon-death

. guest/iommud.sh
. guest/mock.sh
. guest/domains.sh

for device in "$LAB_MOCK" "$LAB_MOCK_POOR" "$LAB_MOCK_SHARED_A" "$LAB_MOCK_SHARED_B"; do
        bind_driver "$device" vfio-mock
done
BEFORE=$(bindings)
use_policy "$(rule allow "$LAB_VMM_UID" any)" "$(rule allow "$LAB_VMM2_UID" any)"

# counter NAME WORD: of the device
counter() {
        ask "$1" counters
        grep -oP "\\b$2 \\K[0-9]+" <<<"$ANSWER"
}

# assert_canary NAME: the device goes on with its stream for hundreds of pieces, and none of them reaches the client's memory
CANARIES=0
assert_canary() {
        local name="$1" served pieces

        assert_done "$name" set main 0x100000 0x40000 0xc0ffee
        served=$(counter "$name" served)
        pieces=$(counter "$name" pieces)
        ask "$name" progress $((pieces - ${STREAM_BEGAN:-0} + 500))
        assert_answer same "$name" expect main 0x100000 0x40000 0xc0ffee
        assert_eq "$(counter "$name" served)" "${2:-$served}" "how many pieces were served"
        CANARIES=$((CANARIES + $(counter "$name" pieces) - pieces))
}

# begin NAME: the stream, into the client's memory
begin() {
        STREAM_BEGAN=$(counter "$1" pieces)
        assert_answer streaming "$1" stream 0x100000 0x4000
        ask "$1" progress 100
}

# assert_nothing NAME: whoever has the device can attach it to nothing
assert_nothing() {
        assert_answer "attached 0" "$1" sweep 500
        assert_answer "attached 0" "$1" sweep 500 0
}

# ---- a device that can't be reset, and so writes through everything

memory first "$LAB_VMM_UID"
keeper=$PID
confine poor "$LAB_VMM_UID" "$LAB_MOCK_POOR" mock-dma
client=$PID
begin poor

# Unmapped under it, mapped again
assert_eq "$(call Unmap ttt 1 $((0x100000)) "$MEMORY_SIZE")" "t $MEMORY_SIZE"
assert_canary poor
map 1 "$FILE" 0x100000 >/dev/null
served=$(counter poor served)
ask poor progress $(($(counter poor pieces) - STREAM_BEGAN + 100))
assert_ne "$(counter poor served)" "$served"

# Detached under it
detach "$LAB_MOCK_POOR"
assert_canary poor
attach "$LAB_MOCK_POOR" 2 >/dev/null

# Moved, to where other memory is at the same address: that one is written to now, and this one no more
mine=$FILE
memory second "$LAB_VMM_UID"
keeper2=$PID
ioas=$(handle AllocIoas 'a{sv}' 0)
map "$ioas" "$FILE" 0x100000 >/dev/null
domain=$(handle AllocDomain 'sta{sv}' "$LAB_MOCK_POOR" "$ioas" 0)
attach "$LAB_MOCK_POOR" "$domain" >/dev/null
assert_done poor set main 0x100000 0x40000 0xc0ffee
blocked=$(counter poor blocked)
ask poor progress $(($(counter poor pieces) - STREAM_BEGAN + 500))
assert_answer same poor expect main 0x100000 0x40000 0xc0ffee
assert_eq "$(counter poor blocked)" "$blocked"
assert_ne "$(head -c 16384 "$FILE" | sha256sum)" "$(head -c 16384 /dev/zero | sha256sum)"
FILE=$mine
attach "$LAB_MOCK_POOR" 2 >/dev/null

# Taken back
assert_eq "$(call Revoke 'a{sv}' 0)" "a{sv} 1 \"not_reset\" as 1 \"$LAB_MOCK_POOR\""
assert_canary poor
assert_nothing poor
assert_canary poor
kill_daemon
assert_eq "$(call Revoke 'a{sv}' 0)" "a{sv} 1 \"not_reset\" as 1 \"$LAB_MOCK_POOR\""
assert_canary poor
finish "$client"
assert clear_quarantine

# ---- released, while its client keeps the device and goes on

confine kept "$LAB_VMM_UID" "$LAB_MOCK_POOR" mock-dma
client=$PID
begin kept
call Release 'a{sv}' 0
# it is looked at after everything was cut off
wait_until 30 lease_says "$LEASE" "is still open" || fail "the lease is $(lease_field "$LEASE" state)"
assert_nothing kept
assert_canary kept
finish "$client"
assert clear_quarantine

# PASID 0, which the kernel takes for the device, is what only a client attaches
confine zero "$LAB_VMM_UID" "$LAB_MOCK" mock-dma
client=$PID
assert_done zero detach
ask zero sweep 20 0
assert_match "$ANSWER" '^attached [1-9]'
call Release 'a{sv}' 0
wait_until 30 lease_says "$LEASE" "is still open" || fail "the lease is $(lease_field "$LEASE" state)"
assert_nothing zero
assert_answer 0 zero number
assert_answer "blocked 0x100000" zero fill 0x1111 0x100000 0x1000
finish "$client"

# ---- all that a domain can be, and what the client has done behind the daemon's back

confine all "$LAB_VMM_UID" "$LAB_MOCK" mock-dma
client=$PID
ask all made parent "$LEASE" "$LAB_MOCK" 0 nest
read -r parent ioas <<<"$ANSWER"
ask all made-nested child "$LEASE" "$LAB_MOCK" "$parent" 0x100000 0x13ffff 0x100000
child=$ANSWER
ask all made f "$LEASE" "$LAB_MOCK" 0 fault pasid
read -r fault faults <<<"$ANSWER"
map "$ioas" "$FILE" 0x100000 >/dev/null
attach "$LAB_MOCK" "$child" >/dev/null
assert_done all fill 0x1111 0x100000 0x1000
assert_answer same all expect main 0x100000 0x1000 0x1111
attach "$LAB_MOCK" "$fault" >/dev/null
attach "$LAB_MOCK" "$fault" 5 >/dev/null
assert_answer "fault 0x100000 5" all fill 0x2222 0x100000 0x1000 5
map "$faults" "$FILE" 0x100000 >/dev/null
assert_done all answer success
assert_answer same all expect main 0x100000 0x1000 0x2222
ask all sweep 20 0
for pasid in 7 1023; do
        ask all sweep 20 "$pasid"
        assert_match "$ANSWER" '^attached [1-9]'
done
assert_answer "fault 0x200000 5" all fill 0x3333 0x200000 0x1000 5
assert_eq "$(call Revoke 'a{sv}' 0)" 'a{sv} 1 "not_reset" as 0'
assert_nothing all
STREAM_BEGAN=$(counter all pieces)
assert_answer streaming all stream 0x100000 0x4000
assert_canary all 0
ask all stop
for pasid in 5 7 1023; do
        assert_answer 0 all number "$pasid"
        assert_answer "blocked 0x100000" all fill 0x4444 0x100000 0x1000 "$pasid"
done
assert_answer same all expect main 0x100000 0x40000 0xc0ffee
finish "$client"
kill "$keeper" "$keeper2"
wait "$keeper" "$keeper2" || true

# ---- who has mapped it need not be there any more: a child for each of these, and a daemon before this one

SIZE=$((8 << 20))
memory big "$LAB_VMM_UID"
keeper=$PID
confine big-client "$LAB_VMM_UID" "$LAB_MOCK" mock-dma
client=$PID
ioas=$(handle AllocIoas 'a{sv}' 0)
map "$ioas" "$FILE" 0x40000000 >/dev/null
assert_eq "$(pgrep -c iommud-task || true)" 0 "the number of children"
assert_soon 20 no_idle_child
domain=$(handle AllocDomain 'sta{sv}' "$LAB_MOCK" "$ioas" 0)
attach "$LAB_MOCK" "$domain" >/dev/null
assert_done big-client fill 0x1111 0x40000000 "$SIZE"
assert_answer same big-client expect main 0x100000 "$SIZE" 0x1111
attach "$LAB_MOCK" 2 >/dev/null
call Destroy t "$domain"
kill_daemon
domain=$(handle AllocDomain 'sta{sv}' "$LAB_MOCK" "$ioas" 0)
attach "$LAB_MOCK" "$domain" >/dev/null
assert_done big-client fill 0x2222 0x40000000 "$SIZE"
assert_answer same big-client expect main 0x100000 "$SIZE" 0x2222
assert_eq "$(call Unmap ttt "$ioas" $((0x40000000)) "$SIZE")" "t $SIZE"
assert_answer "unmapped 0x40000000" big-client fill 0x3333 0x40000000 0x1000
finish "$client"
kill "$keeper"
wait "$keeper" || true
SIZE=$MEMORY_SIZE

# ---- the companion is nobody else's, before and after

memory shared "$LAB_VMM_UID"
keeper=$PID
confine shared-client "$LAB_VMM_UID" "$LAB_MOCK_SHARED_A" mock-dma
client=$PID
assert_eq "$(lease_field "$LEASE" 'companions | join(" ")')" "$LAB_MOCK_SHARED_B"
for ((i = 0; i < 2; i++)); do
        assert_refused "(Taken)" as_user "$LAB_VMM2_UID" iommuctl acquire "$LAB_MOCK_SHARED_B"
        assert_fails bash -c "echo $LAB_MOCK_SHARED_B >/sys/bus/iommud-mock/drivers/mock-native/bind"
        exec {device}<>"/dev/vfio/devices/$(cdev_of "$LAB_MOCK_SHARED_B")" {iommufd}<>/dev/iommu
        assert_fails programs/mock-dma unbound "$iommufd" "$device"
        exec {device}>&- {iommufd}>&-
        ((i > 0)) || assert_eq "$(call Revoke 'a{sv}' 0)" 'a{sv} 1 "not_reset" as 0'
done
finish "$client"
kill "$keeper"
wait "$keeper" || true

assert_untouched
for device in "$LAB_MOCK" "$LAB_MOCK_POOR" "$LAB_MOCK_SHARED_A" "$LAB_MOCK_SHARED_B"; do
        bind_native "$device"
done
conclude "$CANARIES pieces of DMA to memory that was not the device's any more, and none arrived"
