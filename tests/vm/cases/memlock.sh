# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# How much memory can be pinned is said in numbers before it fails, and what is said is what happens.

. guest/iommud.sh

allow "$LAB_VMM_UID" "$LAB_EDU"

# limited BYTES COMMAND...: as the VM manager's user, with that limit
limited() {
        prlimit --memlock="$1:$1" -- setpriv --reuid="$LAB_VMM_UID" --regid="$LAB_VMM_UID" --clear-groups \
                --inh-caps=-all --no-new-privs -- "${@:2}"
}

# memory_of LIMIT RAM FILTER
memory_of() {
        limited "$1" iommuctl plan --json --ram="$2" "$LAB_EDU" |
                jq -r ".facts[] | select(.topic == \"memory\") | $3"
}

mib=$((1024 * 1024))

# Too little: said in numbers, and the kernel says the same. A limit that would do for the guest alone may do.
assert_eq "$(memory_of $((8 * mib)) 64M .grade)" bad
assert_eq "$(memory_of $((8 * mib)) 64M '[.values.ram, .values.needed, .values.limit, .values.accounting] | @text')" \
        "[$((64 * mib)),$((192 * mib)),$((8 * mib)),\"process\"]"
assert_match "$(limited $((8 * mib)) iommuctl plan --ram=64M "$LAB_EDU")" \
        'About 192 MiB are pinned, 64 MiB for the guest .* process [0-9]+ may lock 8 MiB only: it will fail with ENOMEM'
assert_fails limited $((8 * mib)) iommuctl run -d "$LAB_EDU" -- "$PWD/programs/pin-for" 64 '{iommufd}' '{device:0}'
assert_eq "$OUTPUT" ENOMEM "what pinning 64 MiB with a limit of 8 MiB ends with"
assert_soon 30 no_lease
assert clear_quarantine
assert_eq "$(memory_of $((100 * mib)) 64M .grade)" note

# run does not begin what will not fit, and takes nothing for it
since=$(entries MESSAGE_ID="$MESSAGE_GRANT" | wc -l)
assert_fails limited $((8 * mib)) iommuctl run --ram=64M -d "$LAB_EDU" -- true
assert_match "$OUTPUT" 'may lock 8 MiB only'
assert_eq "$(entries MESSAGE_ID="$MESSAGE_GRANT" | wc -l)" "$since" "the number of grants"

# pin NAME LIMIT: pins 64 MiB, in the background, by a command that begins with that limit. Its process is $PID.
pin() {
        prlimit --memlock="$2:$2" -- setpriv --reuid="$LAB_VMM_UID" --regid="$LAB_VMM_UID" --clear-groups \
                --inh-caps=-all --no-new-privs -- iommuctl run --ram=64M -d "$LAB_EDU" -- \
                "$PWD/programs/pin-for" 64 '{iommufd}' '{device:0}' >"$CASE_DIR/$1" 2>&1 &
        PID=$!
        assert_says "$1" "$PID" '^pinned'
}

# unpin: and the device is free again
unpin() {
        kill -TERM "$PID"
        wait "$PID" || true
        assert_soon 30 no_lease
        assert clear_quarantine
}

limit_of() {
        prlimit --pid="$1" --memlock --output=SOFT,HARD --noheadings --raw
}

# Enough, and it is
assert_eq "$(memory_of $((192 * mib)) 64M .grade)" good
pin pinned $((192 * mib))
assert_no_entry "$MESSAGE_MEMLOCK"
unpin

# The rule has it raised: for what is mapped and no more, of this process, and the journal says so
may_raise() {
        use_policy "$(rule allow "$LAB_VMM_UID" "$LAB_EDU" | jq -c --argjson to "$1" '. + {memlock: $to}')"
}
may_raise '"unlimited"'
assert_eq "$(memory_of $((8 * mib)) 64M '[.grade, .values.limit, .values.raised] | @text')" \
        "[\"good\",$((8 * mib)),$((192 * mib))]"
pin raised $((8 * mib))
assert_eq "$(limit_of "$PID")" "$((192 * mib)) $((192 * mib))" "the limit of the process"
assert_entry "$MESSAGE_MEMLOCK" IOMMUD_UID="$LAB_VMM_UID" IOMMUD_DEVICE="$LAB_EDU" IOMMUD_EVENT=memlock
assert_match "$(iommuctl log "$LAB_EDU")" "memlock .* process $PID may lock 192 MiB of memory, and could lock 8 MiB before"
unpin

# Up to what the rule says, and never down
may_raise $((100 * mib))
assert_eq "$(memory_of $((8 * mib)) 64M '[.grade, .values.raised] | @text')" "[\"note\",$((100 * mib))]"
pin some $((8 * mib))
assert_eq "$(limit_of "$PID")" "$((100 * mib)) $((100 * mib))" "the limit of the process"
unpin
pin more $((150 * mib))
assert_eq "$(limit_of "$PID")" "$((150 * mib)) $((150 * mib))" "the limit of the process"
unpin
allow "$LAB_VMM_UID" "$LAB_EDU"

# Of all processes of the user together; of root there is no limit
assert_eq "$(limited $((192 * mib)) iommuctl plan --json --accounting=user --ram=64M "$LAB_EDU" |
        jq -r '.facts[] | select(.topic == "memory") | .grade')" note
assert_match "$(prlimit --memlock=65536:65536 -- iommuctl plan --ram=64M "$LAB_EDU")" 'may lock any amount'
assert_untouched
