# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 1500
# expect: daemon-death
#
# Before every change to the kernel, the disk and the service manager there is a point at which a daemon that is built for it can be
# killed, or the change made to fail. At each of them in turn: whatever happens, the host ends up as it was, and nothing is lost.

. guest/iommud.sh

grep -q IOMMUD_FAULT_FILE "/proc/$(daemon_pid)/exe" || skip "this build has no fault points"

FAULTS=$LEASES/fault
KILLED=0
FAILED=0
EIO=5

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

has_fired() {
        (($(plan count) >= POINT))
}

is_quiet() {
        no_lease && no_records
}

# The daemon is idle: the one that was started, or, when the point was reached, another one
is_settled() {
        is_quiet || return 1
        ! has_fired || is_other_than "$DAEMON"
}

is_settled_or_stuck() {
        is_settled || [[ "$(iommuctl leases --json | jq -r '.[0].state')" == stuck ]]
}

# A whole lease, if it is granted
cycle() {
        iommuctl acquire "$@" </dev/null >"$CASE_DIR/cycle" 2>&1
}

assert_same_host() {
        wait_until 20 bindings_are "$BEFORE" || fail "$1: the host has changed: $(
                diff <(printf '%s\n' "$BEFORE") <(bindings) | grep '^[<>]' || true)"
        assert_eq "$(find "$LEASES" -type f ! -name fault ! -name .new ! -name quarantine)" "" "$1: what is left of records"
}

# kill_everywhere SELECTOR...
kill_everywhere() {
        for ((POINT = 1; ; POINT++)); do
                DAEMON=$(daemon_pid)
                plan kill "$POINT"
                GRANTED=1
                cycle "$@" || GRANTED=0
                wait_until 60 is_settled || fail "killed at point $POINT of $*: not settled: $(iommuctl leases --json)"
                assert_same_host "killed at point $POINT of $*"
                if ! has_fired; then
                        # All of it went through, in spite of all the kills before
                        assert_eq "$GRANTED" 1 "the Acquire after $((POINT - 1)) kills ($(cat "$CASE_DIR/cycle"))"
                        break
                fi
                KILLED=$((KILLED + 1))
        done
        printf 'killed at %d points of %s\n' $((POINT - 1)) "$*"
        assert_eq "$((POINT > 5))" 1 "it is likely that there are points"
}

# fail_everywhere SELECTOR...
fail_everywhere() {
        local lease

        for ((POINT = 1; ; POINT++)); do
                # A reset that is made to fail is one that has failed; and a kill that is still due would meet the clearance
                plan reset
                assert clear_quarantine
                DAEMON=-1
                plan fail "$POINT" "$EIO"
                GRANTED=1
                cycle "$@" || GRANTED=0
                wait_until 60 is_settled_or_stuck || fail "failed at point $POINT of $*: $(iommuctl leases --json)"
                if ((!GRANTED)); then
                        assert has_fired
                        assert_match "$(cat "$CASE_DIR/cycle")" '\(KernelFailed\)'
                fi
                lease=$(iommuctl leases --json | jq '.[0].id // empty')
                if [[ -n "$lease" ]]; then
                        assert_ne "$(lease_field "$lease" state_reason)" "" "the reason of a lease that is stuck"
                        assert iommuctl release "$lease" >/dev/null
                        assert_soon 20 is_quiet
                fi
                assert_same_host "failed at point $POINT of $*"
                if ! has_fired; then
                        assert_eq "$GRANTED" 1 "the Acquire after $((POINT - 1)) failures ($(cat "$CASE_DIR/cycle"))"
                        break
                fi
                FAILED=$((FAILED + 1))
        done
        printf 'failed at %d points of %s\n' $((POINT - 1)) "$*"
}

for device in "$LAB_NVME" "$LAB_EDU" "$LAB_SHARED_A"; do
        kill_everywhere "$device"
        fail_everywhere "$device"
done
assert_soon 20 disk_is_back

printf '%d kill points tried, %d faults injected, nothing lost\n' "$KILLED" "$FAILED"
plan reset
assert_untouched
