# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the cases about iommud share, on top of lib.sh. A case that uses it begins with ". guest/iommud.sh".

POLICY=/etc/iommud/policy.d/50-lab.json
LEASES=/run/iommud

# MESSAGE_GRANT, MESSAGE_DENIAL and so on, as the daemon has them
eval "$(sed -n 's/^#define IOMMUD_\(MESSAGE_[A-Z_]*\) "\([0-9a-f]*\)"$/\1=\2/p' names.h)"

if [[ ! -e /usr/lib/systemd/system/iommud.service ]]; then
        skip "iommud is not installed"
fi

# ---- the policy

# rule VERDICT UID DEVICE...: as JSON. What is not on PCI has a name that could as well be one from iommud.json.
rule() {
        local device devices=""

        for device in "${@:3}"; do
                if [[ "$device" =~ ^(mock[0-9]+|[0-9a-f-]{36})$ ]]; then
                        devices+=",{\"address\":\"$device\"}"
                else
                        devices+=",\"$device\""
                fi
        done
        printf '{"verdict":"%s","uid":%s,"devices":[%s]}\n' "$1" "$2" "${devices:1}"
}

# Has it read. A case may have another way.
LOAD_POLICY=(iommuctl reload)
load_policy() {
        "${LOAD_POLICY[@]}"
}

# use_policy RULE...: these are in force until the case ends
use_policy() {
        local IFS=,

        if [[ ! -e "$POLICY" ]]; then
                defer drop_policy
        fi
        printf '{ "rules": [ %s ] }\n' "$*" >"$POLICY"
        assert load_policy
}

drop_policy() {
        rm -f "$POLICY"
        load_policy
}

# allow UID DEVICE...: nothing else is allowed to anybody
allow() {
        use_policy "$(rule allow "$@")"
}

# lists_nothing COMMAND...: an empty array, which each version of json-c prints as it likes
lists_nothing() {
        [[ "$("$@" --json)" == "["*([[:space:]])"]" ]]
}

# ---- leases

lease_field() {
        iommuctl leases --json | jq -r --argjson id "$1" ".[] | select(.id == \$id) | .$2"
}

# lease_property LEASE NAME: or what is wrong. For what is asked over and over; lease_field asks for all leases and chooses.
lease_property() {
        property org.iommud1 "/org/iommud1/lease/$1" org.iommud1.Lease "$2" 2>&1 || true
}

lease_is() {
        [[ "$(lease_property "$1" State)" == "$2" ]]
}

# Its reason is for people, and part of what is tested
lease_says() {
        [[ "$(lease_property "$1" StateReason)" =~ $2 ]]
}

