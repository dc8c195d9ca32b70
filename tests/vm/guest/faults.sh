# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For the cases of the suite vm-faults, whose daemon fails where it is told to (lib/base/fault.h). On top of iommud.sh.

. guest/iommud.sh

FAULTS=$LEASES/fault

plan() {
        programs/fault-plan "$FAULTS" "$@"
}

without_faults() {
        rm -rf /run/systemd/system/iommud.service.d "$FAULTS"
        systemctl daemon-reload
        systemctl restart iommud.service
}
defer without_faults
mkdir -p /run/systemd/system/iommud.service.d
cat >/run/systemd/system/iommud.service.d/faults.conf <<EOT
[Unit]
StartLimitIntervalSec=0
[Service]
Environment=IOMMUD_FAULT_FILE=$FAULTS
EOT
plan reset
systemctl daemon-reload
systemctl restart iommud.service

# What is asked hundreds of times should take no process: there is a record as long as there is a lease
has_record() {
        compgen -G "$LEASES/lease-*" >/dev/null
}

# Nothing is under way, and nothing is kept
is_quiet() {
        ! has_record && no_lease
}

is_quiet_or_stuck() {
        is_quiet || [[ "$(iommuctl leases --json | jq -r '.[0].state')" == stuck ]]
}

# A reset that was made to fail is one that has failed
forgive_reset() {
        [[ ! -e "$LEASES/quarantine" ]] || clear_quarantine
}

# A whole lease, if it is granted
cycle() {
        iommuctl acquire "$@" </dev/null >"$CASE_DIR/cycle" 2>&1
}

# assert_recovered WHEN: what has not ended by itself is stuck, says why, and ends when an administrator has it tried again
STUCK=0
assert_recovered() {
        local lease

        wait_until 60 is_quiet_or_stuck || fail "$1: neither at its end nor stuck: $(iommuctl leases --json)"
        lease=$(iommuctl leases --json | jq '.[0].id // empty')
        if [[ -n "$lease" ]]; then
                assert_ne "$(lease_field "$lease" state_reason)" "" "the reason of a lease that is stuck, $1,"
                assert iommuctl release "$lease" >/dev/null
                wait_until 20 is_quiet || fail "$1: still stuck: $(iommuctl leases --json)"
                STUCK=$((STUCK + 1))
        fi
}

# assert_same_host WHEN: drivers and overrides are what they were, and no state file is left
assert_same_host() {
        wait_until 20 bindings_are "$BEFORE" || fail "$1: the host has changed: $(
                diff <(printf '%s\n' "$BEFORE") <(bindings) | grep '^[<>]' || true)"
        assert_eq "$(find "$LEASES" -type f ! -name fault ! -name .new ! -name quarantine ! -name last-lease)" "" "$1: what is left of records"
}
