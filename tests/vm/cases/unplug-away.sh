# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
# expect: daemon-death
#
# One of two devices of a lease is unplugged while iommud is not there, or is killed meanwhile. In modes attached and confined it is
# iommud, and for it the service manager, that has the device open as well: what nobody wants any more has to be closed there, too.

. guest/iommud.sh
. guest/domains.sh

allow "$LAB_VMM_UID" any

is_going() {
        [[ ! -e "/sys/bus/pci/devices/$LAB_SLOT/driver" ]]
}

put_away() {
        pkill --uid "$LAB_VMM_UID" || true
        if has_device "$LAB_SLOT"; then
                unplug away
        fi
}
defer put_away

# holder NAME MODE: has a device in the slot and a network card, and ends when it is asked for them the second time. $PID, $LEASE
holder() {
        assert plug away edu
        assert_soon 20 is_listed "$LAB_SLOT"
        # shellcheck disable=SC2016 # the inner shell expands it
        start "$1" "$LAB_VMM_UID" iommuctl run --supervise --mode="$2" -d "$LAB_SLOT" -d "$LAB_NIC2" -- \
                bash -c 'n=0; trap "echo asked; n=\$((n + 1))" TERM; echo started; while ((n < 2)); do sleep 0.2; done'
        assert_says "$1" "$PID" '^started$'
        LEASE=$(lease_of "$LAB_SLOT")
        assert_eq "$(lease_field "$LEASE" mode)" "$2"
}

# assert_all_back: the device is gone, the other one is with its driver, and nothing is left of the lease
assert_all_back() {
        assert_ended "$LEASE" 60
        assert_soon 30 is_unplugged away
        assert_soon 20 is_not_listed "$LAB_SLOT"
        assert_driver "$LAB_NIC2" e1000e
        assert_entry "$MESSAGE_RELEASE" IOMMUD_LEASE="$LEASE"
        assert_soon 10 no_records
        assert_figures "$figures"
        assert_bindings "$BEFORE"
}

figures=$(daemon_figures)

# It begins to leave while nobody is there, and the next daemon is killed: the lease goes on with what was made for it, and each of
# them asks its holder
for mode in attached confined; do
        holder "asked-$mode" "$mode"
        target=$(target_of "$LAB_NIC2")
        assert systemctl stop iommud.service
        request_unplug away
        assert_soon 40 is_going
        assert systemctl start iommud.service
        assert_says "asked-$mode" "$PID" '^asked$'
        assert lease_is "$LEASE" active
        assert_eq "$(lease_field "$LEASE" 'devices | sort | join(" ")')" "$LAB_NIC2 $LAB_SLOT" "the devices of the lease"
        assert_eq "$(target_of "$LAB_NIC2")" "$target" "what $LAB_NIC2 is attached to"
        assert_refused "(Taken)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC2"
        assert is_listed "$LAB_SLOT"
        kill_daemon
        assert_all_back
        assert_eq "$(grep -c "is being unplugged" "$CASE_DIR/asked-$mode")" 2 "how often the holder was asked"
        wait "$PID"
done

# Its holder ends while nobody is there either. What iommud has open is with the service manager, so that it has to wait for the next
# daemon; in mode vmm that finds a lease of which one device is gone.
for mode in attached confined vmm; do
        holder "ended-$mode" "$mode"
        assert systemctl stop iommud.service
        request_unplug away
        assert_soon 40 is_going
        pkill -KILL --uid "$LAB_VMM_UID"
        wait "$PID" || true
        if [[ "$mode" == vmm ]]; then
                assert_soon 30 is_unplugged away
        fi
        assert systemctl start iommud.service
        assert_all_back
done
assert_no_entry "$MESSAGE_STUCK"
assert_eq "$(entries PRIORITY=4 | jq -r .MESSAGE | grep 'belongs to no lease' || true)" "" "what was closed for nothing"
assert_untouched
