# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# A lease drains, and an administrator asks for whom: processes are named as the host sees them, whatever namespaces they are in.

. guest/iommud.sh

holders() {
        iommuctl leases --json | jq -c --argjson id "$1" '.[] | select(.id == $id) | .holders[] | [.command, .unit]' | sort
}

holders_are() {
        [[ "$(holders "$1")" == "$2" ]]
}

stop_units() {
        systemctl stop lab-holder.service
}
defer stop_units

# It has the device, in a pid and a mount namespace of its own where it is process 1; the lifeline it has not
systemd-run --quiet --collect --unit=lab-holder --service-type=exec iommuctl run -d "$LAB_NIC" -- \
        bash -c 'exec unshare --mount --pid --fork --mount-proc sleep infinity {lifeline}>&- {iommufd}>&-'
is_leased() {
        [[ "$(lease_of "$1")" != null ]]
}
assert_soon 20 is_leased "$LAB_NIC"
LEASE=$(lease_of "$LAB_NIC")
assert_soon 20 lease_is "$LEASE" draining
assert_soon 20 holders_are "$LEASE" '["sleep","lab-holder.service"]
["unshare","lab-holder.service"]'
pid=$(iommuctl leases --json | jq --argjson id "$LEASE" \
        '.[] | select(.id == $id) | .holders[] | select(.command == "sleep") | .pid')
assert_eq "$(cat "/proc/$pid/comm")" sleep "the process of that number on the host"
assert_eq "$(iommuctl leases --json | jq -r '.[0].holders[0].cgroup')" \
        "$(sed -n 's/^0:://p' "/proc/$pid/cgroup")" "the control group"
assert_match "$(iommuctl leases)" "$pid +sleep +lab-holder.service +/system.slice/lab-holder.service"

# With the first process of a namespace end all of it
kill -KILL "$pid"
assert_ended "$LEASE"
assert_driver "$LAB_NIC" e1000e

# A process that only has its registers mapped, in namespaces of its own as well, beside two that have it open
start mapper 0 iommuctl run -d "$LAB_EDU" -- bash -c 'sleep infinity {lifeline}>&- {iommufd}>&- &
        exec unshare --mount --pid --fork --mount-proc programs/edu-dma unbound {iommufd} {device:0} {lifeline}>&-'
assert_says mapper "$PID" '^ready$'
LEASE=$(lease_of "$LAB_EDU")
unit_of() {
        sed -n 's,^0::/[^:]*\.slice/\([^/]*\).*,\1,p' "/proc/$1/cgroup"
}
unit=$(unit_of "$PID")
assert_soon 20 holders_are "$LEASE" "[\"edu-dma\",\"$unit\"]
[\"sleep\",\"$unit\"]
[\"unshare\",\"$unit\"]"
mapper=$(pgrep --parent "$PID" -x edu-dma)
pkill -KILL --parent "$PID" -x sleep
kill -KILL "$PID"
say mapper map
assert_says mapper "$mapper" '^mapped$'
assert_soon 20 holders_are "$LEASE" "[\"edu-dma\",\"$unit\"]"
assert_eq "$(lease_field "$LEASE" 'holders[].pid')" "$mapper" "the process that has it mapped, in the numbers of the host"
assert lease_is "$LEASE" draining
say mapper exit
assert_ended "$LEASE"
assert_untouched