# lease_of DEVICE: the number of the lease that it is in, or "null"; nothing when there is no such device
lease_of() {
        local lease

        lease=$(property org.iommud1 "$(object_of "$1")" org.iommud1.Device Lease) || return 0
        lease=${lease##*/}
        printf '%s\n' "${lease:-null}"
}

# object_of DEVICE: its path on the bus. What a path may not have, and a digit at its beginning, is in numbers.
object_of() {
        local name="$1" first=""

        if [[ "$name" == [0-9]* ]]; then
                printf -v first '_%02x' "'$name"
                name=${name:1}
        fi
        name=${name//:/_3a}
        name=${name//./_2e}
        printf '/org/iommud1/device/%s\n' "$first${name//-/_2d}"
}

no_lease() {
        lists_nothing iommuctl leases
}

lease_is_gone() {
        [[ "$(lease_property "$1" Id)" == *"Unknown object"* ]]
}

# How many descriptors the service manager keeps of leases and claims. While iommud runs there is one more: the lifeline of the
# lease that will be granted next.
stored_fds() {
        local n

        n=$(service_property Service NFileDescriptorStore)
        if daemon_is_up; then
                n=$((n - 1))
        fi
        printf '%d\n' "$n"
}

stored_fds_are() {
        [[ "$(stored_fds)" == "$1" ]]
}

# What is kept of leases beside the daemon: none of it outlives them
no_records() {
        ! compgen -G "$LEASES/lease-*" >/dev/null && stored_fds_are 0
}

# ---- clients that hold a lease

# hold NAME UID SELECTOR...: acquires and holds. The lease is $LEASE, the process $PID.
hold() {
        start "$1" "$2" iommuctl acquire "${@:3}"
        assert_says "$1" "$PID" '^[0-9]+$'
        LEASE=$(head -n 1 "$CASE_DIR/$1")
}

# let_go PID: asks it to end, and waits until it has. It may have seen the end of its lease already.
let_go() {
        kill -TERM "$1" 2>/dev/null || true
        wait "$1" || true
}

# assert_ended LEASE [SECONDS]: soon, and with everything that belongs to it
assert_ended() {
        wait_until "${2:-30}" lease_is_gone "$1" ||
                fail "lease $1 does not end: it is $(lease_field "$1" state): $(lease_field "$1" state_reason)"
}

# What earlier tenants have left in devices; here there are no secrets in them
clear_quarantine() {
        if ! lists_nothing iommuctl quarantine; then
                iommuctl quarantine clear all
        fi
}

# ---- the host

override_of() {
        cat "$(sysfs_of "$1")/driver_override"
}

# Driver and override of every device: what a lease leaves as it found it
bindings() {
        find /sys/bus/{pci,iommud-mock,mdev}/devices/*/ -maxdepth 1 -name driver -printf '%p %l\n' 2>/dev/null || true
        grep -s . /sys/bus/{pci,iommud-mock,mdev}/devices/*/driver_override || true
}

bindings_are() {
        [[ "$(bindings)" == "$1" ]]
}

# assert_bindings BEFORE
assert_bindings() {
        wait_until 20 bindings_are "$1" ||
                fail "the host has changed: $(diff <(printf '%s\n' "$1") <(bindings) | grep '^[<>]' || true)"
}

# The disk to give away is with the host again, and what is on it is what was
disk_is_back() {
        local disk

        disk=$(disk_of "$LAB_NVME")
        [[ -b "/dev/$disk" ]] &&
                [[ "$(head -c "$LAB_NVME_KNOWN" "/dev/$disk" | sha256sum | cut -d ' ' -f 1)" == "$LAB_NVME_SHA256" ]]
}

# ---- the daemon

daemon_pid() {
        service_property Service MainPID
}

daemon_is_up() {
        [[ "$(service_property Unit ActiveState)" == active ]]
}

is_other_than() {
        local pid

        pid=$(daemon_pid)
        [[ "$pid" != 0 && "$pid" != "$1" ]] && daemon_is_up
}

usual_watchdog() {
        rm -rf /run/systemd/system/iommud.service.d
        systemctl daemon-reload
        systemctl restart iommud.service
}

# short_watchdog: from here on the daemon is started again when it has said nothing for 4 s, until usual_watchdog
short_watchdog() {
        defer usual_watchdog
        mkdir -p /run/systemd/system/iommud.service.d
        printf '[Service]\nWatchdogSec=4\n' >/run/systemd/system/iommud.service.d/watchdog.conf
        systemctl daemon-reload
        systemctl restart iommud.service
}

# kill_daemon: as a fault would, and waits until the service manager has started it again
kill_daemon() {
        local old

        old=$(daemon_pid)
        kill -KILL "$old"
        wait_until 30 is_other_than "$old" || fail "iommud is not started again"
}

# is_listed DEVICE: iommud knows that it is there
is_listed() {
        iommuctl find "$1" >/dev/null 2>&1
}

is_not_listed() {
        ! is_listed "$1"
}

# A child that has worked on a context waits for more to do, and goes when there is nothing
no_idle_child() {
        ! pgrep --parent "$(daemon_pid)" -x iommud-idle >/dev/null
}

# daemon_objects KIND: how many there are on the bus: device, group, lease, claim, or "" for all
daemon_objects() {
        busctl --json=short call org.iommud1 /org/iommud1 org.freedesktop.DBus.ObjectManager GetManagedObjects |
                jq --arg under "/org/iommud1${1:+/$1}/" '[.data[0] | keys[] | select(startswith($under))] | length'
}

# Open descriptors, objects on the bus, children, records: what it has when it is idle. Of the processes that have called it
# remembers some, each by a descriptor: see daemon_callers.
daemon_figures() {
        local pid

        pid=$(daemon_pid)
        wait_until 20 no_idle_child || true
        printf '%d descriptors, %d objects, %d children, %d state files, %d stored descriptors\n' \
                "$(find "/proc/$pid/fd" -mindepth 1 ! -lname '*pidfd*' | wc -l)" \
                "$(daemon_objects "")" \
                "$({ pgrep --parent "$pid" || true; } | wc -l)" \
                "$({ compgen -G "$LEASES/lease-*" || true; } | wc -l)" \
                "$(stored_fds)"
}

daemon_figures_are() {
        [[ "$(daemon_figures)" == "$1" ]]
}

# assert_figures BEFORE: soon
assert_figures() {
        wait_until 20 daemon_figures_are "$1" || fail "iommud has $(daemon_figures), and had $1"
}

# How many processes it has a descriptor of. 64 callers are remembered, and sd-bus has one of who listens for the bus, which
# is the service manager
daemon_callers() {
        find "/proc/$(daemon_pid)/fd" -mindepth 1 -lname '*pidfd*' | wc -l
}

# In kB, what it has written to and shares with nobody
daemon_memory() {
        sed -n 's/^Private_Dirty:\s*\([0-9]*\) kB/\1/p' "/proc/$(daemon_pid)/smaps_rollup"
}

# For cases in which drivers come and go without end: udev would look at each of them, for as long again. iommud does not ask it.
without_udev() {
        defer with_udev
        udevadm settle
        systemctl stop systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service
}

with_udev() {
        systemctl start systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service
        udevadm trigger --action=add --subsystem-match=net
        udevadm settle
}

# Not a cursor: a journalctl of systemd 252 leaves out what is first after it
journalctl --sync
CASE_BEGIN=$EPOCHREALTIME

# entries MATCH...: of iommud since the case began, as JSON, one a line
entries() {
        journalctl --sync
        journalctl --quiet --since="@$CASE_BEGIN" --unit=iommud.service --output=json "$@"
}

# assert_entry MESSAGE_ID FIELD=VALUE...: there is one, with these fields
assert_entry() {
        [[ -n "$(entries MESSAGE_ID="$1" "${@:2}")" ]] ||
                fail "no entry of the journal has MESSAGE_ID=$*, there are: $(entries MESSAGE_ID="$1" |
                        jq -c 'with_entries(select(.key | test("^(MESSAGE|IOMMUD_.*)$")))')"
}

assert_no_entry() {
        [[ -z "$(entries MESSAGE_ID="$1" "${@:2}")" ]] || fail "the journal has MESSAGE_ID=$*"
}

# A mark in the kernel's log, and what it has said since about a device or a group
mark_kernel_log() {
        KERNEL_MARK="lab: mark $RANDOM$RANDOM"
        echo "$KERNEL_MARK" >/dev/kmsg
}

kernel_said() {
        dmesg | sed "1,/$KERNEL_MARK/d" | grep -vE 'audit|systemd' || true
}

# What the case begins with, and has to end with
assert iommuctl list >/dev/null
assert no_lease
assert clear_quarantine
BEFORE=$(bindings)

# Everything is as it was: to be called at the end of a case
assert_untouched() {
        wait_until 20 no_lease || fail "a lease is left: $(iommuctl leases --json | jq -c .)"
        assert_bindings "$BEFORE"
        assert_soon 10 no_records
}

# ---- claims

group_field() {
        iommuctl groups --json | jq -r --argjson id "$1" ".[] | select(.id == \$id) | .$2"
}

# claim_is DEVICE STATE
claim_is() {
        [[ "$(property org.iommud1 "/org/iommud1/group/$(group_of "$1")" org.iommud1.Group Claim)" == "$2" ]]
}

# assert_claim DEVICE STATE: soon
assert_claim() {
        wait_until 60 claim_is "$1" "$2" ||
                fail "the claim on the group of $1 is '$(group_field "$(group_of "$1")" claim)' and should be '$2': $(
                        group_field "$(group_of "$1")" claim_reason)"
}

# What is left of claims when nothing is claimed; what lasts is with the case
no_claim_records() {
        ! compgen -G "$LEASES/claim-*" >/dev/null
}

# Whatever the case has claimed is given back
drop_claims() {
        local group

        for group in $(iommuctl groups --json | jq -r '.[] | select(.claim != "none") | .id'); do
                iommuctl unclaim "group:$group"
        done
        systemctl stop iommud.service
        rm -f /var/lib/iommud/approved-groups
        systemctl start iommud.service
}
