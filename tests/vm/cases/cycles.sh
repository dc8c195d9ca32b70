# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 900
#
# Three hundred leases, one after the other: the daemon is then what it was.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_EDU" "$LAB_NIC2"

cycle() {
        local lease

        lease=$(as_user "$LAB_VMM_UID" iommuctl acquire "$@" </dev/null)
        wait_until 30 lease_is_gone "$lease" || fail "lease $lease does not end"
}

# Open descriptors, objects on the bus, children
figures() {
        local pid

        pid=$(daemon_pid)
        printf '%d descriptors, %d objects, %d children\n' \
                "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" \
                "$(busctl tree --list org.iommud1 | wc -l)" \
                "$(pgrep --parent "$pid" | wc -l)"
}

memory() {
        sed -n 's/^VmRSS:\s*\([0-9]*\) kB/\1/p' "/proc/$(daemon_pid)/status"
}

figures_are() {
        [[ "$(figures)" == "$1" ]]
}

pid=$(daemon_pid)
for ((i = 0; i < 20; i++)); do
        cycle "$LAB_EDU"
        cycle "$LAB_NIC2"
done
before=$(figures) memory=$(memory)

for ((i = 0; i < 250; i++)); do
        cycle "$LAB_EDU"
done
for ((i = 0; i < 50; i++)); do
        cycle "$LAB_NIC2"
        # Those that come to nothing leave nothing either
        assert_fails as_user "$LAB_STRANGER_UID" iommuctl acquire "$LAB_EDU"
done

assert_eq "$(daemon_pid)" "$pid" "the process of the daemon"
assert_soon 10 figures_are "$before"
printf '%s, %d kB and %d kB after 300 more\n' "$before" "$memory" "$(memory)"
# A sanitizer keeps what was freed for a while
if ((!LAB_SANITIZER)); then
        assert_eq "$(($(memory) - memory < 512))" 1 "it is true that memory grew little, from $memory to $(memory) kB"
fi
assert_untouched
