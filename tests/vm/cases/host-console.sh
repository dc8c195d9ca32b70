# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The device that the host's console is on is taken by nobody, and neither is one whose ports a process has open. The lab's console
# is on a wire that is no PCI device: which consoles there are is said in place of the kernel, what they are on is not.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_PORTS"
consoles=/sys/devices/virtual/tty/console/active

# assert_in_use USE REGEX: root may not have it either
assert_in_use() {
        local uid

        for uid in 0 "$LAB_VMM_UID"; do
                assert_refused "(HostInUse)" as_user "$uid" iommuctl acquire "$LAB_PORTS"
                assert_match "$OUTPUT" "The host uses $LAB_PORTS: $2"
                assert_fails as_user "$uid" iommuctl plan --json "$LAB_PORTS"
                assert_eq "$(jq -r '.steps[] | select(.action == "blocked") | .values.use' <<<"$OUTPUT")" "$1" "the kind of use"
        done
        assert bindings_are "$BEFORE"
}

# What the tests say goes through one of its ports
assert_no_match "$(cat "$consoles")" hvc
assert_in_use open "/dev/vport[0-9]+p[0-9]+ is open in .* \(pid [0-9]+\)"

# The list is another one now: so is the use
printf 'hvc0 ttyS0\n' >"$CASE_DIR/active"
chmod 444 "$CASE_DIR/active"
mount --bind "$CASE_DIR/active" "$consoles"
defer umount "$consoles"
assert_in_use console "the console hvc0 is on it"
assert_untouched
