# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize
# deadline: 240
# expect: daemon-death
#
# Leases are the clients' and not the daemon's: they outlive it, whatever its end.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_EDU" "$LAB_NIC" "$LAB_NVME"

start dma "$LAB_VMM_UID" iommuctl run -d "$LAB_EDU" -- "$PWD/programs/edu-dma" unbound '{iommufd}' '{device:0}'
dma=$PID
assert_says dma "$dma" '^ready$'
start named "$LAB_VMM_UID" sleep infinity
named=$PID
nic=$(as_user "$LAB_VMM_UID" programs/acquire-for "$named" "$LAB_NIC")
edu=$(lease_of "$LAB_EDU")
before=$(iommuctl leases --json)
assert_eq "$(jq length <<<"$before")" 2 "the number of leases"

ROUNDS=0
assert_dma() {
        say dma dma
        ROUNDS=$((ROUNDS + 1))
        has_done() {
                [[ "$(grep -c '^dma ok$' "$CASE_DIR/dma")" == "$ROUNDS" ]]
        }
        assert_soon 20 has_done
}

# Both are as they were: number, user, since when; and nobody else gets the devices
assert_alive() {
        assert_dma
        assert_eq "$(iommuctl leases --json)" "$before" "the list of leases"
        assert_refused "(Taken)" iommuctl acquire "$LAB_EDU"
        assert_refused "(Taken)" iommuctl acquire "$LAB_NIC"
        assert_eq "$(driver_of "$LAB_EDU") $(driver_of "$LAB_NIC")" "vfio-pci vfio-pci" "the drivers"
}

assert_alive
systemctl restart iommud.service
assert_alive
kill_daemon
assert_alive
systemctl stop iommud.service
assert_dma
systemctl start iommud.service
assert_alive

# An Acquire in the air, and new leases beside the old ones
hold new "$LAB_VMM_UID" "$LAB_NVME"
assert_ne "$LEASE" "$edu" "the number of a new lease"
assert_ne "$LEASE" "$nic" "the number of a new lease"
let_go "$PID"
assert_ended "$LEASE"

# Their ends are noticed after all that
kill -KILL "$named"
assert_ended "$nic"
assert_driver "$LAB_NIC" e1000e
say dma exit
assert_ended "$edu"
assert_eq "$(driver_of "$LAB_EDU")" "" "the driver of $LAB_EDU"
assert_entry "$MESSAGE_RELEASE" IOMMUD_LEASE="$edu" IOMMUD_UID="$LAB_VMM_UID"
assert_bindings "$BEFORE"
assert_soon 10 no_records

# Clients that end while nobody is there to notice; one of them leaves the device to somebody else
hold absent "$LAB_VMM_UID" "$LAB_NVME"
absent=$PID absent_lease=$LEASE
start named2 "$LAB_VMM_UID" sleep infinity
nic=$(as_user "$LAB_VMM_UID" programs/acquire-for "$PID" "$LAB_NIC")
start giver "$LAB_VMM_UID" iommuctl run -d "$LAB_EDU" -- \
        bash -c 'sleep infinity {lifeline}>&- {iommufd}>&- & echo keeper $!; wait'
assert_says giver "$!" '^keeper [0-9]+$'
keeper=$(sed -n 's/^keeper //p' "$CASE_DIR/giver")
edu=$(lease_of "$LAB_EDU")
named2=$(pgrep -U "$LAB_VMM_UID" -x sleep | grep -vx "$keeper")
systemctl stop iommud.service
kill -KILL "$absent" "$named2" "$(sed -n 's/^PPid:\t//p' "/proc/$keeper/status")"
assert_soon 10 is_over "$absent"
systemctl start iommud.service
assert_ended "$absent_lease"
assert_ended "$nic"
assert_driver "$LAB_NVME" nvme
assert_driver "$LAB_NIC" e1000e
assert_soon 10 lease_is "$edu" draining
assert_soon 10 lease_says "$edu" "sleep \\(pid $keeper\\)"
kill -KILL "$keeper"
assert_ended "$edu"
assert_bindings "$BEFORE"

# The same with the daemon killed while a lease drains
start giver2 "$LAB_VMM_UID" iommuctl run -d "$LAB_EDU" -- \
        bash -c 'sleep infinity {lifeline}>&- {iommufd}>&- & echo keeper $!'
assert_says giver2 "$PID" '^keeper [0-9]+$'
keeper=$(sed -n 's/^keeper //p' "$CASE_DIR/giver2")
edu=$(lease_of "$LAB_EDU")
assert_soon 10 lease_says "$edu" "sleep \\(pid $keeper\\)"
kill_daemon
assert_soon 10 lease_is "$edu" draining
assert_refused "(Draining)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_EDU"
kill -KILL "$keeper"
assert_ended "$edu"
assert_bindings "$BEFORE"
assert_soon 10 no_records

# A record that cannot be read is set aside, said so, and in nobody's way; so is a descriptor that belongs to nothing
systemctl stop iommud.service
mkdir -p "$LEASES"
printf 'version=1 id=77 \xff garbage\n' >"$LEASES/lease-77"
: >"$LEASES/lease-78"
head -c 100000 /dev/zero >"$LEASES/lease-79"
systemctl start iommud.service
assert no_lease
for number in 77 78 79; do
        assert test ! -e "$LEASES/lease-$number"
        assert test -e "$LEASES/damaged-lease-$number"
        assert_ne "$(entries PRIORITY=3 | jq -r .MESSAGE | grep "lease-$number is not usable")" "" "what is said of lease-$number"
done
rm -f "$LEASES"/damaged-*
hold whole "$LAB_VMM_UID" "$LAB_NVME"
let_go "$PID"
assert_ended "$LEASE"
assert_untouched
