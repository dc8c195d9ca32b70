# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 300
#
# A thousand leases (or one in LAB_SAMPLE), one after the other: the daemon is then what it was. Nearly all are of devices
# that stay on the VFIO driver, which costs little time, and some of one that comes from its driver and goes back to it.

. guest/iommud.sh
. guest/mock.sh

# More memory than this is not noise: a quarter of a kilobyte for each lease
TOLERANCE_KB=256

QUICK=$((980 / LAB_SAMPLE))
REBOUND=$((20 / LAB_SAMPLE))

without_udev

# So many that the first is free again when its turn comes
MOCKS=("$LAB_MOCK" "$LAB_MOCK2" "$LAB_MOCK_POOR" "$LAB_MOCK_ELSEWHERE")
disk=/sys/bus/pci/devices/$LAB_NVME_PF
without_functions() {
        echo 0 >"$disk/sriov_numvfs"
        echo 1 >"$disk/sriov_drivers_autoprobe"
}
defer without_functions
before=$(bindings)
echo 0 >"$disk/sriov_drivers_autoprobe"
echo 4 >"$disk/sriov_numvfs"
functions_are_known() {
        [[ "$(iommuctl list --json | jq '[.[] | select(.physical_function != "")] | length')" == 4 ]]
}
assert_soon 20 functions_are_known
mapfile -t FUNCTIONS < <(iommuctl list --json | jq -r '.[] | select(.physical_function != "") | .name')

give_back() {
        local device

        for device in "$LAB_EDU" "${MOCKS[@]}"; do
                bind_native "$device"
        done
}
defer give_back
for device in "$LAB_EDU" "${FUNCTIONS[@]}"; do
        assert bind_driver "$device" vfio-pci
done
for device in "${MOCKS[@]}"; do
        assert bind_driver "$device" vfio-mock
done
STAYING=("$LAB_EDU" "${FUNCTIONS[@]}" "${MOCKS[@]}")
BEFORE=$(bindings)
allow "$LAB_VMM_UID" "${STAYING[@]}" "$LAB_NIC2"

# cycle NAME COUNT DEVICE...
cycle() {
        start "$1" "$LAB_VMM_UID" programs/acquire-often "${@:2}"
        assert_says "$1" "$PID" '^done$' 300
        assert wait "$PID"
        assert_soon 10 no_lease
        GRANTED=$((GRANTED + $(grep -c '^granted$' "$CASE_DIR/$1")))
}

# Those that come to nothing leave nothing either
refuse() {
        local i

        for ((i = 0; i < $1; i++)); do
                assert_fails as_user "$LAB_STRANGER_UID" iommuctl acquire "$LAB_EDU"
        done
}

# Until it has everything that it keeps
GRANTED=0
cycle quick-first 27 "${STAYING[@]}"
cycle rebound-first 2 "$LAB_NIC2"
refuse 1
pid=$(daemon_pid)
figures=$(daemon_figures) memory=$(daemon_memory)

GRANTED=0
second=$SECONDS
cycle quick "$QUICK" "${STAYING[@]}"
took=$((SECONDS - second))
cycle rebound "$REBOUND" "$LAB_NIC2"
refuse 10

assert_eq "$GRANTED" $((QUICK + REBOUND)) "the number of leases"
assert_eq "$(daemon_pid)" "$pid" "the process of the daemon"
assert_figures "$figures"
callers=$(daemon_callers)
assert_eq "$((callers <= 65))" 1 "it is true that descriptors of processes are few, $callers"
after=$(daemon_memory)
if ((!LAB_SANITIZER)); then
        # A sanitizer keeps what was freed for a while
        assert_eq "$((after - memory < TOLERANCE_KB))" 1 "it is true that memory grew little, from $memory to $after kB"
fi

assert_untouched
assert give_back
assert without_functions
assert with_udev
assert_bindings "$before"
conclude "$GRANTED leases ($QUICK in $took s): before and after $figures; $memory kB, then $after kB"
