# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm-faults
#
# Every call to the kernel that a method of a lease makes fails, one after the other, and the daemon is killed before each of
# them; and the kernel itself has no memory while it attaches. Afterwards what iommud says of the lease is what DMA finds,
# of which it is asked after each of more than 160 of them: that takes minutes.
#
# deadline: 600
# expect: daemon-death kernel-warning

. guest/faults.sh
. guest/mock.sh
. guest/domains.sh

mountpoint --quiet /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
for option in failslab/ignore-gfp-wait:N failslab/cache-filter:N failslab/verbose:0 fail_iommufd/verbose:0; do
        echo "${option#*:}" >"/sys/kernel/debug/${option%:*}"
done

bind_driver "$LAB_MOCK" vfio-mock
BEFORE=$(bindings)
allow "$LAB_VMM_UID" any

declare -A N_FAULTS=([fail]=0 [kill]=0 [starve]=0)

# each KIND CHECK COMMAND…: with one fault after the other, until there is none. CHECK sees what the command has said, in
# $OUTPUT, and puts back what it has done.
each() {
        local n daemon

        choose_first
        for ((n = FIRST; n < 200; n += LAB_SAMPLE)); do
                daemon=$(daemon_pid)
                assert programs/fault-plan "$FAULTS" "$1" "$n"
                FAILED=0
                OUTPUT=$("${@:3}" 2>&1 </dev/null) || FAILED=1
                FAULT=$(programs/fault-plan "$FAULTS" end)
                if [[ "$1" == kill && "$FAULT" == fault ]]; then
                        wait_until 30 is_other_than "$daemon" || fail "$n of $*: iommud is not started again"
                        # behind whatever it has to put right
                        call SetDirtyTracking tb "$OTHER" false
                fi
                assert_eq "$(lease_property "$LEASE" State)" active "$n of $*: the lease"
                "$2" || fail "$n of $*: $OUTPUT"
                if [[ "$FAULT" == none ]]; then
                        assert_eq "$FAILED" 0 "'${*:3}' without a fault, which said $OUTPUT: it"
                        break
                fi
                N_FAULTS["$1"]=$((N_FAULTS["$1"] + 1))
        done
        if ((LAB_SAMPLE == 1)); then
                assert_ne "$n" 1 "the number of faults of ${*:3}"
        fi
}

state() {
        call DmaState
}

# Nothing has changed; or it was done
unchanged() {
        ((!FAILED)) || assert_eq "$(state)" "$STATE"
}

# What was made goes again
destroy_made() {
        local handle

        unchanged
        if ((!FAILED)); then
                handle=$(cut -d ' ' -f 2 <<<"$OUTPUT")
                call Destroy t "$handle"
        fi
        # one that was killed may have said nothing
        if ((FAILED)) && [[ "$(state)" != "$STATE" ]]; then
                fail "something is left: $(state)"
        fi
}

# iommud and the device agree: on no domain at all, on the first, or on the other, of which the memory is the client's as well
agrees() {
        case "$(target_of "$LAB_MOCK")" in
        0)
                assert_answer 0 m number
                assert_answer "blocked 0x100000" m fill 0x1111 0x100000 0x1000
                ;;
        2)
                assert_done m fill 0x2222 0x100000 0x1000
                assert_answer "unmapped 0x300000" m fill 0x2222 0x300000 0x1000
                ;;
        "$OTHER")
                assert_done m fill 0x3333 0x300000 0x1000
                assert_answer "unmapped 0x100000" m fill 0x3333 0x100000 0x1000
                ;;
        *)
                fail "it is attached to $(target_of "$LAB_MOCK")"
                ;;
        esac
}

moved() {
        if ((FAILED)) && [[ "$OUTPUT" == *"attached to nothing"* ]]; then
                assert_eq "$(target_of "$LAB_MOCK")" 0
        fi
        agrees
        attach "$LAB_MOCK" 2 >/dev/null
        agrees
}

mapped() {
        ((FAILED)) || call Unmap ttt 1 $((0x800000)) "$MEMORY_SIZE" >/dev/null
        # one that is on record, since the daemon was killed, can be unmapped as if it had been done
        as_user "$LAB_VMM_UID" busctl call org.iommud1 "/org/iommud1/lease/$LEASE" org.iommud1.Lease Unmap ttt 1 \
                $((0x800000)) "$MEMORY_SIZE" >/dev/null 2>&1 || true
        assert_eq "$(state)" "$STATE"
        assert_answer "unmapped 0x800000" m fill 0x4444 0x800000 0x1000
}

