# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm
#
# Real DMA through domains that iommud has made and attached, on VT-d: a disk that is read, and edu that writes wherever it is
# told to. Both modes; what is moved, detached, taken back and released is reached no more.
#
# deadline: 300

. guest/iommud.sh
. guest/domains.sh

allow "$LAB_VMM_UID" any

# tell NAME REGEX LINE: one more line of input, and what it answers, in $ANSWER
tell() {
        ask "$1" "$3"
        assert_match "$ANSWER" "$2"
}

number() {
        grep -oP " $1 \K[0-9]+" <<<" $ANSWER"
}

# ---- the disk, attached: who it is, what is in it, by DMA into the client's own memory

attached nvme "$LAB_VMM_UID" "$LAB_NVME" nvme-client
client=$PID
tell nvme "^serial $LAB_NVME_SERIAL blocks [0-9]+ size 512$" identify
tell nvme "^text $LAB_NVME_MAGIC$" "text $LAB_NVME_MAGIC_LBA"
install -d -o "$LAB_VMM_UID" "$CASE_DIR/saved"
tell nvme "^saved $LAB_NVME_KNOWN$" "save $((LAB_NVME_KNOWN / 512)) $CASE_DIR/saved/known"
assert_eq "$(sha256sum <"$CASE_DIR/saved/known" | cut -d ' ' -f 1)" "$LAB_NVME_SHA256"
assert_match "$(call HwInfo s "$LAB_NVME")" '"driver" s "intel-vtd"'
assert_match "$(call HwInfo s "$LAB_NVME")" '"hitless" b false'

# What VT-d of this kind hasn't is refused, and nothing has changed
for options in "1 kind s nest-parent" "1 dirty_tracking b true" "1 pasid b true"; do
        # shellcheck disable=SC2086 # several words
        assert_fails call AllocDomain 'sta{sv}' "$LAB_NVME" 1 $options
        assert_match "$OUTPUT" "can't|has no PASIDs"
done
assert_refused "has no PASIDs" attach "$LAB_NVME" 2 1
tell nvme "^changed 1$" "read 0 0x104000"

# Moved by iommud while it reads, between two domains of one memory, and to another address space that has the same
second=$(handle AllocDomain 'sta{sv}' "$LAB_NVME" 1 0)
answer=$(call AllocIoas 'a{sv}' 0)
ioas=$(cut -d ' ' -f 2 <<<"$answer")
ioas_id=$(grep -oP '"id" u \K[0-9]+' <<<"$answer")
answer=$(call AllocDomain 'sta{sv}' "$LAB_NVME" "$ioas" 0)
third=$(cut -d ' ' -f 2 <<<"$answer")
third_id=$(grep -oP '"id" u \K[0-9]+' <<<"$answer")
tell nvme "^mapped$" "map $ioas_id"
tell nvme "^streaming$" stream
for ((i = 0; i < 10; i++)); do
        for domain in "$second" "$third" 2; do
                assert_eq "$(attach "$LAB_NVME" "$domain")" 'a{sv} 1 "replaced" b true'
        done
done
tell nvme "^reads [1-9]" stop
streamed=$ANSWER
assert_eq "$(target_of "$LAB_NVME")" 2

# The same a thousand times right under a read. The driver blocks the device in between, so that some may be lost: that is
# counted, and not promised
raced="not tried, as the disk had stopped"
if (($(number lost) == 0)); then
        tell nvme "^reads [1-9]" "race 1000 $third_id 3"
        raced=$ANSWER
fi

# Detached, it reads nothing
finish "$client"
assert_driver "$LAB_NVME" nvme
assert_soon 20 disk_is_back
attached nvme2 "$LAB_VMM_UID" "$LAB_NVME" nvme-client
client=$PID
tell nvme2 "^painted$" canary
detach "$LAB_NVME"
assert_eq "$(target_of "$LAB_NVME")" 0
tell nvme2 "^(changed 0|failed 0x.*|read: EIO)$" "read 0 0x104000"
tell nvme2 "^changed 0$" check
finish "$client"

# ---- the disk, confined: its memory is what it has passed

memory disk-memory "$LAB_VMM_UID"
keeper=$PID
confine nvme3 "$LAB_VMM_UID" "$LAB_NVME" nvme-client
client=$PID
tell nvme3 "^serial $LAB_NVME_SERIAL " identify
tell nvme3 "^text $LAB_NVME_MAGIC$" "text $LAB_NVME_MAGIC_LBA"
tell nvme3 "^changed 1$" "read 0 0x13f000"
tell nvme3 "^(changed 0|failed 0x.*)$" "read 0 0x140000"
tell nvme3 "^painted$" canary
assert_eq "$(call Revoke 'a{sv}' 0)" "a{sv} 1 \"not_reset\" as 0"
tell nvme3 "^changed 0$" check
finish "$client"
kill "$keeper"
wait "$keeper" || true
assert_driver "$LAB_NVME" nvme
assert_soon 20 disk_is_back

# ---- edu writes whenever it is told to, and cannot be reset: only the IOMMU keeps it away

for mode in attached confined; do
        SIZE=8192
        if [[ "$mode" == attached ]]; then
                attached "edu-$mode" "$LAB_VMM_UID" "$LAB_EDU" edu-dma
        else
                memory edu-memory "$LAB_VMM_UID"
                keeper=$PID
                confine "edu-$mode" "$LAB_VMM_UID" "$LAB_EDU" edu-dma
        fi
        client=$PID
        edu=edu-$mode
        tell "$edu" "^dma ok$" dma
        tell "$edu" "^reached 1$" reach
        tell "$edu" "^outside ok$" outside

        # Another domain, in which nothing is mapped; and back
        ioas=$(handle AllocIoas 'a{sv}' 0)
        domain=$(handle AllocDomain 'sta{sv}' "$LAB_EDU" "$ioas" 0)
        attach "$LAB_EDU" "$domain" >/dev/null
        tell "$edu" "^reached 0$" reach
        attach "$LAB_EDU" 2 >/dev/null
        tell "$edu" "^reached 1$" reach

        # None
        detach "$LAB_EDU"
        tell "$edu" "^reached 0$" reach
        attach "$LAB_EDU" 2 >/dev/null
        tell "$edu" "^reached 1$" reach

        # Unmapped under it, and taken back
        if [[ "$mode" == confined ]]; then
                assert_eq "$(call Unmap ttt 1 $((0x100000)) "$SIZE")" "t $SIZE"
                tell "$edu" "^reached 0$" reach
                map 1 "$FILE" 0x100000 >/dev/null
                tell "$edu" "^reached 1$" reach
                assert_eq "$(call Revoke 'a{sv}' 0)" "a{sv} 1 \"not_reset\" as 1 \"$LAB_EDU\""
                tell "$edu" "^enabled$" enable
                tell "$edu" "^reached 0$" reach
        fi

        # When it has been released, not even root makes it write there
        finish "$client"
        assert clear_quarantine
        if [[ "$mode" == confined ]]; then
                sum=$(sha256sum <"$FILE")
                assert_eq "$(programs/edu-poke "$LAB_EDU" $((0x100000)) write)" "done"
                assert_eq "$(sha256sum <"$FILE")" "$sum"
                kill "$keeper"
                wait "$keeper" || true
        fi
done

assert_untouched
conclude "VT-d, moved by iommud while a disk reads: $streamed; under each read: $raced"
