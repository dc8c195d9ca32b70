# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 150
#
# Virtual functions come and go as the administrator says, and iommud follows; one that somebody has goes when it is given back.

. guest/iommud.sh

allow "$LAB_VMM_UID" any

set_vfs() {
        echo "$1" >"/sys/bus/pci/devices/$LAB_IGB/sriov_numvfs"
}
defer set_vfs 0

vfs_listed() {
        [[ "$(iommuctl list --json |
                jq --arg pf "$LAB_IGB" '[.[] | select(.physical_function == $pf)] | length')" == "$1" ]]
}

assert vfs_listed 0
for number in 4 0 "$LAB_IGB_VFS" 0 4; do
        set_vfs "$number"
        assert_soon 30 vfs_listed "$number"
done
udevadm settle
before=$(bindings)
vf=$(iommuctl find "pf=$LAB_IGB,vf=2")
assert has_device "$vf"
assert_refused "(NoSuchDevice)" iommuctl acquire "pf=$LAB_IGB,vf=4"

# With functions, the physical one is not for sale
assert_refused "(NotSupported)" iommuctl acquire "$LAB_IGB"
assert_match "$OUTPUT" 'has 4 virtual functions'

hold function "$LAB_VMM_UID" "pf=$LAB_IGB,vf=2"
assert_driver "$vf" vfio-pci
let_go "$PID"
assert_ended "$LEASE"
assert_bindings "$before"

# One that is in use keeps all of them in the kernel, but not iommud
hold user "$LAB_VMM_UID" "$vf"
user=$PID lease=$LEASE
set_vfs 0 &
writer=$!
is_going() {
        [[ ! -e "/sys/bus/pci/devices/$vf/driver" ]]
}
assert_soon 20 is_going
assert is_running "$writer"
hold meanwhile "$LAB_VMM_UID" "$LAB_EDU"
let_go "$PID"
assert_ended "$LEASE"
assert_ne "$(lease_field "$lease" id)" "" "the lease of what is going"
assert_refused "(" iommuctl acquire "$vf"

let_go "$user"
assert wait "$writer"
assert_ended "$lease"
assert_soon 30 vfs_listed 0
assert_fails iommuctl find "$vf"
assert_no_entry "$MESSAGE_STUCK"

# The physical function is as any other device now
hold physical "$LAB_VMM_UID" "$LAB_IGB"
assert_driver "$LAB_IGB" vfio-pci
let_go "$PID"
assert_ended "$LEASE"
assert_untouched
