# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize
# deadline: 120
#
# Why not, and what would make it possible: each reason with the real thing behind it, and who is told what.

. guest/iommud.sh

# explain UID DEVICE [OPTION...]: into $ANSWER, as JSON
explain() {
        local uid="$1" device="$2"
        shift 2

        ANSWER=$(as_user "$uid" iommuctl explain --json "$@" "$device" || true)
        assert jq -e . >/dev/null <<<"$ANSWER"
}

# assert_fact TOPIC GRADE FILTER: there is one for which the filter of jq holds
assert_fact() {
        jq -e --arg topic "$1" --arg grade "$2" "any(.facts[]; .topic == \$topic and .grade == \$grade and ($3))" \
                >/dev/null <<<"$ANSWER" ||
                fail "no fact $1 is $2 with $3: $(jq -c '[.facts[] | {topic, grade, device, text, values}]' <<<"$ANSWER")"
}

blocked() {
        jq -r '[.steps[] | select(.action == "blocked") | .reason] | unique | join(" ")' <<<"$ANSWER"
}

allow "$LAB_VMM_UID" "$LAB_NIC" "$LAB_NVME_HOST" "$LAB_SHARED_A" "$LAB_EDU" "$LAB_IGB"

# All is well: the rule, the driver, the reset, interrupts that are remapped, the window of MSI, the kernel
explain "$LAB_VMM_UID" "$LAB_NIC"
assert_eq "$(jq .possible <<<"$ANSWER")" true
assert_eq "$(blocked)" ""
assert_fact policy good ".values.verdict == \"allow\" and .values.rule == \"$POLICY: rules[0]\""
assert_fact driver note ".device == \"$LAB_NIC\" and .driver == \"e1000e\" and .values.owns_dma and (.values.companion | not)"
assert_fact host good true
assert_fact reset good '.values.methods != ""'
assert_fact interrupts good '.values.isolated == true'
assert_fact kernel good '.values.iommufd and .values.vfio_driver'
assert_fact reserved note ".values.kind == \"msi\" and .values.first == $((0xfee00000))"
assert bindings_are "$BEFORE"

# Bridges on the way: a port that passes everything up, and a bridge that does not
explain "$LAB_VMM_UID" "$LAB_IGB"
assert_fact isolation good ".values.bridge == \"$LAB_IGB_PORT\" and .values.isolated and .values.group == $(group_of "$LAB_IGB_PORT")"
# What udev has read with rights that the daemon has not got. Its service forbids its programs what a sanitizer does at their end.
if ((!LAB_SANITIZER)); then
        assert_fact isolation good '.values.acs_supported | contains("SV TB RR CR UF")'
        assert_fact isolation good '.values.acs_enabled | contains("SV RR CR UF")'
        assert_match "$(iommuctl explain "$LAB_IGB")" \
                "$LAB_IGB_PORT above it passes all requests up to the IOMMU \(ACS: SV RR CR UF"
fi
explain "$LAB_VMM_UID" "$LAB_SHARED_A"
assert_fact isolation note ".values.bridge == \"$LAB_SHARED_BRIDGE\" and (.values.isolated | not)"
if ((!LAB_SANITIZER)); then
        assert_fact isolation note '.values.acs_supported == "none" and .values.acs_enabled == "none"'
fi

# Not viable: the sibling, its driver, and what stands in its way
assert_eq "$(blocked)" NotViable
assert_fact driver note ".device == \"$LAB_SHARED_B\" and .driver == \"e1000\" and .values.owns_dma and .values.companion"
assert_match "$(as_user "$LAB_VMM_UID" iommuctl explain "$LAB_SHARED_A" || true)" \
        "$LAB_SHARED_B, of the same group, is bound to e1000 and can't be taken along"

# No way to reset it
explain "$LAB_VMM_UID" "$LAB_EDU"
assert_fact reset note '.values.methods == ""'

# The host uses it. Who may have it is told what for; who may not is not, but what everybody can see.
disk=$(disk_of "$LAB_NVME_HOST")
mkdir "$CASE_DIR/mnt"
without_mount() {
        ! findmnt "$CASE_DIR/mnt" >/dev/null || umount --lazy "$CASE_DIR/mnt"
}
defer without_mount
mount "/dev/${disk}p1" "$CASE_DIR/mnt"
explain "$LAB_VMM_UID" "$LAB_NVME_HOST"
assert_eq "$(blocked)" HostInUse
assert_eq "$(jq -r '.steps[] | select(.action == "blocked") | .values.use' <<<"$ANSWER")" disk "what it is used for"
assert_match "$ANSWER" "$CASE_DIR/mnt is on ${disk}p1"
explain "$LAB_STRANGER_UID" "$LAB_NVME_HOST"
assert_eq "$(blocked)" Denied
assert_no_match "$ANSWER" "$CASE_DIR/mnt"
assert_fact policy bad '.values.verdict == "deny" and .values.rule == ""'
assert_fact host unknown true
assert_fact driver note '.driver == "nvme"'

# Root is told all of it, for whomever, and nobody else asks for others
explain 0 "$LAB_NVME_HOST" --as="$LAB_STRANGER_UID"
assert_eq "$(blocked)" "Denied HostInUse"
assert_match "$ANSWER" "$CASE_DIR/mnt is on ${disk}p1"
explain 0 "$LAB_NVME_HOST" --as="$LAB_VMM_UID"
assert_eq "$(blocked)" HostInUse
assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl explain --as="$LAB_VMM_UID" "$LAB_NIC"
umount "$CASE_DIR/mnt"

# Somebody has it: who, and what ends that
hold taken "$LAB_VMM_UID" "$LAB_NIC"
explain 0 "$LAB_NIC"
assert_eq "$(blocked)" Taken
assert_fact lease bad ".values.lease == $LEASE and .values.uid == $LAB_VMM_UID and .values.pid == $PID and .values.state == \"active\""
assert_match "$ANSWER" "iommuctl release $LEASE"
let_go "$PID"
assert_ended "$LEASE"
assert_untouched
