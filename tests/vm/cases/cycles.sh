# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 400
#
# Leases, one after the other: the daemon is then what it was.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_EDU" "$LAB_NIC2"

cycle() {
        local lease

        lease=$(as_user "$LAB_VMM_UID" iommuctl acquire "$@" </dev/null)
        wait_until 30 lease_is_gone "$lease" || fail "lease $lease does not end"
}

# Until it has what it keeps
pid=$(daemon_pid)
for ((i = 0; i < 10; i++)); do
        cycle "$LAB_EDU"
done
cycle "$LAB_NIC2"
figures=$(daemon_figures) memory=$(daemon_memory)

for ((i = 0; i < 80; i++)); do
        cycle "$LAB_EDU"
done
for ((i = 0; i < 20; i++)); do
        cycle "$LAB_NIC2"
        # Those that come to nothing leave nothing either
        assert_fails as_user "$LAB_STRANGER_UID" iommuctl acquire "$LAB_EDU"
done

assert_eq "$(daemon_pid)" "$pid" "the process of the daemon"
assert_figures "$figures"
now=$(daemon_memory)
assert_eq "$((now - memory < 256))" 1 "it is true that memory grew little, from $memory to $now kB"
assert_untouched
conclude "100 leases: $figures before and after; memory $memory kB, then $now kB"
