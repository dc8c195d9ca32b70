# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 60
#
# The adversary's matrix, first part: who is asking can't be forged. Each case is counted.

. guest/iommud.sh

CASES=0

# What can't be known of a caller is said once, by this one too
systemctl restart iommud.service

# case_ok: everything is as before one more attempt
case_ok() {
        CASES=$((CASES + 1))
        no_lease || fail "case $CASES: $1 got a lease: $(iommuctl leases --json | jq -c .)"
        bindings_are "$BEFORE" || fail "case $CASES: $1 has changed the host"
}

# refused WHAT COMMAND...: says "refused org.iommud1.Error.Denied"
refused() {
        local what="$1" said
        shift

        said=$("$@" 2>&1) || fail "$what: '$*' fails: $said"
        assert_match "$said" "^refused org\.iommud1\.Error\.Denied: "
        case_ok "$what"
}

# denied WHAT COMMAND...: fails with (Denied)
denied() {
        assert_refused "(Denied)" "${@:2}"
        case_ok "$1"
}

# in_unit NAME UID COMMAND...: as a service of that name
in_unit() {
        systemd-run --quiet --wait --collect --pipe --unit="$1" --uid="$2" -- "${@:3}" </dev/null
}

# What may be had: by a unit, whoever runs in it; by root; by a user
rule_of_unit=$(jq -n -c --arg device "$LAB_NIC" \
        '{unit: "lab-victim.service", devices: [$device], verdict: "allow"}')
use_policy "$rule_of_unit" "$(rule allow "$LAB_VMM_UID" "$LAB_NIC2")"

# It is possible, for the unit
assert in_unit lab-victim.service "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC"
assert_entry "$MESSAGE_GRANT" IOMMUD_DEVICE="$LAB_NIC" IOMMUD_UID="$LAB_STRANGER_UID"
assert_soon 30 no_lease
assert_bindings "$BEFORE"

# Somebody else, and in a unit of another name
denied "another service" in_unit lab-victim2.service "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC"
denied "no service" as_user "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC"

# Control groups of one's own, with the names of others
for below in system.slice/lab-victim.service \
        a:name=systemd:/system.slice/lab-victim.service \
        0::/system.slice/lab-victim.service \
        lab-victim.service; do
        # shellcheck disable=SC2016 # that shell's
        assert_refused "(Denied)" systemd-run --quiet --wait --collect --pipe --unit=lab-attacker.service \
                --uid="$LAB_STRANGER_UID" --property=Delegate=yes --expand-environment=no -- \
                bash -c 'own=/sys/fs/cgroup$(sed -n "s/^0:://p" /proc/self/cgroup) &&
                        mkdir -p "$own/$1" && echo $$ >"$own/$1/cgroup.procs" &&
                        grep -qF "$1" /proc/self/cgroup && exec iommuctl acquire "$2"' bash "$below" "$LAB_NIC"
        case_ok "a control group called $below"
done

# The unit's process has connected, and is gone: whoever has its connection now is not it
start victim 0 systemd-run --quiet --wait --collect --pipe --unit=lab-victim.service -- \
        "$PWD/programs/adversary" dead "$LAB_STRANGER_UID" "$LAB_STRANGER_UID" "$LAB_NIC"
assert_says victim "$PID" '^refused org\.iommud1\.Error\.Denied'
wait "$PID" || true
case_ok "a connection that has outlived its process"

# The number of a process that has connected is another's now, in the unit that may
systemd-run --quiet --collect --unit=lab-victim.service -- sleep infinity
defer systemctl stop lab-victim.service
refused "a reused number" programs/adversary reused "$LAB_STRANGER_UID" "$LAB_STRANGER_UID" "$LAB_NIC" \
        /sys/fs/cgroup/system.slice/lab-victim.service
refused "a reused number of root's" programs/adversary reused 0 "$LAB_STRANGER_UID" "$LAB_NIC" \
        /sys/fs/cgroup/init.scope
# The same, of processes that iommud has seen alive, and of which it remembers something
refused "a reused number of one that was alive" programs/adversary outlived "$LAB_STRANGER_UID" "$LAB_STRANGER_UID" \
        "$LAB_NIC" /sys/fs/cgroup/system.slice/lab-victim.service
refused "a reused number of root's that was alive" programs/adversary outlived 0 "$LAB_STRANGER_UID" "$LAB_NIC" \
        /sys/fs/cgroup/init.scope
systemctl stop lab-victim.service

# uid 0 on the bus: of the dead, of another user namespace, and of both
refused "a connection of root's that has outlived it" programs/adversary dead 0 "$LAB_STRANGER_UID" "$LAB_NIC"
denied "root of a user namespace" unshare --user --map-root-user -- iommuctl acquire "$LAB_NIC"
denied "root of a user namespace, in the unit of another" in_unit lab-victim2.service 0 \
        unshare --user --map-root-user -- iommuctl acquire "$LAB_NIC"
denied "a user who is root in his own" as_user "$LAB_STRANGER_UID" \
        unshare --user --map-root-user -- iommuctl acquire "$LAB_NIC2"
refused "a connection of another user's" programs/adversary dead "$LAB_STRANGER_UID" "$LAB_VMM_UID" "$LAB_NIC2"

# It asks and becomes something else, also something that is root's then
denials() {
        [[ "$(entries MESSAGE_ID="$MESSAGE_DENIAL" IOMMUD_UID="$LAB_STRANGER_UID" | grep -c "$LAB_NIC")" -ge "$1" ]]
}
for program in 'sleep infinity' 'su root'; do
        before=$(entries MESSAGE_ID="$MESSAGE_DENIAL" IOMMUD_UID="$LAB_STRANGER_UID" | grep -c "$LAB_NIC" || true)
        # shellcheck disable=SC2086 # a program and its arguments
        setpriv --reuid="$LAB_STRANGER_UID" --regid="$LAB_STRANGER_UID" --clear-groups -- \
                programs/adversary exec "$LAB_NIC" $program <>"$CASE_DIR/nothing" >"$CASE_DIR/became" 2>&1 &
        became=$!
        assert_soon 20 denials $((before + 1))
        kill -KILL "$became" 2>/dev/null || true
        wait "$became" || true
        case_ok "what becomes $program"
done

# What a message says of its sender
server=$(busctl --json=short call org.freedesktop.DBus / org.freedesktop.DBus GetNameOwner s org.iommud1 | jq -r '.data[0]')
refused "a sender's name" as_user "$LAB_STRANGER_UID" programs/adversary sender "$server" "$LAB_NIC"
refused "a sender's name" as_user "$LAB_STRANGER_UID" programs/adversary sender org.freedesktop.systemd1 "$LAB_NIC"
refused "a sender's name" as_user "$LAB_STRANGER_UID" programs/adversary sender :1.0 "$LAB_NIC"

# Somebody wants to be iommud
assert_eq "$(as_user "$LAB_STRANGER_UID" programs/adversary name)" refused "who wants the name"
case_ok "who wants the name"

# The journal has said what can't be known of callers that have ended
assert_ne "$(entries | jq -r .MESSAGE | grep "had ended when a call")" "" "what the journal says of the dead"
conclude "$CASES cases"
assert_untouched
