# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize
# deadline: 180
#
# A device is pulled out: while nobody has it, while somebody has, and while it is being given back.

. guest/iommud.sh

allow "$LAB_VMM_UID" any

assert_refused "(NoSuchDevice)" iommuctl acquire "$LAB_SLOT"
assert plug idle edu
assert_soon 20 is_listed "$LAB_SLOT"
hold once "$LAB_VMM_UID" "$LAB_SLOT"
let_go "$PID"
assert_ended "$LEASE"
assert unplug idle
assert_soon 20 is_not_listed "$LAB_SLOT"
assert_refused "(NoSuchDevice)" iommuctl acquire "$LAB_SLOT"

# In use: the kernel waits for the client, nobody waits for the kernel
assert plug busy edu
assert_soon 20 is_listed "$LAB_SLOT"
start dma "$LAB_VMM_UID" iommuctl run -d "$LAB_SLOT" -- "$PWD/programs/edu-dma" unbound '{iommufd}' '{device:0}'
dma=$PID
assert_says dma "$dma" '^ready$'
lease=$(lease_of "$LAB_SLOT")
request_unplug busy
is_going() {
        [[ ! -e "/sys/bus/pci/devices/$LAB_SLOT/driver" ]]
}
assert_soon 40 is_going
hold meanwhile "$LAB_VMM_UID" "$LAB_NIC"
let_go "$PID"
assert_ended "$LEASE"
assert_ne "$(lease_field "$lease" id)" "" "the lease of what is going"
kill -KILL "$dma"
wait "$dma" || true
assert_ended "$lease"
assert_soon 30 is_unplugged busy
assert_soon 20 is_not_listed "$LAB_SLOT"
assert_entry "$MESSAGE_RELEASE" IOMMUD_LEASE="$lease"

# The client passed it on and is gone: the lease drains while the device goes
assert plug draining edu
assert_soon 20 is_listed "$LAB_SLOT"
start giver "$LAB_VMM_UID" iommuctl run -d "$LAB_SLOT" -- \
        bash -c 'sleep infinity {lifeline}>&- {iommufd}>&- & echo keeper $!'
assert_says giver "$PID" '^keeper [0-9]+$'
keeper=$(sed -n 's/^keeper //p' "$CASE_DIR/giver")
lease=$(lease_of "$LAB_SLOT")
assert_soon 10 lease_is "$lease" draining
request_unplug draining
assert_soon 40 is_going
assert_soon 20 lease_says "$lease" "sleep \\(pid $keeper\\)"
assert lease_is "$lease" draining
kill -KILL "$keeper"
assert_ended "$lease"
assert_soon 30 is_unplugged draining
assert_soon 20 is_not_listed "$LAB_SLOT"

# Another kind of device in the same place is another device
assert plug other e1000e '"romfile": ""'
assert_driver "$LAB_SLOT" e1000e
assert_soon 20 is_listed "$LAB_SLOT"
hold other "$LAB_VMM_UID" "$LAB_SLOT"
assert_driver "$LAB_SLOT" vfio-pci
let_go "$PID"
assert_ended "$LEASE"
assert_driver "$LAB_SLOT" e1000e
assert unplug other

assert_no_entry "$MESSAGE_STUCK"
assert_untouched
