# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm
#
# Domains of all kinds, made and attached by iommud, on the mock: nested ones, page faults, PASIDs, groups of two; and what is so
# when a move fails.
#
# deadline: 300
# expect: daemon-death

. guest/iommud.sh
. guest/mock.sh
. guest/domains.sh

for device in $LAB_MOCKS; do
        bind_driver "$device" vfio-mock
done
BEFORE=$(bindings)
allow "$LAB_VMM_UID" any

# made NAME DEVICE IOAS OPTION…: by the client $CLIENT; leaves $DOMAIN and $IOAS
made() {
        ask "$CLIENT" made "$1" "$LEASE" "${@:2}"
        assert_match "$ANSWER" '^[0-9]+ [0-9]+$'
        read -r DOMAIN IOAS <<<"$ANSWER"
}

attached m "$LAB_VMM_UID" "$LAB_MOCK" mock-dma
client=$PID
CLIENT=m

# ---- nested: the second stage is its parent's

made parent "$LAB_MOCK" 0 nest
parent=$DOMAIN
ask m made-nested child "$LEASE" "$LAB_MOCK" "$parent" 0x40000000 0x40001fff 0x101000
child=$ANSWER
assert_match "$child" '^[0-9]+$'
attach "$LAB_MOCK" "$child" >/dev/null
assert_done m fill 0x1111 0x40000000 0x2000
assert_answer same m expect parent 0x101000 0x2000 0x1111
assert_answer same m expect parent 0x103000 0x1000 0
assert_answer "unmapped 0x40002000" m fill 0x2222 0x40001000 0x2000
assert_answer "unmapped 0x100000" m fill 0x2222 0x100000 0x1000
assert_answer 1 m invalidate child 0x40000000 0x40001fff
assert_refused "is in use" call Destroy t "$parent"
assert_refused "not of kind nest-parent" call AllocDomain 'sta{sv}' "$LAB_MOCK" 2 3 kind s nested data_type u 1 data ay 1 0
assert_refused "A nested domain has" call AllocDomain 'sta{sv}' "$LAB_MOCK" "$parent" 1 kind s nested
mapfile -t zeroes < <(yes 0 | head -n 129)
assert_refused "1 to 128 bytes" call AllocDomain 'sta{sv}' "$LAB_MOCK" "$parent" 3 kind s nested data_type u 1 data ay 129 \
        "${zeroes[@]}"
assert_refused "can't make such a domain" \
        call AllocDomain 'sta{sv}' "$LAB_MOCK" "$parent" 3 kind s nested data_type u 1 data ay 1 0
kill_daemon
assert_match "$(call DmaState)" "\"handle\" t $child \"kind\" s \"nested\" .* \"parent\" t $parent"
assert_eq "$(target_of "$LAB_MOCK")" "$child"
assert_done m fill 0x3333 0x40000000 0x1000
attach "$LAB_MOCK" 2 >/dev/null
call Destroy t "$child"
call Destroy t "$parent"

# ---- page faults come out of the queue, and wait for an answer

made f "$LAB_MOCK" 0 fault pasid empty
fault=$DOMAIN
attach "$LAB_MOCK" "$fault" >/dev/null
attach "$LAB_MOCK" "$fault" 9 >/dev/null
assert_answer "fault 0x102000 0" m fill 0x4444 0x102000 0x1000
assert_done m map f 0x102000 0x1000
assert_done m answer success
assert_answer same m expect f 0x102000 0x1000 0x4444
assert_answer "fault 0x103000 9" m fill 0x4444 0x103000 0x1000 9
assert_answer "unmapped 0x103000" m answer invalid
kill_daemon
assert_answer "fault 0x104000 9" m fill 0x5555 0x104000 0x1000 9
assert_done m map f 0x104000 0x1000
assert_done m answer success
assert_answer same m expect f 0x104000 0x1000 0x5555
detach "$LAB_MOCK" 9
attach "$LAB_MOCK" 2 >/dev/null
call Destroy t "$fault"

# ---- PASIDs: each has its domain, beside that of the device

