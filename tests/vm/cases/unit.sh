# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize always
# deadline: 120
# expect: daemon-death
#
# What the unit says is in force: rights, devices, the watchdog, and that a call starts it.

. guest/iommud.sh

show() {
        systemctl show --property="$1" --value iommud.service
}

# The first call starts it
systemctl stop iommud.service
assert_fails daemon_is_up
assert as_user "$LAB_STRANGER_UID" iommuctl list >/dev/null
assert daemon_is_up
pid=$(daemon_pid)

# Before it, and not again for each start, the modules
modules_started() {
        systemctl show --property=ExecMainStartTimestampMonotonic --value iommud-modules.service
}
assert_eq "$(systemctl is-active iommud-modules.service)" active
before=$(modules_started)
systemctl restart iommud.service
assert_eq "$(modules_started)" "$before" "when modules were last loaded"
pid=$(daemon_pid)

# Its capabilities are the unit's, and those are few
mask=0
for capability in $(show CapabilityBoundingSet); do
        case "$capability" in
        cap_dac_read_search) bit=2 ;;
        cap_kill) bit=5 ;;
        cap_sys_ptrace) bit=19 ;;
        cap_sys_resource) bit=24 ;;
        cap_audit_write) bit=29 ;;
        *) fail "the unit has $capability, for which there should be a reason" ;;
        esac
        mask=$((mask | 1 << bit))
done
for set in CapBnd CapPrm CapEff; do
        assert_eq "$((16#$(sed -n "s/^$set:\t//p" "/proc/$pid/status")))" "$mask" "$set"
done
assert_eq "$(sed -n 's/^CapAmb:\t//p' "/proc/$pid/status")" 0000000000000000 CapAmb
assert_eq "$(sed -n 's/^NoNewPrivs:\t//p' "/proc/$pid/status")" 1 NoNewPrivs

# The devices that it could open are VFIO's and iommufd's
hold device 0 "$LAB_EDU"
cgroup=/sys/fs/cgroup$(show ControlGroup)
in_unit() {
        sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$cgroup" "$@"
}
assert in_unit sh -c 'exec <>/dev/iommu'
assert in_unit sh -c 'exec <>/dev/vfio/vfio'
assert in_unit sh -c "exec <>/dev/vfio/devices/$(cdev_of "$LAB_EDU")"
assert_fails in_unit sh -c 'exec </dev/vda'
assert_match "$OUTPUT" 'Operation not permitted'
assert_fails in_unit sh -c "exec </dev/$(disk_of "$LAB_NVME")"
assert_fails in_unit sh -c 'exec </dev/mem'
let_go "$PID"
assert_ended "$LEASE"

# It writes where it has to and nowhere else
in_its_view() {
        nsenter --target "$pid" --mount -- "$@"
}
assert_fails in_its_view touch /etc/iommud/policy.d/nothing
assert_fails in_its_view touch /usr/nothing
assert_fails in_its_view sh -c 'echo >/proc/sys/kernel/sysrq'
assert in_its_view test -w /sys/bus/pci/drivers_probe
assert_eq "$(stat --format='%a %U' "$LEASES")" "700 root" "the mode of $LEASES"

if ((!LAB_SANITIZER)); then
        assert_eq "$(sed -n 's/^Seccomp:\t//p' "/proc/$pid/status")" 2 Seccomp
        assert systemd-analyze security --no-pager --threshold=30 iommud.service >"$CASE_DIR/security"
        tail -n 1 "$CASE_DIR/security"
fi
assert_eq "$(systemd-analyze verify --man=no /usr/lib/systemd/system/iommud.service 2>&1 | grep -v '^$' || true)" "" \
        "what systemd-analyze says of the unit"

# It is started again however often it was before
assert_eq "$(show StartLimitIntervalUSec)" 0 "the time in which starts are counted"

# Each message has its explanation
mapfile -t ids < <(sed -n 's/^#define IOMMUD_MESSAGE_[A-Z]* "\([0-9a-f]*\)"$/\1/p' names.h)
for id in "${ids[@]}"; do
        assert_match "$(journalctl --list-catalog "$id")" "^$id .*iommud"
done

# The watchdog: an idle daemon answers it, and one that hangs is started again
assert_eq "$(show WatchdogUSec)" 10min
short_watchdog
pid=$(daemon_pid)
fed=$(show WatchdogTimestampMonotonic)
was_fed() {
        (($(show WatchdogTimestampMonotonic) > fed + 6000000))
}
assert_soon 30 was_fed
assert_eq "$(daemon_pid)" "$pid" "the process of the daemon"
kill -STOP "$pid"
assert_soon 60 is_other_than "$pid"
assert iommuctl list >/dev/null
assert_untouched
