# SPDX-License-Identifier: LGPL-2.1-or-later
# boot: bookworm
# deadline: 90
# expect: daemon-death
#
# The oldest service manager and bus that iommud is for: leases outlive the daemon there, too. Two things are different: nothing is
# kept over a stop, and nobody can be proved to be root.

. guest/iommud.sh
. guest/domains.sh
. guest/mock.sh
BEFORE=$(bindings)

assert_match "$(systemctl --version)" '^systemd 252 '
assert_match "$(dbus-daemon --version)" '^[^0-9]*1\.14\.'

# Of the unit it does not know one line, which is about a stop, and takes all others
assert_eq "$(systemd-analyze verify --man=no /usr/lib/systemd/system/iommud.service 2>&1 | sed -n 's/.*iommud.service:[0-9]*: //p')" \
        "Unknown key 'FileDescriptorStorePreserve' in section [Service], ignoring." "what systemd says of the unit"

# Root is told why it is nobody
for call in 'reload' "acquire $LAB_NIC" "claim $LAB_NIC" "quarantine clear $LAB_NIC" "explain --as=$LAB_VMM_UID $LAB_NIC"; do
        # shellcheck disable=SC2086 # words
        assert_fails iommuctl $call
        assert_match "$OUTPUT" "uid 0.* not proved to be this host's root.*dbus 1\.15\.8.*\(Denied\)"
done

# What it has the service manager do is done
has_read_policy() {
        [[ "$(entries MESSAGE_ID="$MESSAGE_POLICY" | wc -l)" == "$1" ]]
}
reload_service() {
        local n

        n=$(entries MESSAGE_ID="$MESSAGE_POLICY" | wc -l)
        systemctl reload iommud.service && wait_until 20 has_read_policy $((n + 1))
}
LOAD_POLICY=(reload_service)
use_policy "$(rule allow "$LAB_VMM_UID" "$LAB_NVME" "$LAB_MOCK" "$LAB_MOCK2")"

# A lease of each mode, and each does DMA
start vmm "$LAB_VMM_UID" iommuctl run -d "$LAB_NVME" -- "$PWD/programs/nvme-client" unbound '{iommufd}' '{device:0}'
vmm=$PID
assert_says vmm "$vmm" '^ready$'
vmm_lease=$(lease_of "$LAB_NVME")
attached attached "$LAB_VMM_UID" "$LAB_MOCK" mock-dma
attached=$PID attached_lease=$LEASE
memory memory "$LAB_VMM_UID"
confine confined "$LAB_VMM_UID" "$LAB_MOCK2" mock-dma
confined=$PID confined_lease=$LEASE
leases=$(iommuctl leases --json)
assert_eq "$(jq length <<<"$leases")" 3 "the number of leases"

ROUNDS=0
has_done() {
        [[ "$(grep -cE '^(done|text iommud lab)' "$CASE_DIR/$1")" == "$ROUNDS" ]]
}
assert_dma() {
        ROUNDS=$((ROUNDS + 1))
        say vmm "text $LAB_NVME_MAGIC_LBA"
        say attached "fill $ROUNDS 0x100000 0x1000"
        say confined "fill $ROUNDS 0x100000 0x1000"
        for client in vmm attached confined; do
                wait_until 20 has_done "$client" || fail "$client does no DMA: $(cat "$CASE_DIR/$client")"
        done
}

# Nothing has happened to the leases; who has them did not hear of anything; nobody else gets the devices; and iommud still has the
# contexts that it works with
assert_alive() {
        assert_dma
        assert_eq "$(iommuctl leases --json)" "$leases" "the list of leases $1"
        assert_refused "(Taken)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NVME"
        LEASE=$attached_lease
        assert_ne "$(target_of "$LAB_MOCK")" 0 "what $LAB_MOCK is attached to $1"
        LEASE=$confined_lease
        assert_ne "$(target_of "$LAB_MOCK2")" 0 "what $LAB_MOCK2 is attached to $1"
}
assert_alive "at first"

systemctl restart iommud.service
assert_alive "after a restart"

# The watchdog ends it, and then somebody else
assert_eq "$(systemctl show --property=WatchdogUSec --value iommud.service)" 10min
short_watchdog
pid=$(daemon_pid)
kill -STOP "$pid"
assert_soon 60 is_other_than "$pid"
usual_watchdog
kill_daemon
assert_alive "after the daemon was killed"

pid=$(daemon_pid)
systemctl restart dbus.service
assert_soon 60 is_other_than "$pid"
assert_alive "after the bus was started again"

# A stop: the service manager closes what it has kept. The clients keep what they have, and see nothing
systemctl stop iommud.service
assert_eq "$(stored_fds)" 0 "the number of descriptors that are kept"
assert_dma
systemctl start iommud.service
assert_ne "$(entries PRIORITY=4 | jq -r .MESSAGE | grep 'has come back')" "" "what is said of the descriptors"
assert_dma
for lease in "$vmm_lease" "$attached_lease" "$confined_lease"; do
        assert_match "$(entries MESSAGE_ID="$MESSAGE_END" IOMMUD_LEASE="$lease" | jq -r .MESSAGE)" 'or iommud was stopped'
        assert_soon 10 lease_is "$lease" draining
done
assert_soon 10 lease_says "$vmm_lease" "nvme-client \\(pid $vmm\\)"
assert_soon 10 lease_says "$attached_lease" "mock-dma \\(pid $attached\\)"
assert_soon 10 lease_says "$confined_lease" "mock-dma \\(pid $confined\\)"
assert_refused "(Draining)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NVME"

# The devices go back when they are closed, to the drivers that they had, and are handed out again
kill "$vmm" "$attached" "$confined"
wait "$vmm" "$attached" "$confined" || true
for lease in "$vmm_lease" "$attached_lease" "$confined_lease"; do
        assert_ended "$lease"
done
assert_driver "$LAB_NVME" nvme
assert_driver "$LAB_MOCK" mock-native
assert_driver "$LAB_MOCK2" mock-native
assert_soon 20 disk_is_back
hold again "$LAB_VMM_UID" "$LAB_NVME"
let_go "$PID"
assert_ended "$LEASE"
assert_untouched