made rid "$LAB_MOCK" 1 pasid
rid=$DOMAIN
made p "$LAB_MOCK" 0 pasid
p=$DOMAIN
made q "$LAB_MOCK" 0 pasid
q=$DOMAIN
assert_refused "was not made for PASIDs" attach "$LAB_MOCK" "$p" 5
attach "$LAB_MOCK" "$rid" >/dev/null
assert_match "$(attach "$LAB_MOCK" "$p" 5)" '"replaced" b false "pasid" u 5'
attach "$LAB_MOCK" "$q" 1023 >/dev/null
assert_match "$(call Attach 'sta{sv}' "$LAB_MOCK" "$q" 1 any_pasid b true)" '"pasid" u 1$'
assert_done m fill 0x6666 0x100000 0x1000 5
assert_done m fill 0x7777 0x100000 0x1000 1023
assert_done m fill 0x8888 0x100000 0x1000
assert_answer same m expect p 0x100000 0x1000 0x6666
assert_answer same m expect q 0x100000 0x1000 0x7777
assert_answer same m expect main 0x100000 0x1000 0x8888
assert_answer "blocked 0x100000" m fill 0x9999 0x100000 0x1000 6
for pasid in 0 1024 4294967295; do
        assert_fails attach "$LAB_MOCK" "$p" "$pasid"
done
assert_refused "PASIDs begin with 1" attach "$LAB_MOCK" "$p" 0
assert_refused "has no PASID 1024: it has 1 to 1023" attach "$LAB_MOCK" "$p" 1024
assert_refused "is in use" call Destroy t "$p"
assert_refused "has PASIDs attached" attach "$LAB_MOCK" 2

