# SPDX-License-Identifier: LGPL-2.1-or-later
# boot: pciehp
# deadline: 240
#
# A device is torn out of a slot that the kernel itself watches (pciehp), which hears of it when the device is gone. Somebody has it
# and does DMA, in each of the modes in which he can.

. guest/iommud.sh
. guest/domains.sh

use_policy "$(rule allow "$LAB_VMM_UID" any)" "$(rule allow "$LAB_VMM2_UID" any)"
memory memory "$LAB_VMM_UID"

put_away() {
        pkill --uid "$LAB_VMM_UID" || true
        if has_device "$LAB_SLOT"; then
                unplug torn
        fi
        clear_quarantine
}
defer put_away

# Nobody asks for it: QEMU takes what is in a slot when its power and the light for that go off. pciehp, which would take that for its
# own doing, hears of nothing before they are on again; what it sees then is that there is nothing any more.
tear_out() {
        mark_kernel_log
        setpci -s "$LAB_SLOT_PORT" CAP_EXP+18.w=0700:0720 CAP_EXP+18.w=0128:0728
}

has_noticed() {
        kernel_said | grep -qE 'pciehp: Slot\([0-9-]+\): (Card not present|Link Down)'
}

was_asked() {
        [[ -n "$(entries MESSAGE_ID="$MESSAGE_REQUEST" IOMMUD_LEASE="$1")" ]]
}

# pciehp is at the end of taking away what was there: for a second after it switched the power off it hears of nothing, and the light
# goes off last
slot_is_off() {
        (((0x$(setpci -s "$LAB_SLOT_PORT" CAP_EXP+18.w) & 0x700) == 0x700))
}

# put_in DRIVER [JSON-MEMBERS]: when the slot is ready for it
put_in() {
        assert_soon 20 slot_is_off
        assert plug torn "$@"
}

# plug_torn: puts one in; $group is its group
plug_torn() {
        put_in edu
        assert_soon 20 is_listed "$LAB_SLOT"
        group=$(group_of "$LAB_SLOT")
}

# client MODE: somebody who does DMA with it, $PID, and has $LEASE
client() {
        case "$1" in
        vmm)
                start "$1" "$LAB_VMM_UID" iommuctl run -d "$LAB_SLOT" -- "$PWD/programs/edu-dma" unbound '{iommufd}' '{device:0}'
                assert_says "$1" "$PID" '^ready$'
                LEASE=$(lease_of "$LAB_SLOT")
                ;;
        attached)
                attached "$1" "$LAB_VMM_UID" "$LAB_SLOT" edu-dma
                ;;
        confined)
                confine "$1" "$LAB_VMM_UID" "$LAB_SLOT" edu-dma
                ;;
        esac
}

# assert_torn: it is gone, the kernel has heard so, and nothing was asked for
assert_torn() {
        assert_eq "$(setpci -s "$LAB_SLOT" 0.w)" ffff "what the device answers"
        assert_soon 20 has_noticed
        assert_eq "$(kernel_said | grep -i 'button' || true)" "" "what the kernel says of the button"
}

# assert_all_gone: with the lease everything goes
assert_all_gone() {
        assert_ended "$1" 60
        assert_soon 20 is_unplugged torn
        assert_soon 20 is_not_listed "$LAB_SLOT"
        assert_eq "$(group_field "$group" id)" "" "the group of what was torn out"
        assert_soon 10 no_records
        assert_figures "$figures"
        assert_entry "$MESSAGE_RELEASE" IOMMUD_LEASE="$1"
}

daemon=$(daemon_pid)
figures=$(daemon_figures)

for mode in vmm attached confined; do
        plug_torn
        client "$mode"
        lease=$LEASE holder=$PID
        for ((i = 0; i < 20; i++)); do
                say "$mode" dma
        done
        assert_says "$mode" "$holder" '^dma ok$'
        tear_out
        assert_torn
        assert_soon 20 was_asked "$lease"
        # Everybody else is served while the kernel waits for the holder
        hold "meanwhile-$mode" "$LAB_VMM_UID" "$LAB_NIC"
        let_go "$PID"
        assert_ended "$LEASE"
        assert is_running "$holder"
        assert lease_is "$lease" active
        kill -KILL "$holder"
        wait "$holder" || true
        assert_all_gone "$lease"
done

# Its holder hears of it, and lets go
plug_torn
start willing "$LAB_VMM_UID" iommuctl run --supervise -d "$LAB_SLOT" -- sh -c 'echo started; exec sleep infinity'
willing=$PID
assert_says willing "$willing" '^started$'
lease=$(lease_of "$LAB_SLOT")
tear_out
assert_all_gone "$lease"
assert was_asked "$lease"
wait "$willing" || true
assert has_noticed

# Nobody has it but iommud, which lets go as well
plug_torn
defer drop_claims
assert iommuctl claim "$LAB_SLOT"
assert_claim "$LAB_SLOT" parked
tear_out
assert_soon 30 is_unplugged torn
assert_soon 20 is_not_listed "$LAB_SLOT"
assert has_noticed
assert_soon 10 no_claim_records
assert_eq "$(group_field "$group" id)" "" "the group of what was claimed"
assert_figures "$figures"

# What is put in next is another device, for whoever wants it
put_in e1000e '"romfile": ""'
assert_driver "$LAB_SLOT" e1000e
assert_soon 20 is_listed "$LAB_SLOT"
hold next "$LAB_VMM2_UID" "$LAB_SLOT"
assert_driver "$LAB_SLOT" vfio-pci
let_go "$PID"
assert_ended "$LEASE"
assert_driver "$LAB_SLOT" e1000e
assert unplug torn

assert_eq "$(daemon_pid)" "$daemon" "the process of the daemon"
assert_no_entry "$MESSAGE_STUCK"
assert_untouched
