# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm
#
# A mediated device has no IOMMU of its own, and so no domains: it is attached to an address space. In both modes.
#
# deadline: 120
# expect: daemon-death

. guest/iommud.sh
. guest/domains.sh

MTTY=83b8f4f2-509f-382f-3c1e-e6bfe0fa1002

unload_mtty() {
        if [[ -e "/sys/bus/mdev/devices/$MTTY" ]]; then
                echo 1 >"/sys/bus/mdev/devices/$MTTY/remove"
        fi
        rmmod mtty mdev
}
is_known() {
        [[ "$(iommuctl list --json | jq -r --arg name "$MTTY" '.[] | select(.name == $name) | .subsystem')" == mdev ]]
}

modprobe mtty || skip "the kernel has no sample of a mediated device"
defer unload_mtty
echo "$MTTY" >/sys/devices/virtual/mtty/mtty/mdev_supported_types/mtty-2/create
assert_soon 10 is_known
allow "$LAB_VMM_UID" any
BEFORE=$(bindings)

for mode in attached confined; do
        if [[ "$mode" == attached ]]; then
                start "$mode" "$LAB_VMM_UID" iommuctl run --mode attached -d "$MTTY" -- \
                        "$PWD/programs/vfio-client" bound '{iommufd}' '{device:0}' 2
        else
                memory memory "$LAB_VMM_UID"
                keeper=$PID
                start "$mode" "$LAB_VMM_UID" iommuctl run --mode confined -d "$MTTY" -- \
                        "$PWD/programs/vfio-client" mapped '{device:0}' "$FILE" 0x100000
        fi
        client=$PID
        assert_says "$mode" "$client" '^ready [1-9]'
        LEASE=$(lease_of "$MTTY")

        assert_match "$(call HwInfo s "$MTTY")" '"emulated" b true'
        assert_eq "$(target_of "$MTTY")" 1
        assert_match "$(call DmaState)" '^[a{}sv]+ 1 .* 0 1 '
        assert_refused "no domains: attach it to an IOAS" call AllocDomain 'sta{sv}' "$MTTY" 1 0
        assert_refused "has no PASIDs" attach "$MTTY" 1 3
        ioas=$(handle AllocIoas 'a{sv}' 0)
        assert_eq "$(attach "$MTTY" "$ioas")" 'a{sv} 1 "replaced" b true'
        assert_eq "$(target_of "$MTTY")" "$ioas"
        assert_refused "is in use" call Destroy t "$ioas"
        detach "$MTTY"
        assert_eq "$(target_of "$MTTY")" 0
        attach "$MTTY" "$ioas" >/dev/null
        kill_daemon
        assert_eq "$(lease_field "$LEASE" state)" active
        assert_eq "$(target_of "$MTTY")" "$ioas"
        attach "$MTTY" 1 >/dev/null
        call Destroy t "$ioas"
        if [[ "$mode" == confined ]]; then
                assert_eq "$(map 1 "$FILE" 0x100000)" 0x100000
                assert_refused "Something is mapped" map 1 "$FILE" 0x100000
                assert_eq "$(call Unmap ttt 1 $((0x100000)) "$MEMORY_SIZE")" "t $MEMORY_SIZE"
                map 1 "$FILE" 0x100000 >/dev/null
                call Revoke 'a{sv}' 0 >/dev/null
                assert_eq "$(call DmaState | cut -d ' ' -f 2-4)" "0 0 1"
                assert_refused "taken back for good" attach "$MTTY" 1
                kill "$keeper"
                wait "$keeper" || true
        fi
        finish "$client"
        assert clear_quarantine
done
assert_untouched
