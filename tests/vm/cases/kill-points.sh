# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm-faults
# deadline: 900
# expect: daemon-death
#
# Before every change to the kernel, the disk and the service manager there is a point at which a daemon that is built for it can be
# killed, or the change made to fail. At each of them in turn: whatever happens, the host ends up as it was, and nothing is lost.

. guest/faults.sh

KILLED=0
FAILED=0
EIO=5

has_fired() {
        (($(plan count) >= POINT))
}

# The daemon is idle: the one that was started, or, when the point was reached, another one
is_settled() {
        is_quiet && no_records || return 1
        ! has_fired || is_other_than "$DAEMON"
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
        for ((POINT = 1; ; POINT++)); do
                # First: what is still due would meet the clearance
                plan reset
                assert forgive_reset
                plan fail "$POINT" "$EIO"
                GRANTED=1
                cycle "$@" || GRANTED=0
                assert_recovered "failed at point $POINT of $*"
                if ((!GRANTED)); then
                        assert has_fired
                        assert_match "$(cat "$CASE_DIR/cycle")" '\(KernelFailed\)'
                fi
                assert_same_host "failed at point $POINT of $*"
                if ! has_fired; then
                        assert_eq "$GRANTED" 1 "the Acquire after $((POINT - 1)) failures ($(cat "$CASE_DIR/cycle"))"
                        break
                fi
                FAILED=$((FAILED + 1))
        done
        printf 'failed at %d points of %s\n' $((POINT - 1)) "$*"
        assert no_records
}

for device in "$LAB_NVME" "$LAB_EDU" "$LAB_SHARED_A"; do
        kill_everywhere "$device"
        fail_everywhere "$device"
done
assert_soon 20 disk_is_back

plan reset
assert_untouched
conclude "$KILLED kill points tried, $FAILED faults injected, $STUCK leases stuck until released, nothing lost"
