# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 240
#
# Claims that last: taken again when the host starts, before clients are served, as far as the devices are there. A start of the
# host is one of iommud here that finds neither records nor descriptors, and devices that are with the kernel.

. guest/iommud.sh

defer drop_claims
defer bind_native "$LAB_NVME"
defer bind_native "$LAB_NIC2"

# forget_boot DEVICE...: stops iommud, as the end of the host would, and gives these back to the kernel's drivers
forget_boot() {
        local device

        systemctl stop iommud.service
        # Older ones have dropped them with the stop
        systemctl clean --what=fdstore iommud.service 2>/dev/null || true
        assert_soon 10 stored_fds_are 0
        find "$LEASES" -mindepth 1 -delete
        for device in "$@"; do
                assert bind_native "$device"
        done
}

# id_of FILE: of the disk, as it is written into state files
id_of() {
        sed 's/^0x//' "/sys/bus/pci/devices/$LAB_NVME/$1"
}

# assert_claimed_at_start: the claims are parked when the service is there, without any waiting
assert_claimed_at_start() {
        systemctl start iommud.service
        for device in "$@"; do
                assert claim_is "$device" parked
                assert_eq "$(driver_of "$device")" vfio-pci "the driver of $device"
                assert_eq "$(group_field "$(group_of "$device")" claim_persistent)" true
        done
}

assert iommuctl claim --persistent "$LAB_NVME"
assert iommuctl claim --persistent "$LAB_SHARED_A"
assert iommuctl claim "$LAB_NIC"
assert_eq "$(stat -c %a /var/lib/iommud)" 700 "the mode of /var/lib/iommud"

# What is not persistent is not claimed again
forget_boot "$LAB_NVME" "$LAB_SHARED_A" "$LAB_SHARED_B" "$LAB_NIC"
assert_claimed_at_start "$LAB_NVME" "$LAB_SHARED_A" "$LAB_SHARED_B"
assert claim_is "$LAB_NIC" none
assert_eq "$(driver_of "$LAB_NIC")" e1000e

# They were parked before anybody could ask: the entries are older than that of the bus
order=$(entries | jq -r 'select(.UNIT == null) | .MESSAGE' | tail -n 4 | grep -c 'is parked')
assert_eq "$order" 2 "the number of groups that were parked at the start"

# A client gets one of them, and root the others back for good
hold client 0 "$LAB_NVME"
let_go "$PID"
assert_ended "$LEASE"
assert_claim "$LAB_NVME" parked

# One that the host needs now is said to be failed, and keeps neither the others nor iommud from starting
forget_boot "$LAB_NVME" "$LAB_SHARED_A" "$LAB_SHARED_B"
exec {node}<"/dev/$(disk_of "$LAB_NVME")"
assert_claimed_at_start "$LAB_SHARED_A" "$LAB_SHARED_B"
assert claim_is "$LAB_NVME" failed
assert_eq "$(driver_of "$LAB_NVME")" nvme
assert_match "$(group_field "$(group_of "$LAB_NVME")" claim_reason)" 'The host uses'
assert_entry "$MESSAGE_CLAIM_FAILED" IOMMUD_GROUP="$(group_of "$LAB_NVME")"
assert_refused "(NotViable)" iommuctl acquire "$LAB_NVME"
exec {node}<&-
assert iommuctl claim "$LAB_NVME"
assert claim_is "$LAB_NVME" parked

# A device that comes late is claimed when it comes, and some are claimed before their drivers have had them
assert iommuctl claim --persistent "$LAB_NIC2"
forget_boot "$LAB_NVME" "$LAB_SHARED_A" "$LAB_SHARED_B" "$LAB_NIC2"
unbind "$LAB_NVME"
unbind "$LAB_SHARED_B"
echo 1 >"/sys/bus/pci/devices/$LAB_NIC2/remove"
assert_claimed_at_start "$LAB_NVME" "$LAB_SHARED_A" "$LAB_SHARED_B"
echo 1 >/sys/bus/pci/rescan
assert_claim "$LAB_NIC2" parked

# Released is released, over a start too
for device in "$LAB_NVME" "$LAB_SHARED_A" "$LAB_NIC2"; do
        assert iommuctl unclaim "$device"
done
# Those too that no driver had had
assert_bindings "$BEFORE"
forget_boot
systemctl start iommud.service
for device in "$LAB_NVME" "$LAB_SHARED_A" "$LAB_NIC2"; do
        assert claim_is "$device" none
done

# Earlier versions did not write down which driver it was: the kernel chooses
# with_checksum: what comes in, and the line that a state file ends with
with_checksum() {
        local crc

        cat >"$CASE_DIR/text"
        crc=$(gzip -c "$CASE_DIR/text" | tail -c 8 | od -A n -t x4 -N 4 --endian=little)
        cat "$CASE_DIR/text"
        printf 'checksum=%s\n' "${crc// /}"
}
systemctl stop iommud.service
printf 'version=1\npersistent=1 %s=%s:%s\n' "$LAB_NVME" "$(id_of vendor)" "$(id_of device)" |
        with_checksum >/var/lib/iommud/approved-groups
unbind "$LAB_NVME"
assert_claimed_at_start "$LAB_NVME"
assert iommuctl unclaim "$LAB_NVME"
assert_bindings "$BEFORE"

# What can't be read is set aside, and is no claim
systemctl stop iommud.service
printf 'version=1\npersistent=1 %s=0000:0000\n' "$LAB_NVME" >/var/lib/iommud/approved-groups
systemctl start iommud.service
assert claim_is "$LAB_NVME" none
assert test -e /var/lib/iommud/damaged-approved-groups
rm -f /var/lib/iommud/damaged-approved-groups

assert clear_quarantine
assert_untouched
assert no_claim_records
