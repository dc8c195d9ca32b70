# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize
# deadline: 180
#
# What a tenant has left in a device is not for the next one: it is reset in between, and where that is not so, nobody else gets
# it until root says that it is safe.

. guest/iommud.sh

use_policy "$(rule allow "$LAB_VMM_UID" "$LAB_NVME" "$LAB_EDU" "$LAB_NIC")" \
        "$(rule allow "$LAB_VMM2_UID" "$LAB_NVME" "$LAB_EDU" "$LAB_NIC")"

reason_of() {
        iommuctl quarantine --json | jq -r --arg device "$1" '.[] | select(.device == $device) | .reason'
}

# tenancy NAME UID ADDRESS: a lease that comes and goes
tenancy() {
        hold "$@"
        let_go "$PID"
        assert_ended "$LEASE"
}

# These have a reset, and it works
for device in "$LAB_NVME" "$LAB_NIC"; do
        tenancy "first-$device" "$LAB_VMM_UID" "$device"
        tenancy "second-$device" "$LAB_VMM2_UID" "$device"
done
assert_eq "$(iommuctl quarantine --json | jq length)" 0 "the number of devices in quarantine"
assert_no_entry "$MESSAGE_QUARANTINE"

# This one has none: the same user again, and root, but nobody else
tenancy none "$LAB_VMM_UID" "$LAB_EDU"
assert_match "$(reason_of "$LAB_EDU")" "only uid $LAB_VMM_UID, who had it last, and root may have it"
assert_entry "$MESSAGE_QUARANTINE" IOMMUD_DEVICE="$LAB_EDU" IOMMUD_UID="$LAB_VMM_UID" PRIORITY=5
assert_refused "(Quarantined)" as_user "$LAB_VMM2_UID" iommuctl acquire "$LAB_EDU"
assert_fails as_user "$LAB_VMM2_UID" iommuctl plan "$LAB_EDU"
assert_match "$OUTPUT" '\(Quarantined\)'
tenancy none-again "$LAB_VMM_UID" "$LAB_EDU"
assert as_user "$LAB_VMM_UID" iommuctl plan "$LAB_EDU"
assert iommuctl plan "$LAB_EDU"

# Neither a restart nor a driver in between makes it another
systemctl restart iommud.service
assert bind_driver "$LAB_EDU" pci-stub
assert bind_native "$LAB_EDU"
assert_refused "(Quarantined)" as_user "$LAB_VMM2_UID" iommuctl acquire "$LAB_EDU"

# Only root can say that it is safe
assert_refused "(Denied)" as_user "$LAB_VMM_UID" iommuctl quarantine clear "$LAB_EDU"
assert_refused "(NoSuchDevice)" iommuctl quarantine clear "$LAB_NVME"
assert iommuctl quarantine clear "$LAB_EDU"
assert_entry "$MESSAGE_CLEARANCE" IOMMUD_DEVICE="$LAB_EDU"
assert_eq "$(reason_of "$LAB_EDU")" ""
tenancy cleared "$LAB_VMM2_UID" "$LAB_EDU"
tenancy root 0 "$LAB_EDU"
assert_refused "(Quarantined)" as_user "$LAB_VMM2_UID" iommuctl acquire "$LAB_EDU"
assert iommuctl quarantine clear "$LAB_EDU"

# One that does not come back from its reset: to iommud it looks as if it had fallen off the bus
printf '\xff\xff\xff\xff\xff\xff' >"$CASE_DIR/config"
truncate -s 64 "$CASE_DIR/config"
hold lost "$LAB_VMM_UID" "$LAB_NVME"
mount --bind "$CASE_DIR/config" "/sys/bus/pci/devices/$LAB_NVME/config"
defer umount -q "/sys/bus/pci/devices/$LAB_NVME/config"
let_go "$PID"
assert_ended "$LEASE"
umount "/sys/bus/pci/devices/$LAB_NVME/config"
assert_match "$(reason_of "$LAB_NVME")" '^its reset failed: it answers as ffff:ffff, and was [0-9a-f:]{9} before'
assert_entry "$MESSAGE_QUARANTINE" IOMMUD_DEVICE="$LAB_NVME" IOMMUD_UID="$LAB_VMM_UID" PRIORITY=3
# The host has it back, and nobody else gets it
assert_driver "$LAB_NVME" nvme
assert_soon 20 disk_is_back
for uid in "$LAB_VMM_UID" "$LAB_VMM2_UID" 0; do
        assert_refused "(Quarantined)" as_user "$uid" iommuctl acquire "$LAB_NVME"
done
systemctl stop iommud.service
systemctl start iommud.service
assert_refused "(Quarantined)" iommuctl acquire "group:$(group_of "$LAB_NVME")"
assert iommuctl quarantine clear "$LAB_NVME"
tenancy found "$LAB_VMM2_UID" "$LAB_NVME"

assert_eq "$(find "$LEASES" -type f ! -name last-lease)" "" "what is left of records"
assert_untouched
