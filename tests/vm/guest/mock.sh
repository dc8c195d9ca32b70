# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For cases with the devices of mock-iommu: they are there until the case ends. A case that uses it begins with
# ". guest/mock.sh", after guest/iommud.sh if it uses that too.

MOCK_PARAMETERS=/sys/module/iommud_mock/parameters

for device in $LAB_MOCKS; do
        LAB_NATIVE_DRIVER["$device"]=mock-native
done

# Who has one of them open is waited for, so it has to be over with them; a case that fails may have left some
mock_unload() {
        local clients device

        mapfile -t clients < <(jobs -p)
        if ((${#clients[@]} > 0)); then
                kill -KILL "${clients[@]}" 2>/dev/null || true
                wait
        fi
        for device in /sys/bus/iommud-mock/devices/*; do
                echo 1 >"$device/remove"
        done
        rmmod iommud_mock
}

# mock_parameter NAME VALUE: of the module, see README.md
mock_parameter() {
        echo "$2" >"$MOCK_PARAMETERS/$1"
}

# mock_start NAME WAY ARGUMENT…: mock-dma, with input from `ask`. Its process is $MOCK_PID.
mock_start() {
        local name="$1"
        shift

        mkfifo "$CASE_DIR/$name.input"
        : >"$CASE_DIR/$name"
        programs/mock-dma "$@" <>"$CASE_DIR/$name.input" >"$CASE_DIR/$name" 2>&1 &
        MOCK_PID=$!
        await_lines "$name" 1
        assert_eq "$(head -n 1 "$CASE_DIR/$name")" ready
}

# mock_replace NAME FROM TO: a stream of DMA goes on while its domain is replaced by another. Each piece was served by one of
# the two, and is in the memory of that one.
mock_replace() {
        local name="$1" from to served pieces

        ask "$name" number
        from=$ANSWER
        ask "$name" served "$from"
        served=$ANSWER
        ask "$name" stream 0x100000 0x4000
        ask "$name" progress 500
        assert_done "$name" attach "$3"
        ask "$name" progress 1500
        ask "$name" number
        to=$ANSWER
        assert_ne "$to" "$from" "the domain"
        ask "$name" stop
        assert_match "$ANSWER" '^pieces [0-9]+ served [0-9]+ blocked 0 unmapped 0$'
        pieces=${ANSWER#pieces }
        pieces=${pieces%% *}
        ask "$name" served "$from"
        served=$((ANSWER - served))
        ask "$name" served "$to"
        assert_eq $((served + ANSWER)) "$pieces" "what the two domains have served"
        ask "$name" verify "$2" "$3"
        assert_match "$ANSWER" "^complete [0-9]+ $2=[0-9]+ $3=[0-9]+$"
}

modprobe iommud-mock || skip "the mock IOMMU does not load into this kernel"
defer mock_unload
