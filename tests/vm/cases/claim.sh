# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize
# deadline: 300
# expect: daemon-death
#
# A group that is claimed is iommud's: neither a driver of the kernel's nor another program gets it, it does no DMA, and none of
# that changes while it goes to clients and comes back, or when iommud ends.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_EDU" "$LAB_NVME" "$LAB_SHARED_A"
defer drop_claims

# Whoever tries: it is on vfio-pci, cannot leave it for another driver, cannot be bound by others, and its DMA is blocked
assert_parked() {
        local device

        for device in "$@"; do
                assert_claim "$device" parked
                assert_eq "$(group_field "$(group_of "$device")" dma_owner)" parked
                assert_eq "$(driver_of "$device") $(override_of "$device")" "vfio-pci vfio-pci" "driver and override of $device"
                OUTPUT=$(programs/kernel-verbs bind "$device" </dev/null) || true
                assert_match "$OUTPUT" '^failed EINVAL: bind'
        done
}

# The kernel says of which device its IOMMU blocked something
dma_was_blocked() {
        [[ "$(kernel_said)" == *"DMAR: [DMA Read"*"[$LAB_EDU]"* ]]
}

# ---- one device, with a driver of the kernel's

assert_refused "(Denied)" as_user "$LAB_VMM_UID" iommuctl claim "$LAB_NVME"
assert bindings_are "$BEFORE"
assert iommuctl claim "$LAB_NVME"
assert_parked "$LAB_NVME"
assert_entry "$MESSAGE_CLAIM" IOMMUD_GROUP="$(group_of "$LAB_NVME")" IOMMUD_DEVICE="$LAB_NVME"
assert_refused "(Denied)" as_user "$LAB_VMM_UID" iommuctl unclaim "$LAB_NVME"

# A driver that is asked by name, and whoever lets the kernel look for one
assert_fails sh -c "echo $LAB_NVME >/sys/bus/pci/drivers/nvme/bind"
assert_fails sh -c "echo $LAB_NVME >/sys/bus/pci/drivers/pci-stub/bind"
echo "$LAB_NVME" >/sys/bus/pci/drivers_probe || true
assert_parked "$LAB_NVME"

# It outlives iommud: what the service manager has is proved and used again
assert_eq "$(stored_fds)" 2 "the number of descriptors that are kept"
systemctl restart iommud.service
assert_parked "$LAB_NVME"
kill_daemon
assert_parked "$LAB_NVME"
assert_eq "$(stored_fds)" 2 "the number of descriptors that are kept"
assert_eq "$(entries | jq -r .MESSAGE | grep -c 'belongs to no lease' || true)" 0 "what was closed for nothing"

# A client gets it, and nobody sees the driver change: the disk does not appear in between
mark_kernel_log
hold first "$LAB_VMM_UID" "$LAB_NVME"
assert_claim "$LAB_NVME" lent
assert_eq "$(group_field "$(group_of "$LAB_NVME")" dma_owner)" leased
assert_eq "$(stored_fds)" 1 "what is kept beside the lifeline"
assert_refused "(Taken)" iommuctl unclaim "$LAB_NVME"
systemctl restart iommud.service
assert_claim "$LAB_NVME" lent
kill_daemon
assert_claim "$LAB_NVME" lent
let_go "$PID"
assert_ended "$LEASE"
assert_parked "$LAB_NVME"
assert_no_match "$(kernel_said)" "nvme"

# Killed while a client has it, which ends before iommud is back
hold absent "$LAB_VMM_UID" "$LAB_NVME"
systemctl stop iommud.service
kill -KILL "$PID"
assert_soon 10 is_over "$PID"
systemctl start iommud.service
assert_ended "$LEASE"
assert_parked "$LAB_NVME"

assert iommuctl unclaim "$LAB_NVME"
assert_bindings "$BEFORE"
assert_soon 20 disk_is_back
assert_entry "$MESSAGE_CLAIM_RELEASED" IOMMUD_GROUP="$(group_of "$LAB_NVME")"
assert_eq "$(stored_fds)" 0 "the number of descriptors that are kept"
assert no_claim_records
assert_refused "(NoSuchDevice)" iommuctl unclaim "$LAB_NVME"

# ---- a device that does DMA when it is told to, by root, past everybody

assert iommuctl claim "$LAB_EDU"
assert_parked "$LAB_EDU"
mark_kernel_log
assert_eq "$(programs/edu-poke "$LAB_EDU" 1048576)" "done"
assert_soon 10 dma_was_blocked

start dma "$LAB_VMM_UID" iommuctl run -d "$LAB_EDU" -- "$PWD/programs/edu-dma" unbound '{iommufd}' '{device:0}'
assert_says dma "$PID" '^ready$'
say dma dma
assert_says dma "$PID" '^dma ok$'
edu=$(lease_of "$LAB_EDU")
say dma exit
assert_ended "$edu"
assert_parked "$LAB_EDU"
assert iommuctl unclaim "$LAB_EDU"
assert_eq "$(driver_of "$LAB_EDU")" "" "the driver of $LAB_EDU"

# ---- two devices of one group: both or none, and what was not asked for is not the kernel's either

assert iommuctl claim "$LAB_SHARED_A"
assert_parked "$LAB_SHARED_A" "$LAB_SHARED_B"
assert_eq "$(stored_fds)" 3 "the number of descriptors that are kept"
hold shared "$LAB_VMM_UID" "$LAB_SHARED_A"
assert_fails sh -c "echo $LAB_SHARED_B >/sys/bus/pci/drivers/e1000/bind"
assert_eq "$(driver_of "$LAB_SHARED_B")" vfio-pci
assert_refused "(Taken)" iommuctl acquire "$LAB_SHARED_B"
let_go "$PID"
assert_ended "$LEASE"
assert_parked "$LAB_SHARED_A" "$LAB_SHARED_B"
kill_daemon
assert_parked "$LAB_SHARED_A" "$LAB_SHARED_B"
assert iommuctl unclaim "group:$(group_of "$LAB_SHARED_A")"
assert_bindings "$BEFORE"

# ---- what can't be claimed

exec {node}<"/dev/$(disk_of "$LAB_NVME")"
assert_refused "(HostInUse)" iommuctl claim "$LAB_NVME"
exec {node}<&-
assert bindings_are "$BEFORE"
hold taken "$LAB_VMM_UID" "$LAB_NVME"
assert_refused "(Taken)" iommuctl claim "$LAB_NVME"
let_go "$PID"
assert_ended "$LEASE"

assert clear_quarantine
assert_untouched
assert no_claim_records
