# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the cases about polkit share, on top of iommud.sh.

# shellcheck disable=SC2034 # the cases use it
ACTION=org.iommud1.acquire
RULES=/etc/polkit-1/rules.d/10-lab.rules

# polkit_rules: its rules, from standard input, are in force until the case ends
polkit_rules() {
        if [[ ! -e "$RULES" ]]; then
                defer systemctl restart polkit.service
                defer rm -f "$RULES"
        fi
        cat >"$RULES"
        chmod 644 "$RULES"
        # Nothing tells when it has taken note of a file that has changed
        assert systemctl restart polkit.service
}

# Somebody else asks it for something else, and that is seen
is_watched() {
        pkcheck --action-id org.freedesktop.policykit.exec --process "$$" >/dev/null 2>&1 || true
        has_said polkit-calls '^[{]'
}

# What polkit is asked, from here on
watch_polkit() {
        start polkit-calls 0 busctl monitor --json=short --match "type='method_call',member='CheckAuthorization'"
        defer kill "$PID"
        # It does not say when it has begun
        assert_soon 20 is_watched
}

# polkit_was_asked NUMBER [DETAILS]: how often so far, for details with these, an object
polkit_was_asked() {
        local n

        n=$(grep '^{' "$CASE_DIR/polkit-calls" | jq -n --argjson details "${2:-{\}}" --arg action "$ACTION" \
                '[inputs | .payload.data // [] | select(.[1] == $action and (.[2] | contains($details)))] | length')
        [[ "$n" == "$1" ]]
}

# start_agent NAME MODE PID...: for the questions about these processes
start_agent() {
        start "$1" 0 programs/polkit-agent "${@:2}"
        assert_says "$1" "$PID" '^registered$'
}

is_shell() {
        local name=""

        read -r name <"/proc/$1/comm" && [[ "$name" == bash ]]
}

# start_waiting NAME UID COMMAND...: it begins when it is told "go"; its process is $PID until its end, and that user's already:
# polkit and its agent look whose it is
start_waiting() {
        # shellcheck disable=SC2016 # that shell's
        start "$1" "$2" bash -c 'read -r _ && exec "$@"' bash "${@:3}"
        assert_soon 20 is_shell "$PID"
}

# A /dev of its own can only be made for it where there are pseudo-terminals, which the lab's kernel has not
mkdir -p /run/systemd/system/polkit.service.d
printf '[Service]\nPrivateDevices=no\n' >/run/systemd/system/polkit.service.d/lab.conf
systemctl daemon-reload
assert systemctl restart polkit.service
