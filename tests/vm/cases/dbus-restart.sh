# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
# boot: own
# expect: daemon-death
#
# The message bus is started again, which nobody should do: iommud comes back with it, and with its leases. Who holds one notices
# nothing but that his connection to the bus is lost.

. guest/iommud.sh

use_policy "$(rule allow "$LAB_VMM_UID" "$LAB_EDU" "$LAB_NIC" "$LAB_NIC2" "$LAB_NVME")"

# One of each kind: at work without the bus, with a connection that it has kept, held by a process, and already over
start dma "$LAB_VMM_UID" iommuctl run -d "$LAB_EDU" -- "$PWD/programs/edu-dma" unbound '{iommufd}' '{device:0}'
dma=$PID
assert_says dma "$dma" '^ready$'
edu=$(lease_of "$LAB_EDU")
hold connected "$LAB_VMM_UID" "$LAB_NIC"
connected=$PID nic=$LEASE
start named "$LAB_VMM_UID" sleep infinity
named=$PID
nic2=$(as_user "$LAB_VMM_UID" programs/acquire-for "$named" "$LAB_NIC2")
start giver "$LAB_VMM_UID" iommuctl run -d "$LAB_NVME" -- \
        bash -c 'sleep infinity {lifeline}>&- {iommufd}>&- & echo keeper $!'
assert_says giver "$PID" '^keeper [0-9]+$'
keeper=$(sed -n 's/^keeper //p' "$CASE_DIR/giver")
nvme=$(lease_of "$LAB_NVME")
assert_soon 10 lease_says "$nvme" "sleep \\(pid $keeper\\)"
leases() {
        iommuctl leases --json | jq -c '.[] | [.id, .uid, .state, .devices, .since]'
}
before=$(leases)
assert_eq "$(wc -l <<<"$before")" 4 "the number of leases"

pid=$(daemon_pid)
systemctl restart dbus.service
assert_soon 60 is_other_than "$pid"
assert_eq "$(leases)" "$before" "the leases after the bus was started again"
for process in "$connected" "$named" "$keeper"; do
        assert is_running "$process"
done
say dma dma
assert_says dma "$dma" '^dma ok$'
assert_refused "(Taken)" iommuctl acquire "$LAB_NIC"
assert_refused "(Draining)" iommuctl acquire "$LAB_NVME"

# And their ends are noticed
say dma exit
let_go "$connected"
kill -KILL "$named" "$keeper"
for lease in "$edu" "$nic" "$nic2" "$nvme"; do
        assert_ended "$lease"
done
hold new "$LAB_VMM_UID" "$LAB_NIC"
let_go "$PID"
assert_ended "$LEASE"
assert_untouched
