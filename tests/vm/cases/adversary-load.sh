# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 300
#
# The adversary's matrix: many clients at once, some that flood and some that never listen. They get no more than their
# share, and keep nobody else from his. Each client is a case.

. guest/iommud.sh

CASES=0
SHARE=3

# Another one is served while those are at it
assert_served() {
        hold "$1" "$LAB_VMM2_UID" "$LAB_NIC2"
        assert_eq "$(lease_field "$LEASE" uid)" "$LAB_VMM2_UID" "whose lease it is"
        let_go "$PID"
        assert_ended "$LEASE"
}

assert_all_alive() {
        local pid

        for pid in "$@"; do
                assert is_running "$pid"
        done
}

# ---- 32 clients of one user want more than is his

vfs=()
defer eval "echo 0 >/sys/bus/pci/devices/$LAB_IGB/sriov_numvfs"
echo "$LAB_IGB_VFS" >"/sys/bus/pci/devices/$LAB_IGB/sriov_numvfs"
for ((i = 0; i < LAB_IGB_VFS; i++)); do
        vfs+=("pf=$LAB_IGB,vf=$i")
done
has_vfs() {
        iommuctl find "pf=$LAB_IGB,vf=$((LAB_IGB_VFS - 1))" >/dev/null 2>&1
}
assert_soon 30 has_vfs

limit() {
        printf '{ "limits": [ { "uid": %u, "leases": %u } ],\n  "rules": [ %s, %s ] }\n' \
                "$LAB_VMM_UID" "$SHARE" "$(rule allow "$LAB_VMM_UID" any)" "$(rule allow "$LAB_VMM2_UID" any)" >"$POLICY"
}
use_policy "$(rule allow "$LAB_VMM_UID" any)"
limit
assert iommuctl reload

clients=()
for ((i = 0; i < 32; i++)); do
        start "client-$i" "$LAB_VMM_UID" iommuctl acquire "${vfs[i % LAB_IGB_VFS]}"
        clients+=("$PID")
done
assert_served quota
n_leases() {
        iommuctl leases --json | jq --argjson uid "$LAB_VMM_UID" '[.[] | select(.uid == $uid)] | length'
}
granted=0
for ((i = 0; i < 32; i++)); do
        assert_says "client-$i" "${clients[i]}" '^[0-9]+$|\((Quota|Taken|Draining)\)\.$'
        if has_said "client-$i" '^[0-9]+$'; then
                granted=$((granted + 1))
        fi
        CASES=$((CASES + 1))
done
assert_eq "$granted" "$SHARE" "how many of 32 clients have got something"
assert_eq "$(n_leases)" "$SHARE" "the number of leases"
assert_ne "$(entries MESSAGE_ID="$MESSAGE_DENIAL" IOMMUD_UID="$LAB_VMM_UID" | grep -c 'Quota')" 0 "the number of refusals"
for pid in "${clients[@]}"; do
        kill -TERM "$pid" 2>/dev/null || true
done
nobody_has() {
        [[ "$(n_leases)" == 0 ]]
}
assert_soon 60 nobody_has
wait "${clients[@]}" 2>/dev/null || true
echo 0 >"/sys/bus/pci/devices/$LAB_IGB/sriov_numvfs"

# ---- clients that flood, until they are told to stop, and some that never listen

allow "$LAB_VMM2_UID" "$LAB_NIC2"
flood=()
for ((i = 0; i < 4; i++)); do
        start "flood-$i" "$LAB_STRANGER_UID" programs/random-calls flood "$i"
        flood+=("$PID")
        assert_says "flood-$i" "$PID" '^flooding$'
        CASES=$((CASES + 1))
done
deaf=()
for ((i = 0; i < 4; i++)); do
        start "deaf-$i" "$LAB_STRANGER_UID" programs/random-calls deaf "$i"
        deaf+=("$PID")
        assert_says "deaf-$i" "$PID" '^deaf$'
        CASES=$((CASES + 1))
done
for ((i = 0; i < 3; i++)); do
        assert_served "flood-other-$i"
done
assert iommuctl list >/dev/null
assert_all_alive "${flood[@]}"
kill -KILL "${flood[@]}" "${deaf[@]}" 2>/dev/null || true
wait "${flood[@]}" "${deaf[@]}" 2>/dev/null || true
assert_served after
assert_eq "$(systemctl show --property=ActiveState --value iommud.service)" active "the daemon"

conclude "$CASES cases"
assert_untouched
