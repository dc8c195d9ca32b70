# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# A network card that the host's network runs over is taken by nobody, whatever the network is made of, and can be had
# when that is over.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_NIC" "$LAB_NIC2"

interface_of() {
        local dir

        for dir in "/sys/bus/pci/devices/$1/net"/*; do
                if [[ -e "$dir" ]]; then
                        basename "$dir"
                fi
        done
}

has_interface() {
        [[ -n "$(interface_of "$1")" ]]
}

# assert_in_use REGEX: root may not have it either
assert_in_use() {
        local uid

        for uid in 0 "$LAB_VMM_UID"; do
                assert_refused "(HostInUse)" as_user "$uid" iommuctl acquire "$LAB_NIC"
                assert_match "$OUTPUT" "The host uses $LAB_NIC: $1"
        done
        assert bindings_are "$BEFORE"
}

assert_possible() {
        assert iommuctl plan "$LAB_NIC" >/dev/null
}

nic=$(interface_of "$LAB_NIC")
nic2=$(interface_of "$LAB_NIC2")
bring_down() {
        ip link set "$(interface_of "$LAB_NIC")" down
}
defer bring_down

# Up, and nothing else
ip link set "$nic" up
assert_possible

# An address, and the default route
ip address add 192.0.2.7/24 dev "$nic"
assert_in_use "$nic carries 192\.0\.2\.7/24"
ip route add default via 192.0.2.1
assert_in_use "the default route is through $nic"
assert iommuctl plan "$LAB_NIC2" >/dev/null
ip address flush dev "$nic" scope global
assert_possible
ip address add 2001:db8::7/64 dev "$nic" nodad
assert_in_use "$nic carries 2001:db8::7/64"
ip address del 2001:db8::7/64 dev "$nic"
assert_possible

# A VLAN
ip link add link "$nic" name lab-vlan type vlan id 7
ip link set lab-vlan up
assert_possible
ip address add 192.0.2.7/24 dev lab-vlan
assert_in_use "$nic is below lab-vlan, which carries 192\.0\.2\.7/24"
ip link del lab-vlan
assert_possible

# A bridge
ip link add lab-bridge type bridge
defer ip link del lab-bridge
ip link set "$nic" master lab-bridge
ip link set lab-bridge up
assert_possible
ip address add 192.0.2.7/24 dev lab-bridge
assert_in_use "$nic is in lab-bridge, which carries 192\.0\.2\.7/24"
ip route add default via 192.0.2.1
assert_in_use "$nic is in lab-bridge, which has the default route"
ip address flush dev lab-bridge scope global
assert_possible
ip link set "$nic2" master lab-bridge
ip link set "$nic2" up
assert_in_use "$nic is in lab-bridge, which connects it with $nic2"
ip link set "$nic2" nomaster down
ip link set "$nic" nomaster

# A bond
ip link add lab-bond type bond mode active-backup
defer ip link del lab-bond
ip link set "$nic" down
ip link set "$nic" master lab-bond
ip link set lab-bond up
assert_possible
ip address add 192.0.2.7/24 dev lab-bond
assert_in_use "$nic is in lab-bond, which carries 192\.0\.2\.7/24"
ip link set "$nic" nomaster
assert_possible

# Another network namespace
start namespace 0 unshare --net sh -c 'echo there && read -r line'
assert_says namespace "$PID" '^there'
ip link set "$nic" netns "$PID"
assert_in_use "a network interface of it is in another network namespace"
say namespace end
assert_soon 10 is_over "$PID"
assert_soon 20 has_interface "$LAB_NIC"
udevadm settle

# A container's macvlan: all that is seen of it is the address that the interface receives for
nic=$(interface_of "$LAB_NIC")
start container 0 unshare --net sh -c 'echo there && read -r line'
assert_says container "$PID" '^there'
ip link add link "$nic" name lab-macvlan address 02:00:00:00:00:07 type macvlan mode bridge
ip link set lab-macvlan netns "$PID"
ip link set "$nic" up
assert_possible
assert nsenter -t "$PID" -n ip link set lab-macvlan up
assert_in_use "$nic receives for 02:00:00:00:00:07, which is in another network namespace"
say container end
assert_soon 10 is_over "$PID"
is_possible() {
        iommuctl plan "$LAB_NIC" >/dev/null
}
assert_soon 20 is_possible

# It can be had now, and comes back with its interface
hold free "$LAB_VMM_UID" "$LAB_NIC"
let_go "$PID"
assert_ended "$LEASE"
assert_soon 20 has_interface "$LAB_NIC"
udevadm settle
assert_untouched
