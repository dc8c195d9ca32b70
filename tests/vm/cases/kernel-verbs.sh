# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The verbs of the daemon's port to the kernel, on the kernel itself: drivers, groups, and the proof that a device is
# free.
#
# deadline: 120

verb() {
        programs/kernel-verbs "$@"
}

# hold VERB DEVICE SAYS: somebody has the device from here on; $HOLDER_PID, until let_go
hold() {
        local said

        coproc HOLDER { exec programs/kernel-verbs "$1" "$2"; }
        read -r said <&"${HOLDER[0]}"
        assert_eq "$said" "$3"
}

let_go() {
        local input=${HOLDER[1]} pid=$HOLDER_PID

        exec {input}>&-
        wait "$pid"
}

bind_all_native() {
        local device

        for device in "$LAB_NVME" "$LAB_NIC" "$LAB_EDU" "$LAB_SHARED_A" "$LAB_SHARED_B"; do
                bind_native "$device"
        done
}
defer bind_all_native

# What is said of a device that nobody has. Of two behind one bridge neither can be reset, though the kernel lists "bus" for the
# one that it has found first.
free_word() {
        case "$1" in
        "$LAB_EDU" | "$LAB_SHARED_A" | "$LAB_SHARED_B")
                echo no reset
                ;;
        *)
                echo free
                ;;
        esac
}

# ---- drivers

# From its own driver, or none, to vfio-pci and back
for device in "$LAB_NVME" "$LAB_NIC" "$LAB_EDU"; do
        native=${LAB_NATIVE_DRIVER["$device"]:--}
        assert_eq "$(verb read-driver "$device")" "$native -" "what drives $device"
        assert_eq "$(verb set-driver "$device" vfio-pci vfio-pci)" ok
        assert_eq "$(verb read-driver "$device")" "vfio-pci vfio-pci"
        assert_eq "$(verb prove "$device")" "$(free_word "$device")"
        assert_eq "$(verb set-driver "$device" vfio-pci vfio-pci)" ok
        assert_eq "$(verb set-driver "$device" "$native" -)" ok
        assert_eq "$(verb read-driver "$device")" "$native -"
done
assert_soon 10 test -b "/dev/$(disk_of "$LAB_NVME")"

# To none and back; to vfio-pci without an override that stays; to its own with one that would keep it away
assert_eq "$(verb set-driver "$LAB_NIC" - -)" ok
assert_eq "$(verb read-driver "$LAB_NIC")" "- -"
assert_eq "$(verb set-driver "$LAB_NIC" vfio-pci -)" ok
assert_eq "$(verb read-driver "$LAB_NIC")" "vfio-pci -"
assert_eq "$(verb set-driver "$LAB_NIC" e1000e vfio-pci)" ok
assert_eq "$(verb read-driver "$LAB_NIC")" "e1000e vfio-pci"
assert_eq "$(verb set-driver "$LAB_NIC" e1000e -)" ok

# What fails says where, and asking for the original brings it back
assert_fails verb set-driver "$LAB_NIC" vfio-none vfio-none
assert_eq "$OUTPUT" "failed ENOENT: vfio-none is not loaded: modprobe vfio-none"
assert_eq "$(verb read-driver "$LAB_NIC")" "e1000e -"
assert_fails verb set-driver "$LAB_SHARED_BRIDGE" vfio-pci vfio-pci
assert_eq "$OUTPUT" \
        "failed EINVAL: write $LAB_SHARED_BRIDGE to /sys/bus/pci/drivers/vfio-pci/bind"
assert_eq "$(verb set-driver "$LAB_SHARED_BRIDGE" - -)" ok
assert_fails verb read-driver 0000:ff:1f.7
assert_match "$OUTPUT" "^failed ENODEV: "

# ---- groups

# Not on VFIO: there is nobody to ask. On it: free
assert_eq "$(verb probe "$(group_of "$LAB_EDU")")" free
assert_eq "$(verb set-driver "$LAB_EDU" vfio-pci vfio-pci)" ok
assert_eq "$(verb probe "$(group_of "$LAB_EDU")")" free

# One of two is on VFIO, the other on its own driver; then it has none
assert_eq "$(verb set-driver "$LAB_SHARED_A" vfio-pci vfio-pci)" ok
assert_eq "$(verb probe "$(group_of "$LAB_SHARED_A")")" "not viable"
assert_eq "$(verb set-driver "$LAB_SHARED_B" - -)" ok
assert_eq "$(verb probe "$(group_of "$LAB_SHARED_A")")" free

# ---- who has it

for device in "$LAB_EDU" "$LAB_SHARED_A"; do
        hold open "$device" open
        assert_eq "$(verb prove "$device")" "held $HOLDER_PID:kernel-verbs"
        let_go
        assert_eq "$(verb prove "$device")" "$(free_word "$device")"

        hold bind "$device" bound
        assert_eq "$(verb probe "$(group_of "$device")")" foreign
        assert_eq "$(verb prove "$device")" "held $HOLDER_PID:kernel-verbs"
        let_go
        assert_eq "$(verb probe "$(group_of "$device")")" free
        assert_eq "$(verb prove "$device")" "$(free_word "$device")"
done

# A sibling is somebody else's: then nobody else can have this one
assert_eq "$(verb set-driver "$LAB_SHARED_B" vfio-pci vfio-pci)" ok
hold bind "$LAB_SHARED_A" bound
assert_match "$(verb prove "$LAB_SHARED_B")" "^held"
let_go
assert_eq "$(verb prove "$LAB_SHARED_B")" "$(free_word "$LAB_SHARED_B")"

# An unbind waits for whoever has it. There is no driver and no node any more, but free it is not.
hold open "$LAB_EDU" open
verb set-driver "$LAB_EDU" - - >"$CASE_DIR/unbind" &
unbind=$!
assert_soon 10 is_driven_by "$LAB_EDU" ""
assert_eq "$(verb prove "$LAB_EDU")" "held $HOLDER_PID:kernel-verbs"
let_go
wait "$unbind"
assert_eq "$(cat "$CASE_DIR/unbind")" ok
assert_eq "$(verb prove "$LAB_EDU")" free

# ---- gone

assert plug newcomer edu
assert_eq "$(verb set-driver "$LAB_SLOT" vfio-pci vfio-pci)" ok
assert_eq "$(verb prove "$LAB_SLOT")" free
assert unplug newcomer
assert_eq "$(verb prove "$LAB_SLOT")" gone