unmapped() {
        if ((FAILED)) && [[ "$(state)" == "$STATE" ]]; then
                call Unmap ttt 1 $((0x800000)) "$MEMORY_SIZE" >/dev/null 2>&1 || true
        fi
        assert_answer "unmapped 0x800000" m fill 0x5555 0x800000 0x1000
        map 1 "$FILE" 0x800000 >/dev/null
        assert_done m fill 0x5555 0x800000 0x1000
}

memory memory "$LAB_VMM_UID"
keeper=$PID
confine m "$LAB_VMM_UID" "$LAB_MOCK" mock-dma
client=$PID
ioas=$(handle AllocIoas 'a{sv}' 0)
OTHER=$(handle AllocDomain 'sta{sv}' "$LAB_MOCK" "$ioas" 1 dirty_tracking b true)
map "$ioas" "$FILE" 0x300000 >/dev/null
STATE=$(state)
agrees

for kind in fail kill; do
        each "$kind" moved call Attach 'sta{sv}' "$LAB_MOCK" "$OTHER" 0
        each "$kind" moved call Detach 'sa{sv}' "$LAB_MOCK" 0
        each "$kind" mapped map 1 "$FILE" 0x800000
done
each fail destroy_made call AllocIoas 'a{sv}' 1 huge_pages b false
each fail destroy_made call AllocDomain 'sta{sv}' "$LAB_MOCK" 1 3 pasid b true dirty_tracking b true fault_queue b true
each fail unchanged call SetDirtyTracking tb "$OTHER" false
each fail unchanged call GetDirtyBitmap 'ttta{sv}' "$OTHER" $((0x300000)) "$MEMORY_SIZE" 0
map 1 "$FILE" 0x800000 >/dev/null
STATE=$(state)
each fail unmapped call Unmap ttt 1 $((0x800000)) "$MEMORY_SIZE"

# The kernel has no memory
call Unmap ttt 1 $((0x800000)) "$MEMORY_SIZE" >/dev/null
STATE=$(state)
each starve moved call Attach 'sta{sv}' "$LAB_MOCK" "$OTHER" 0
each starve mapped map 1 "$FILE" 0x800000
each starve destroy_made call AllocDomain 'sta{sv}' "$LAB_MOCK" 1 1 dirty_tracking b true

# Killed while domains are made, which nobody knows of then; and nothing of it is left when all is taken back
anything() {
        :
}
each kill anything call AllocDomain 'sta{sv}' "$LAB_MOCK" 1 2 dirty_tracking b true fault_queue b true
taken_back() {
        if ((FAILED)); then
                call Revoke 'a{sv}' 0 >/dev/null
        fi
        assert_eq "$(call DmaState | cut -d ' ' -f 2-4)" "0 0 1"
}
programs/fault-plan "$FAULTS" fail 3
assert_fails call Revoke 'a{sv}' 0
programs/fault-plan "$FAULTS" end >/dev/null
FAILED=1
taken_back
assert_answer "attached 0" m sweep 500
finish "$client"
kill "$keeper"
wait "$keeper" || true

# ---- VT-d, which blocks a device before it attaches it: what a move that has failed says, edu can tell

SIZE=8192
memory edu-memory "$LAB_VMM_UID"
keeper=$PID
confine edu "$LAB_VMM_UID" "$LAB_EDU" edu-dma
client=$PID
OTHER=$(handle AllocDomain 'sta{sv}' "$LAB_EDU" 1 0)
ioas=$(handle AllocIoas 'a{sv}' 0)
EMPTY=$(handle AllocDomain 'sta{sv}' "$LAB_EDU" "$ioas" 0)
RANGES=$(call IovaRanges t 1)

edu_agrees() {
        case "$(target_of "$LAB_EDU")" in
        0 | "$EMPTY") assert_answer "reached 0" edu reach ;;
        *) assert_answer "reached 1" edu reach ;;
        esac
}

edu_moved() {
        edu_agrees
        attach "$LAB_EDU" 2 >/dev/null
        edu_agrees
        assert_eq "$(call IovaRanges t 1)" "$RANGES"
}

for domain in "$OTHER" "$EMPTY"; do
        each starve edu_moved call Attach 'sta{sv}' "$LAB_EDU" "$domain" 0
done
each fail edu_moved call Attach 'sta{sv}' "$LAB_EDU" "$OTHER" 0
finish "$client"
assert clear_quarantine
kill "$keeper"
wait "$keeper" || true

assert_untouched
bind_native "$LAB_MOCK"
conclude "${N_FAULTS[fail]} calls made to fail, ${N_FAULTS[kill]} kills, ${N_FAULTS[starve]} allocations of the kernel:" \
        "the lease is what iommud says"
