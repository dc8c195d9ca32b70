# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# iommud is stopped and started, which is no restart. What becomes of leases and claims depends on what the service manager keeps
# over that: all of it from systemd 254 on; nothing before, which is what FileDescriptorStorePreserve=restart makes of a newer one.

. guest/iommud.sh

DROP_IN=/run/systemd/system/iommud.service.d

drop_drop_in() {
        rm -f "$DROP_IN/preserve.conf"
        rmdir --ignore-fail-on-non-empty "$DROP_IN"
        systemctl daemon-reload
}

# assert_kept: nothing has happened to the lease, nor to the group, which was bound all the time: a close resets the device
assert_kept() {
        assert_eq "$(iommuctl leases --json)" "$LEASES_BEFORE" "the list of leases"
        assert claim_is "$LAB_NIC" parked
        assert_no_match "$(kernel_said)" "$LAB_NIC: reset"
}

defer bind_native "$LAB_NIC"
defer drop_claims
allow "$LAB_VMM_UID" "$LAB_NVME"
assert iommuctl claim "$LAB_NIC"
hold holder "$LAB_VMM_UID" "$LAB_NVME"
holder=$PID lease=$LEASE
LEASES_BEFORE=$(iommuctl leases --json)

mark_kernel_log
systemctl stop iommud.service
assert_ne "$(stored_fds)" 0 "the number of descriptors that are kept over a stop"
systemctl start iommud.service
assert_kept

# Without its record nobody knows what a descriptor is for: it is closed, and out of the store, and the driver can have the device
systemctl stop iommud.service
rm -f "$LEASES"/claim-*
systemctl start iommud.service
assert_soon 20 stored_fds_are 1
assert_eq "$(entries PRIORITY=4 | jq -r .MESSAGE | grep -c 'belongs to no lease and no claim')" 2 "the number of strays"
assert claim_is "$LAB_NIC" none
assert bind_native "$LAB_NIC"
assert iommuctl claim "$LAB_NIC"
LEASES_BEFORE=$(iommuctl leases --json)
mark_kernel_log

defer drop_drop_in
mkdir -p "$DROP_IN"
printf '[Service]\nFileDescriptorStorePreserve=restart\n' >"$DROP_IN/preserve.conf"
systemctl daemon-reload
systemctl restart iommud.service
assert_kept

# Now it is lost, and that is said. Still neither a driver nor anybody else gets the devices: the holder, who does not see that
# its lifeline is gone, lets go of nothing
kill -STOP "$holder"
systemctl stop iommud.service
assert_soon 10 stored_fds_are 0
for device in "$LAB_NIC" "$LAB_NVME"; do
        assert_eq "$(driver_of "$device") $(override_of "$device")" "vfio-pci vfio-pci" "$device while iommud is stopped"
done
systemctl start iommud.service
assert_ne "$(entries PRIORITY=4 | jq -r .MESSAGE | grep 'has come back')" "" "what is said of the descriptors"
assert claim_is "$LAB_NIC" parked
assert_match "$(entries MESSAGE_ID="$MESSAGE_END" IOMMUD_LEASE="$lease" | jq -r .MESSAGE)" 'or iommud was stopped'
assert_soon 10 lease_says "$lease" "iommuctl \\(pid $holder\\)"
assert_eq "$(lease_field "$lease" state)" draining "the state of the lease"
assert_refused "(Draining)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NVME"

# It comes free when its holder lets go of it, as ever
kill -CONT "$holder"
let_go "$holder"
assert_ended "$lease"
assert_driver "$LAB_NVME" nvme
assert_soon 20 disk_is_back
assert iommuctl unclaim "$LAB_NIC"
assert_untouched
