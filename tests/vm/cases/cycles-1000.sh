# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm-next
# deadline: 600
#
# A thousand leases: the daemon is then what it was. With sanitizers fewer, which find what is lost by themselves.

. guest/iommud.sh

# More memory than this is not noise: a hundred bytes for each lease
TOLERANCE_KB=100

# The card, which has a driver of its own, costs time
if ((LAB_SANITIZER)); then
        declare -A leases=(["$LAB_EDU"]=150 ["$LAB_NIC2"]=10)
else
        declare -A leases=(["$LAB_EDU"]=980 ["$LAB_NIC2"]=30)
fi
allow "$LAB_VMM_UID" "${!leases[@]}"

# cycle NAME COUNT DEVICE
cycle() {
        start "$1-$3" "$LAB_VMM_UID" programs/acquire-often "$2" "$3"
        assert_says "$1-$3" "$PID" '^done$' 400
        assert wait "$PID"
        GRANTED=$((GRANTED + $(grep -c '^granted$' "$CASE_DIR/$1-$3")))
}

# Open descriptors, objects on the bus, children, records
figures() {
        local pid

        pid=$(daemon_pid)
        printf '%d descriptors, %d objects, %d children, %d state files, %d stored descriptors\n' \
                "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" \
                "$(busctl tree --list org.iommud1 | wc -l)" \
                "$(pgrep --parent "$pid" | wc -l)" \
                "$(find "$LEASES" -name 'lease-*' | wc -l)" \
                "$(systemctl show --property=NFileDescriptorStore --value iommud.service)"
}

# What it has written to and shares with nobody
memory() {
        sed -n 's/^Private_Dirty:\s*\([0-9]*\) kB/\1/p' "/proc/$(daemon_pid)/smaps_rollup"
}

figures_are() {
        [[ "$(figures)" == "$1" ]]
}

# Until it has everything that it keeps
GRANTED=0
for device in "${!leases[@]}"; do
        cycle first 10 "$device"
done
assert_soon 10 no_lease
pid=$(daemon_pid)
figures=$(figures) memory=$(memory)

GRANTED=0
for device in "${!leases[@]}"; do
        cycle rest "${leases["$device"]}" "$device"
done
# Those that come to nothing leave nothing either
for ((i = 0; i < 50; i++)); do
        assert_fails as_user "$LAB_STRANGER_UID" iommuctl acquire "$LAB_EDU"
done
assert_soon 10 no_lease

assert_eq "$(daemon_pid)" "$pid" "the process of the daemon"
assert_soon 10 figures_are "$figures"
after=$(memory)
if ((!LAB_SANITIZER)); then
        assert_eq "$((GRANTED >= 1000))" 1 "it is true that there were a thousand leases, of $GRANTED: it"
        # A sanitizer keeps what was freed for a while
        assert_eq "$((after - memory < TOLERANCE_KB))" 1 "it is true that memory grew little, from $memory to $after kB"
fi
assert_untouched
conclude "$GRANTED leases: before and after $figures; $memory kB, then $after kB"
