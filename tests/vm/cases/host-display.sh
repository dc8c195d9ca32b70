# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 60
#
# The display that the machine was started with, and a graphics card that somebody has open, are taken by nobody unless the
# administrator says so: who has it open is told, and it is free again when he has closed it.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_DISPLAY" "$LAB_GPU"

# node_of DEVICE PREFIX: below /dev/dri, of its card or of what only draws
node_of() {
        find "/sys/bus/pci/devices/$1/" -path "*/drm/$2*" -name "$2[0-9]*" -not -name '*-*' -printf '/dev/dri/%f\n'
}

# assert_in_use DEVICE USE REGEX: root may not have it either, and to be told so nobody has to try
assert_in_use() {
        local uid

        for uid in 0 "$LAB_VMM_UID"; do
                assert_refused "(HostInUse)" as_user "$uid" iommuctl acquire "$1"
                assert_match "$OUTPUT" "The host uses $1: $3"
                assert_fails as_user "$uid" iommuctl plan --json "$1"
                assert_eq "$(jq -r '.steps[] | select(.action == "blocked") | "\(.reason) \(.values.use)"' <<<"$OUTPUT")" \
                        "HostInUse $2" "what plan says"
                assert_match "$(as_user "$uid" iommuctl explain "$1" || true)" "The host uses $1: $3"
        done
        assert no_lease
        assert bindings_are "$BEFORE"
}

assert_possible() {
        assert as_user "$LAB_VMM_UID" iommuctl plan "$1" >/dev/null
}

# open_by NAME NODE: has it open until it is told to end
open_by() {
        # shellcheck disable=SC2016 # for the shell that is started
        start "$1" 0 sh -c 'exec 7<>"$1" && echo open && read -r line' sh "$2"
        assert_says "$1" "$PID" '^open'
}

assert_closed() {
        say "$1" end
        assert_soon 10 is_over "$PID"
        assert_possible "$LAB_GPU"
}

udevadm settle
assert_eq "$(cat "/sys/bus/pci/devices/$LAB_DISPLAY/boot_vga")" 1 "boot_vga"
card=$(node_of "$LAB_GPU" card)
render=$(node_of "$LAB_GPU" renderD)
assert test -c "$(node_of "$LAB_DISPLAY" card)"
assert test -c "$card"
assert test -c "$render"

# ---- the display, though nobody has it open

assert_in_use "$LAB_DISPLAY" display "it is the display that the host was started with"

# ---- a card, while somebody has it open

assert_possible "$LAB_GPU"
open_by card "$card"
assert_in_use "$LAB_GPU" open "$card is open in sh \(pid $PID\)"
assert_closed card
open_by render "$render"
assert_in_use "$LAB_GPU" open "$render is open in sh \(pid $PID\)"
holder=$PID

# ---- the administrator has said so, of both, and the caller can't

as_host() {
        jq -n -c --argjson uid "$LAB_VMM_UID" --arg device "$1" '{$uid, devices: $device, host_use: "allow", verdict: "allow"}'
}
use_policy "$(as_host "$LAB_DISPLAY")" "$(as_host "$LAB_GPU")"
for device in "$LAB_DISPLAY" "$LAB_GPU"; do
        assert_match "$(as_user "$LAB_VMM_UID" iommuctl explain "$device")" "The host is not asked whether it needs it: .*rules\[[01]\]"
done
hold display "$LAB_VMM_UID" "$LAB_DISPLAY"
assert_driver "$LAB_DISPLAY" vfio-pci
let_go "$PID"
assert_ended "$LEASE"
assert_bindings "$BEFORE"

# What he has open is then dead, and his to close
hold gpu "$LAB_VMM_UID" "$LAB_GPU"
assert_driver "$LAB_GPU" vfio-pci
assert is_running "$holder"
say render end
assert_soon 10 is_over "$holder"
let_go "$PID"
assert_ended "$LEASE"
assert_bindings "$BEFORE"

# ---- and without, all of it once more

udevadm settle
allow "$LAB_VMM_UID" "$LAB_DISPLAY" "$LAB_GPU"
assert_in_use "$LAB_DISPLAY" display "it is the display that the host was started with"
assert_possible "$LAB_GPU"
assert_untouched
