# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm
# deadline: 180
# expect: daemon-death
#
# A virtual IOMMU on the mock, in both modes: with a device and a domain of its own, and the events of it. Known over a restart,
# gone in an order in which the kernel lets go of it.

. guest/iommud.sh
. guest/mock.sh
. guest/domains.sh

VIOMMU_TYPE=$((0x1d4d0c04))
VEVENTQ_TYPE=0x1d4d0c05
WINDOW_TYPE=$((0x1d4d0c02))
# struct mock_window: 0x100000 to 0x1fffff are what the parent has there
WINDOW="24 0 0 16 0 0 0 0 0 255 255 31 0 0 0 0 0 0 0 16 0 0 0 0 0"

bind_driver "$LAB_MOCK" vfio-mock
BEFORE=$(bindings)
allow "$LAB_VMM_UID" any

# virtualize: $PARENT, $VIOMMU, $VDEVICE and $NESTED in $LEASE, whose device is then attached to the last
virtualize() {
        PARENT=$(handle AllocDomain 'sta{sv}' "$LAB_MOCK" 1 1 kind s nest-parent)
        VIOMMU=$(handle AllocViommu 'sta{sv}' "$LAB_MOCK" "$PARENT" 1 type u "$VIOMMU_TYPE")
        VDEVICE=$(handle AllocVdevice stt "$LAB_MOCK" "$VIOMMU" 77)
        # shellcheck disable=SC2086 # the window is many words
        NESTED=$(handle AllocDomain 'sta{sv}' "$LAB_MOCK" "$VIOMMU" 3 kind s nested data_type u "$WINDOW_TYPE" data ay $WINDOW)
        attach "$LAB_MOCK" "$NESTED" >/dev/null
}

virtuals() {
        as_user "$LAB_VMM_UID" iommuctl domain --json "$LEASE" | jq -c '[.[0].dma.virtuals[] | [.handle, .kind, .parent, .number]]'
}

# ---- attached

attached m "$LAB_VMM_UID" "$LAB_MOCK" mock-dma
client=$PID

assert_refused "of type 0x63" call AllocViommu 'sta{sv}' "$LAB_MOCK" "$(handle AllocDomain 'sta{sv}' "$LAB_MOCK" 1 1 kind s nest-parent)" \
        1 type u 99
assert_refused "not of kind nest-parent" call AllocViommu 'sta{sv}' "$LAB_MOCK" 2 1 type u "$VIOMMU_TYPE"
virtualize

# Its driver's data goes there and comes back: the answer to 1 is all other bits
assert_match "$(call AllocViommu 'sta{sv}' "$LAB_MOCK" "$PARENT" 2 type u "$VIOMMU_TYPE" \
        data ay 16 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0)" '"data" ay 16 1 0 0 0 0 0 0 0 254 255 255 255 255 255 255 255$'
call Destroy t $((NESTED + 1))

assert_done m fill 0x1111 0x100000 0x1000
assert_answer same m expect main 0x100000 0x1000 0x1111
assert_eq "$(virtuals)" "[[$VIOMMU,\"viommu\",$PARENT,0],[$VDEVICE,\"vdevice\",$VIOMMU,77]]"
assert_match "$(as_user "$LAB_VMM_UID" iommuctl domain "$LEASE")" "viommu $VIOMMU"
assert_refused "is on a virtual IOMMU already" call AllocVdevice stt "$LAB_MOCK" "$VIOMMU" 78

# What is outside of the nested domain is told, by the number that the device has there
start events "$LAB_VMM_UID" iommuctl domain events "$LEASE" "$VIOMMU" "$VEVENTQ_TYPE"
queue=$PID
assert_says events "$queue" '^[0-9]+$'
assert_answer "unmapped 0x200000" m fill 0x2222 0x200000 0x1000
assert_says events "$queue" ' '
# a struct mock_event, of device 77
assert_eq "$(tail -n 1 "$CASE_DIR/events")" "0 4d000000000000000000200000000000"
assert_refused "(InUse)" as_user "$LAB_VMM_UID" iommuctl domain events "$LEASE" "$VIOMMU" "$VEVENTQ_TYPE"
assert_refused "descriptor is open" call Destroy t "$(head -n 1 "$CASE_DIR/events")"
assert_refused "is in use" call Destroy t "$VIOMMU"

# The daemon dies: all of it goes on
kill_daemon
assert_done m fill 0x3333 0x100000 0x1000
assert_match "$(virtuals)" "^\[\[$VIOMMU,\"viommu\",$PARENT,0\],\[$VDEVICE,\"vdevice\",$VIOMMU,77\],\[[0-9]+,\"veventq\",$VIOMMU,0\]\]$"
kill "$queue"
wait "$queue" || fail "it ends with $?: $(cat "$CASE_DIR/events")"
assert_refused "has nothing of the number" call Destroy t "$(head -n 1 "$CASE_DIR/events")"
call Destroy t "$VDEVICE"
attach "$LAB_MOCK" 2 >/dev/null
call Destroy t "$NESTED"
call Destroy t "$VIOMMU"
call Destroy t "$PARENT"
assert_eq "$(virtuals)" "[]"

# It ends in the middle of it
virtualize
finish "$client"

# ---- confined: all of it can be taken back, and so there is no queue

hold c "$LAB_VMM_UID" --mode confined "$LAB_MOCK"
virtualize
assert_refused "acquire in mode attached" call AllocVeventq 'ta{sv}' "$VIOMMU" 1 type u 5
call Revoke 'a{sv}' 0 >/dev/null
assert_eq "$(as_user "$LAB_VMM_UID" iommuctl domain --json "$LEASE" | jq -c '.[0].dma | [.ioases, .domains, .virtuals]')" "[[],[],[]]"
let_go "$PID"
assert_ended "$LEASE"

# ---- an IOMMU that has none of it

hold e "$LAB_VMM_UID" --mode attached "$LAB_EDU"
assert_refused "can't make such a domain" call AllocDomain 'sta{sv}' "$LAB_EDU" 1 1 kind s nest-parent
let_go "$PID"
assert_ended "$LEASE"
assert clear_quarantine

assert_untouched
bind_native "$LAB_MOCK"
