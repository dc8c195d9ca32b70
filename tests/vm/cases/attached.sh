# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize always
#
# Mode attached: iommud binds the device, makes a domain and attaches; the client, who has the iommufd, maps. What is attached
# to what changes by methods of the lease.
#
# deadline: 300
# expect: daemon-death

. guest/iommud.sh
. guest/mock.sh
. guest/domains.sh

bind_driver "$LAB_MOCK" vfio-mock
BEFORE=$(bindings)
allow "$LAB_VMM_UID" any

# The device is the first thing in its context, the IOAS the second
start m "$LAB_VMM_UID" iommuctl run --mode attached -d "$LAB_MOCK" -- "$PWD/programs/mock-dma" bound '{iommufd}' '{device:0}' 2
assert_says m "$PID" '^ready'
assert_eq "$(head -n 1 "$CASE_DIR/m")" ready
LEASE=$(lease_of "$LAB_MOCK")
assert_eq "$(lease_field "$LEASE" mode)" attached
assert_eq "$(lease_field "$LEASE" state)" active
assert_done m fill 0x1111 0x100000 0x40000
assert_answer same m expect main 0x100000 0x40000 0x1111

# What the IOMMU says of itself
assert_match "$(call HwInfo s "$LAB_MOCK")" '"iommu" s "mock-iommu0"'
assert_match "$(call HwInfo s "$LAB_MOCK")" '"pasids" u 1023'
assert_match "$(call IovaRanges t 1)" '^a\(tt\)t 2 0 4276092927 4277141504'

# Another domain: nothing is mapped there. And back: nothing was lost
ioas=$(handle AllocIoas 'a{sv}' 0)
domain=$(handle AllocDomain 'sta{sv}' "$LAB_MOCK" "$ioas" 0)
assert_eq "$ioas $domain" "3 4"
assert_eq "$(call Attach 'sta{sv}' "$LAB_MOCK" "$domain" 0)" 'a{sv} 1 "replaced" b true'
assert_answer "unmapped 0x100000" m fill 0x2222 0x100000 0x1000
assert_match "$(call DmaState)" "\"name\" s \"$LAB_MOCK\" \"target\" t 4"
call Attach 'sta{sv}' "$LAB_MOCK" 2 0 >/dev/null
assert_done m fill 0x3333 0x100000 0x1000
assert_answer same m expect main 0x100000 0x1000 0x3333

# Nothing: blocked
call Detach 'sa{sv}' "$LAB_MOCK" 0
assert_answer "blocked 0x100000" m fill 0x4444 0x100000 0x1000
assert_answer same m expect main 0x100000 0x1000 0x3333
assert_eq "$(call Attach 'sta{sv}' "$LAB_MOCK" 2 0)" 'a{sv} 1 "replaced" b false'
assert_done m fill 0x4444 0x100000 0x1000

# What can't be
assert_refused "has no domain 99" call Attach 'sta{sv}' "$LAB_MOCK" 99 0
assert_refused "was not made for PASIDs" call Attach 'sta{sv}' "$LAB_MOCK" 2 1 pasid u 7
assert_refused "PASIDs begin with 1" call Attach 'sta{sv}' "$LAB_MOCK" 2 1 pasid u 0
assert_refused "has the iommufd itself" call Revoke 'a{sv}' 0
assert_refused "has the iommufd itself" call Unmap ttt 1 0 4096
assert_refused "is in use" call Destroy t 2
assert_refused "has no device" call HwInfo s "$LAB_MOCK2"
AS=$LAB_VMM2_UID assert_refused "belongs to uid $LAB_VMM_UID" call Detach 'sa{sv}' "$LAB_MOCK" 0
call Destroy t "$domain"
call Destroy t "$ioas"
assert_refused "has nothing of the number" call Destroy t "$domain"

# Pages that are not combined to bigger ones: the kernel is told, of this address space alone
answer=$(call AllocIoas 'a{sv}' 1 huge_pages b false)
assert_answer 0 m huge-pages "$(grep -oP '"id" u \K[0-9]+' <<<"$answer")"
assert_answer 1 m huge-pages 2
assert_match "$(call DmaState)" '"huge_pages" b false'
call Destroy t "$(cut -d ' ' -f 2 <<<"$answer")"

# PASIDs, beside a domain that was made for them
domain=$(handle AllocDomain 'sta{sv}' "$LAB_MOCK" 1 1 pasid b true)
assert_ne "$domain" 4 "a handle that was used before"
call Attach 'sta{sv}' "$LAB_MOCK" "$domain" 0 >/dev/null
assert_eq "$(call Attach 'sta{sv}' "$LAB_MOCK" "$domain" 1 any_pasid b true)" 'a{sv} 2 "replaced" b false "pasid" u 1'
assert_done m fill 0x5555 0x101000 0x1000 1
assert_refused "has no PASID 1024" call Attach 'sta{sv}' "$LAB_MOCK" "$domain" 1 pasid u 1024
assert_refused "has PASIDs attached" call Attach 'sta{sv}' "$LAB_MOCK" 2 0

# The daemon dies: the device goes on, and so does what iommud knows of it
assert_done m fill 0x6666 0x100000 0x1000
kill_daemon
assert_eq "$(lease_field "$LEASE" state)" active
assert_done m fill 0x6666 0x100000 0x1000 1
call Detach 'sa{sv}' "$LAB_MOCK" 1 pasid u 1
assert_answer "blocked 0x100000" m fill 0x7777 0x100000 0x1000 1
call Attach 'sta{sv}' "$LAB_MOCK" 2 0 >/dev/null
assert_done m fill 0x7777 0x100000 0x1000

kill "$PID" 2>/dev/null || true
wait "$PID" || true
assert_ended "$LEASE"

# A lease whose client binds has none of this
hold vmm "$LAB_VMM_UID" "$LAB_EDU"
assert_refused "in which the client binds" call DmaState
assert_refused "in which the client binds" call AllocIoas 'a{sv}' 0
let_go "$PID"
assert_ended "$LEASE"

# What is asked for and not there: nothing was taken
bind_driver "$LAB_MOCK_POOR" vfio-mock
BEFORE=$(bindings)
for option in "dirty_tracking|can't tell" "pasid|has no PASIDs"; do
        assert_refused "${option#*|}" \
                as_user "$LAB_VMM_UID" busctl call org.iommud1 /org/iommud1 org.iommud1.Manager Acquire 'asa{sv}' \
                1 "$LAB_MOCK_POOR" 2 mode s attached domain 'a{sv}' 1 "${option%|*}" b true
done

assert_untouched
bind_native "$LAB_MOCK"
bind_native "$LAB_MOCK_POOR"
