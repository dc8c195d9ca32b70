# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the cases are written with. Every helper says what is wrong when something is, so that a case is a list of what
# must hold. $CASE_DIR is a directory of the case's own, which goes with it.

DEFERRED=()

# A function that calls itself without end is told so, before the machine has no memory any more
FUNCNEST=100

# ---- how a case ends

fail() {
        printf 'FAILED: %s\n' "$*" >&2
        where 1 >&2
        # In a subshell, exit ends only that; the failure of the subshell is then the case's
        trap - ERR
        exit 1
}

# The kernel cannot do it, or the build has it not: say why, the reason is shown
skip() {
        printf '%s\n' "$*"
        exit 77
}

# conclude TEXT...: what a case has measured or counted, in a line; shown beside its result when it passes
conclude() {
        printf '%s\n' "$*" | tee /run/lab/conclusion
}

# The way to the line at fault, innermost first, without the helpers
where() {
        local i

        for ((i = 1; i < ${#BASH_SOURCE[@]} - 1; i++)); do
                if [[ "${BASH_SOURCE[i]}" != */lib.sh ]]; then
                        printf 'at %s:%d (status %d): %s\n' \
                                "${BASH_SOURCE[i]}" "${BASH_LINENO[i - 1]}" "$1" \
                                "$(sed -n "${BASH_LINENO[i - 1]}s/^ *//p" "${BASH_SOURCE[i]}")"
                fi
        done
}

# defer COMMAND...: runs when the case ends, however it does, the last first
defer() {
        DEFERRED+=("$(printf '%q ' "$@")")
}

run_deferred() {
        local r=$? i

        trap - ERR
        set +e
        for ((i = ${#DEFERRED[@]} - 1; i >= 0; i--)); do
                eval "${DEFERRED[i]}" || printf 'while cleaning up: %s failed\n' "${DEFERRED[i]}"
        done
        exit "$r"
}

# ---- assertions

# assert COMMAND...: succeeds
assert() {
        "$@" || fail "'$*' fails"
}

# assert_eq IS SHOULD [WHAT]
assert_eq() {
        [[ "$1" == "$2" ]] || fail "${3:-it} is '$1' and should be '$2'"
}

assert_ne() {
        [[ "$1" != "$2" ]] || fail "${3:-it} is '$1' and should not be"
}

# assert_match TEXT REGEX
assert_match() {
        [[ "$1" =~ $2 ]] || fail "does not match '$2': $1"
}

assert_no_match() {
        [[ ! "$1" =~ $2 ]] || fail "matches '$2' and should not: $1"
}

# assert_fails COMMAND...: fails; what it says is in $OUTPUT
assert_fails() {
        if OUTPUT=$("$@" 2>&1 </dev/null); then
                fail "'$*' succeeds and should not: $OUTPUT"
        fi
}

# assert_refused ERROR COMMAND...: fails, and names that error
assert_refused() {
        assert_fails "${@:2}"
        [[ "$OUTPUT" == *"$1"* ]] || fail "'${*:2}' fails, but not with $1: $OUTPUT"
}

# ---- waiting

# Nobody ever writes to it
NEVER=/run/lab-never
if [[ ! -p "$NEVER" ]]; then
        mkfifo "$NEVER"
fi

# pause MILLISECONDS: less than a second. A process that sleeps takes longer to start than it shall sleep.
pause() {
        read -r -t "0.$(printf '%03d' "$1")" <>"$NEVER" || true
}

# wait_until SECONDS COMMAND...: until it succeeds. The only way to wait for what cannot be asked to tell. What takes longer is
# asked about less often: on an emulated machine, questions are work that others wait for.
wait_until() {
        local end=$((SECONDS + $1 * LAB_PATIENCE + 1)) wait=20
        shift

        until "$@"; do
                if ((SECONDS >= end)); then
                        return 1
                fi
                pause "$wait"
                wait=$((wait < 350 ? wait + 20 : wait))
        done
}

# assert_soon SECONDS COMMAND...
assert_soon() {
        wait_until "$@" || fail "'${*:2}' does not come true within $1 s"
}

# ---- files

# has_line FILE REGEX: in one of its lines. What is asked over and over should take no process.
has_line() {
        local line=""

        [[ -e "$1" ]] || return
        while read -r line || [[ -n "$line" ]]; do
                if [[ "$line" =~ $2 ]]; then
                        return
                fi
        done <"$1"
        return 1
}

# ---- clients in the background

# start NAME UID COMMAND...: in the background, with input that ends with "say" or the process. It says what it has to say in
# $CASE_DIR/NAME; its process is $PID.
start() {
        local name="$1" uid="$2"
        shift 2

        mkfifo "$CASE_DIR/$name.input"
        setpriv --reuid="$uid" --regid="$uid" --clear-groups --inh-caps=-all --no-new-privs -- "$@" \
                <>"$CASE_DIR/$name.input" >"$CASE_DIR/$name" 2>&1 &
        PID=$!
}

is_running() {
        local stat=""

        read -r stat 2>/dev/null <"/proc/$1/stat" || return
        # behind the name, which may be anything
        [[ "${stat##*) }" != [ZX]* ]]
}

is_over() {
        ! is_running "$1"
}

# has_said NAME REGEX: in one of its lines
has_said() {
        has_line "$CASE_DIR/$1" "$2"
}

has_said_or_ended() {
        has_said "$1" "$2" || is_over "$3"
}

# assert_says NAME PID REGEX [SECONDS]
assert_says() {
        wait_until "${4:-60}" has_said_or_ended "$1" "$3" "$2" || true
        has_said "$1" "$3" || fail "$1 does not say '$3' but: $(cat "$CASE_DIR/$1")"
}

# Some answer each line of their input with one:

# read_lines NAME: all whole lines that it has said are in $SAID
read_lines() {
        mapfile SAID <"$CASE_DIR/$1"
        if ((${#SAID[@]} > 0)) && [[ "${SAID[-1]}" != *$'\n' ]]; then
                unset "SAID[-1]"
        fi
}

has_lines() {
        read_lines "$1"
        ((${#SAID[@]} >= $2))
}

# await_lines NAME N: until it has said as many
await_lines() {
        wait_until 60 has_lines "$1" "$2" || fail "$1 does not answer, but said: $(cat "$CASE_DIR/$1")"
}

# say NAME TEXT: a line of input
say() {
        printf '%s\n' "$2" >"$CASE_DIR/$1.input"
}

# ask_ahead NAME COMMAND...: its answer comes later, and only that
ask_ahead() {
        read_lines "$1"
        ASKED="${*:2}"
        ASKED_AFTER=${#SAID[@]}
        say "$1" "$ASKED"
}

# await_answer NAME: to what was asked last; it is $ANSWER
await_answer() {
        await_lines "$1" $((ASKED_AFTER + 1))
        ANSWER=${SAID[-1]%$'\n'}
}

# assert_answered ANSWER NAME: to what was asked last
assert_answered() {
        await_answer "$2"
        assert_eq "$ANSWER" "$1" "the answer to '$ASKED'"
}

# ask NAME COMMAND...: its answer is $ANSWER
ask() {
        ask_ahead "$@"
        await_answer "$1"
}

# assert_answer ANSWER NAME COMMAND...
assert_answer() {
        ask_ahead "${@:2}"
        assert_answered "$1" "$2"
}

# assert_done NAME COMMAND...
assert_done() {
        assert_answer "done" "$@"
}

# ---- objects on the bus

# property SERVICE OBJECT INTERFACE NAME: its value, a number or a string
PROPERTY=$PWD/programs/property
property() {
        "$PROPERTY" "$@"
}

# service_property Unit|Service NAME: of iommud.service. `systemctl show` asks the service manager for all of them.
service_property() {
        property org.freedesktop.systemd1 /org/freedesktop/systemd1/unit/iommud_2eservice \
                "org.freedesktop.systemd1.$1" "$2"
}

# ---- users

# as_user UID COMMAND...: with that user's rights and no others
as_user() {
        setpriv --reuid="$1" --regid="$1" --clear-groups --inh-caps=-all --no-new-privs -- "${@:2}"
}

# ---- devices

# locate DEVICE: its bus and its directory in sysfs are $BUS and $SYSFS; by what its name looks like
locate() {
        case "$1" in
        *:*:*.*) BUS=pci ;;
        mock*) BUS=iommud-mock ;;
        *) BUS=mdev ;;
        esac
        SYSFS=/sys/bus/$BUS/devices/$1
}

# sysfs_of DEVICE: its directory there
sysfs_of() {
        locate "$1"
        printf '%s\n' "$SYSFS"
}

# link_name LINK: the last part of what it leads to; nothing where there is no link
link_name() {
        local to

        to=$(readlink "$1") || true
        printf '%s\n' "${to##*/}"
}

driver_of() {
        locate "$1"
        link_name "$SYSFS/driver"
}

# is_driven_by DEVICE DRIVER: "" for none
is_driven_by() {
        locate "$1"
        if [[ -z "$2" ]]; then
                [[ ! -e "$SYSFS/driver" ]]
        else
                [[ "$SYSFS/driver" -ef "/sys/bus/$BUS/drivers/$2" ]]
        fi
}

# assert_driver DEVICE DRIVER: soon, since drivers come and go behind one's back
assert_driver() {
        wait_until 15 is_driven_by "$1" "$2" || fail "$1 is driven by '$(driver_of "$1")' and should be by '$2'"
}

group_of() {
        locate "$1"
        link_name "$SYSFS/iommu_group"
}

has_device() {
        locate "$1"
        [[ -e "$SYSFS" ]]
}

# cdev_of DEVICE: the name of its character device in /dev/vfio/devices
cdev_of() {
        local dir

        locate "$1"
        for dir in "$SYSFS/vfio-dev"/*; do
                if [[ -e "$dir" ]]; then
                        printf '%s\n' "${dir##*/}"
                fi
        done
}

# The name of its network interface, or of its first disk
netdev_of() {
        ls "/sys/bus/pci/devices/$1/net"
}

disk_of() {
        local dir

        for dir in "/sys/bus/pci/devices/$1"/nvme/nvme*/nvme*n*; do
                if [[ -e "$dir" ]]; then
                        printf '%s\n' "${dir##*/}"
                        return
                fi
        done
}

unbind() {
        locate "$1"
        if [[ -e "$SYSFS/driver" ]]; then
                echo "$1" >"$SYSFS/driver/unbind"
        fi
}

# bind_driver DEVICE DRIVER: this one and no other, behind the back of iommud
bind_driver() {
        unbind "$1"
        echo "$2" >"$SYSFS/driver_override"
        echo "$1" >"/sys/bus/$BUS/drivers_probe"
        wait_until 10 is_driven_by "$1" "$2"
}

# bind_native DEVICE: whatever the kernel would choose
bind_native() {
        unbind "$1"
        echo >"$SYSFS/driver_override"
        echo "$1" >"/sys/bus/$BUS/drivers_probe" || true
        wait_until 10 is_driven_by "$1" "${LAB_NATIVE_DRIVER["$1"]:-}"
}

# ---- the machine itself: QEMU's monitor

# qmp COMMAND-IN-JSON: prints what it returns; fails if QEMU does
qmp() {
        local port id="$$-$RANDOM" line

        exec {port}<>/dev/virtio-ports/org.iommud.lab.qmp
        # Needed once per boot. Later it is an error, which comes without our id and is overlooked like the events are.
        printf '{"execute":"qmp_capabilities"}\n%s, "id": "%s" }\n' "${1%\}*}" "$id" >&"$port"
        while IFS= read -r -t 30 line <&"$port"; do
                if [[ "$line" == *"\"$id\""* ]]; then
                        exec {port}>&-
                        jq 'if has("return") then .return else error(tostring) end' <<<"$line"
                        return
                fi
        done
        exec {port}>&-
        echo "QEMU does not answer" >&2
        return 1
}

# plug ID DRIVER [JSON-MEMBERS]: a new device in the empty slot, which is then at $LAB_SLOT
plug() {
        qmp "{\"execute\": \"device_add\", \"arguments\": {
                \"id\": \"$1\", \"driver\": \"$2\", \"bus\": \"$LAB_SLOT_BUS\"${3:+, $3} }}" >/dev/null
        wait_until 20 has_device "$LAB_SLOT"
}

# request_unplug ID: as a user presses the button at the slot; the kernel gives it up when it can
request_unplug() {
        qmp "{\"execute\": \"device_del\", \"arguments\": { \"id\": \"$1\" }}" >/dev/null
}

is_unplugged() {
        ! has_device "$LAB_SLOT" &&
                qmp '{"execute": "qom-list", "arguments": { "path": "/machine/peripheral" }}' |
                jq -e --arg id "$1" 'all(.name != $id)' >/dev/null
}

# unplug ID: and wait until it is gone
unplug() {
        request_unplug "$1"
        wait_until 30 is_unplugged "$1"
}