# One PASID moves under its DMA, and nothing of it is lost
ask m served 0
ask m stream 0x100000 0x4000 5
ask m progress 200
assert_match "$(attach "$LAB_MOCK" "$q" 5)" '"replaced" b true'
ask m progress 1000
ask m stop
assert_match "$ANSWER" '^pieces [0-9]+ served [0-9]+ blocked 0 unmapped 0$'
pasid_pieces=${ANSWER#pieces }
ask m verify p q
assert_match "$ANSWER" '^complete '

# The same of the device itself
made b "$LAB_MOCK" 0 pasid
ask m stream 0x100000 0x4000
ask m progress 200
attach "$LAB_MOCK" "$DOMAIN" >/dev/null
ask m progress 1000
ask m stop
assert_match "$ANSWER" '^pieces [0-9]+ served [0-9]+ blocked 0 unmapped 0$'
pieces=${ANSWER#pieces }
ask m verify main b
assert_match "$ANSWER" '^complete '

detach "$LAB_MOCK" 5
assert_answer "blocked 0x100000" m fill 0x9999 0x100000 0x1000 5
detach "$LAB_MOCK" 5
call Destroy t "$p"

# The end of the lease is that of all of it, whoever has attached it
ask m attach q 77
finish "$client"
attached again "$LAB_VMM_UID" "$LAB_MOCK" mock-dma
for pasid in 1 5 77 1023; do
        assert_answer 0 again number "$pasid"
        assert_answer "blocked 0x100000" again fill 1 0x100000 0x1000 "$pasid"
done
finish "$PID"

# ---- a group of two goes as one

start two "$LAB_VMM_UID" iommuctl run --mode attached -d "$LAB_MOCK_SHARED_A" -d "$LAB_MOCK_SHARED_B" -- \
        "$PWD/programs/mock-dma" bound '{iommufd}' '{device:0}' 3
assert_says two "$PID" '^ready'
client=$PID
CLIENT=two
LEASE=$(lease_of "$LAB_MOCK_SHARED_A")
made p "$LAB_MOCK_SHARED_A" 0 pasid
assert_eq "$(target_of "$LAB_MOCK_SHARED_A") $(target_of "$LAB_MOCK_SHARED_B")" "2 2"
attach "$LAB_MOCK_SHARED_B" "$DOMAIN" >/dev/null
assert_eq "$(target_of "$LAB_MOCK_SHARED_A") $(target_of "$LAB_MOCK_SHARED_B")" "$DOMAIN $DOMAIN"
assert_done two fill 0x1111 0x100000 0x1000
assert_answer same two expect p 0x100000 0x1000 0x1111
attach "$LAB_MOCK_SHARED_A" "$DOMAIN" 7 >/dev/null
assert_refused "in use by $LAB_MOCK_SHARED_A of the same group" attach "$LAB_MOCK_SHARED_B" "$DOMAIN" 7
attach "$LAB_MOCK_SHARED_B" "$DOMAIN" 8 >/dev/null
assert_refused "has PASIDs attached" attach "$LAB_MOCK_SHARED_A" 2
detach "$LAB_MOCK_SHARED_A" 7
detach "$LAB_MOCK_SHARED_B" 8

# A move that fails at the second of them: both are in the same state, which is said, and it is true
for gap in N Y; do
        for n in 1 2; do
                attach "$LAB_MOCK_SHARED_A" "$DOMAIN" >/dev/null
                mock_parameter attach_gap "$gap"
                mock_parameter fail_attach "$n"
                assert_refused "attached to nothing now" attach "$LAB_MOCK_SHARED_A" 2
                mock_parameter fail_attach 0
                mock_parameter attach_gap N
                assert_eq "$(target_of "$LAB_MOCK_SHARED_A") $(target_of "$LAB_MOCK_SHARED_B")" "0 0"
                assert_answer 0 two number
                assert_answer "blocked 0x100000" two fill 0x2222 0x100000 0x1000
                assert_match "$(call IovaRanges t 1)" '^a\(tt\)t 1 0 '
        done
done
attach "$LAB_MOCK_SHARED_A" 2 >/dev/null
assert_match "$(call IovaRanges t 1)" '^a\(tt\)t 2 0 4276092927 4277141504 '
assert_done two fill 0x3333 0x100000 0x1000
assert_answer same two expect main 0x100000 0x1000 0x3333
finish "$client"

# ---- one that can nothing of it, and one behind another IOMMU

attached poor "$LAB_VMM_UID" "$LAB_MOCK_POOR" mock-dma
assert_refused "has no PASIDs" attach "$LAB_MOCK_POOR" 2 3
for option in "dirty_tracking|can't tell" "pasid|has no PASIDs"; do
        assert_refused "${option#*|}" call AllocDomain 'sta{sv}' "$LAB_MOCK_POOR" 1 1 "${option%|*}" b true
done
assert_refused "can't make such a domain" call AllocDomain 'sta{sv}' "$LAB_MOCK_POOR" 1 1 kind s nest-parent
domain=$(handle AllocDomain 'sta{sv}' "$LAB_MOCK_POOR" 1 1 fault_queue b true)
assert_refused "can't report page faults" attach "$LAB_MOCK_POOR" "$domain"
assert_eq "$(target_of "$LAB_MOCK_POOR")" 0
assert_answer "blocked 0x100000" poor fill 0x1111 0x100000 0x1000
attach "$LAB_MOCK_POOR" 2 >/dev/null
assert_done poor fill 0x1111 0x100000 0x1000
finish "$PID"
assert clear_quarantine

start elsewhere "$LAB_VMM_UID" iommuctl run --mode attached -d "$LAB_MOCK" -d "$LAB_MOCK_ELSEWHERE" -- \
        "$PWD/programs/mock-dma" bound '{iommufd}' '{device:0}' 3
assert_says elsewhere "$PID" '^ready'
LEASE=$(lease_of "$LAB_MOCK")
assert_ne "$(target_of "$LAB_MOCK")" "$(target_of "$LAB_MOCK_ELSEWHERE")"
assert_refused "and $LAB_MOCK_ELSEWHERE is behind mock-iommu1" attach "$LAB_MOCK_ELSEWHERE" "$(target_of "$LAB_MOCK")"
finish "$PID"

assert_untouched
for device in $LAB_MOCKS; do
        bind_native "$device"
done
conclude "moved under DMA without a loss: ${pieces%% *} pieces of the device, ${pasid_pieces%% *} of a PASID"
