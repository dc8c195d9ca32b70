# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 240
#
# Every way in which a rule can say whom and what it is about, and under which conditions, on real devices and processes: true of one,
# and not of another. And each limit on what a client can have made.

. guest/iommud.sh
. guest/mock.sh
. guest/domains.sh

CHECKS=0

# sysfs ATTRIBUTE DEVICE
sysfs() {
        cat "/sys/bus/pci/devices/$2/$1"
}

may() {
        as_user "$LAB_VMM_UID" iommuctl plan "$@" >/dev/null
}

may_not() {
        assert_refused "(Denied)" as_user "$LAB_VMM_UID" iommuctl plan "$@"
}

# ---- objects

# object DEVICES YES [NO]: what the rule is about as JSON, a device that it is about, and one that it isn't
object() {
        use_policy "{ \"uid\": $LAB_VMM_UID, \"devices\": $1, \"verdict\": \"allow\" }"
        may "$2" || fail "a rule about $1 is not about $2"
        if [[ -n "${3:-}" ]]; then
                may_not "$3"
        fi
        CHECKS=$((CHECKS + 1))
}

vendor=$(sysfs vendor "$LAB_NIC") device=$(sysfs device "$LAB_NIC")
object "\"$LAB_NIC\"" "$LAB_NIC" "$LAB_NIC2"
object "\"${LAB_NIC#0000:}\"" "$LAB_NIC" "$LAB_NIC2"
object "{ \"address\": \"$LAB_NIC\" }" "$LAB_NIC" "$LAB_NIC2"
object "\"${vendor#0x}:${device#0x}\"" "$LAB_NIC" "$LAB_NVME"
object "{ \"vendor\": \"$vendor\" }" "$LAB_NIC" "$LAB_EDU"
object "{ \"device\": \"$device\" }" "$LAB_NIC" "$LAB_NVME"
object "{ \"subsystem_vendor\": \"$(sysfs subsystem_vendor "$LAB_NIC")\",
        \"subsystem_device\": \"$(sysfs subsystem_device "$LAB_NIC")\" }" "$LAB_NIC" "$LAB_NVME"
object '"class:02"' "$LAB_NIC" "$LAB_NVME"
object '"class:0108"' "$LAB_NVME" "$LAB_NIC"
object '{ "class": "010802" }' "$LAB_NVME" "$LAB_NIC"
object '{ "driver": "e1000e" }' "$LAB_NIC" "$LAB_NVME"
object "\"group:$(group_of "$LAB_NIC")\"" "$LAB_NIC" "$LAB_NIC2"
object "{ \"iommu_group\": $(group_of "$LAB_NIC") }" "$LAB_NIC" "$LAB_NIC2"
object "\"serial=$LAB_NVME_SERIAL\"" "$LAB_NVME" "$LAB_NIC"
object "{ \"serial\": \"$LAB_NVME_SERIAL\" }" "$LAB_NVME" "$LAB_NVME_HOST"
object '{ "function": "pf" }' "$LAB_IGB" "$LAB_NIC"
object '"any"' "$LAB_NIC"
# Where a device is on no node, no rule about one is about it
assert_eq "$(sysfs numa_node "$LAB_NIC")" -1
use_policy "{ \"uid\": $LAB_VMM_UID, \"devices\": { \"numa_node\": 0 }, \"verdict\": \"allow\" }"
may_not "$LAB_NIC"

# A virtual function, of this physical one, by its number; and on the node that the port above it is said to be on
numa_node() {
        echo "$1" >"/sys/bus/pci/devices/$LAB_IGB_PORT/numa_node"
}
defer numa_node "$(sysfs numa_node "$LAB_IGB_PORT")"
numa_node 0
defer eval "echo 0 >/sys/bus/pci/devices/$LAB_IGB/sriov_numvfs"
echo 2 >"/sys/bus/pci/devices/$LAB_IGB/sriov_numvfs"
has_vfs() {
        iommuctl find "pf=$LAB_IGB,vf=1" >/dev/null 2>&1
}
assert_soon 30 has_vfs
udevadm settle
object '{ "function": "vf" }' "pf=$LAB_IGB,vf=1" "$LAB_NIC"
object "{ \"pf\": \"$LAB_IGB\" }" "pf=$LAB_IGB,vf=1" "$LAB_NIC"
object "\"pf=$LAB_IGB,vf=1\"" "pf=$LAB_IGB,vf=1" "pf=$LAB_IGB,vf=0"
object '{ "vf": 0 }' "pf=$LAB_IGB,vf=0" "pf=$LAB_IGB,vf=1"
assert_eq "$(iommuctl show --json "pf=$LAB_IGB,vf=1" | jq '.[0].device.numa_node')" 0
object '{ "numa_node": 0 }' "pf=$LAB_IGB,vf=1" "$LAB_NIC"
object '{ "numa_node": 0, "vf": 0 }' "pf=$LAB_IGB,vf=0" "pf=$LAB_IGB,vf=1"
use_policy "$(rule deny "$LAB_VMM_UID" any | jq -c '.devices = {numa_node: 0}')" "$(rule allow "$LAB_VMM_UID" any)"
may_not "pf=$LAB_IGB,vf=1"
may "$LAB_NIC"
CHECKS=$((CHECKS + 1))
use_policy "{ \"uid\": $LAB_VMM_UID, \"devices\": { \"numa_node\": 1 }, \"verdict\": \"allow\" }"
may_not "pf=$LAB_IGB,vf=1"
echo 0 >"/sys/bus/pci/devices/$LAB_IGB/sriov_numvfs"

# ---- subjects

# subject KEYS YES...: a rule for whom; the rest is a command that runs what follows as somebody it is about
subject() {
        use_policy "{ $1, \"devices\": \"$LAB_NIC\", \"verdict\": \"allow\" }"
        "${@:2}" iommuctl plan "$LAB_NIC" >/dev/null || fail "a rule about $1 is not about '${*:2}'"
        CHECKS=$((CHECKS + 1))
}

# not_subject NO...: the same rule is not about these
not_subject() {
        assert_refused "(Denied)" "$@" iommuctl plan "$LAB_NIC"
        CHECKS=$((CHECKS + 1))
}

defer systemctl stop lab.slice laboratory.slice
in_slice() {
        systemd-run --quiet --wait --collect --pipe --slice="$1" --unit="$2" --uid="$LAB_STRANGER_UID" -- "${@:3}" </dev/null
}
him=(as_user "$LAB_VMM_UID") stranger=(as_user "$LAB_STRANGER_UID")

subject "\"uid\": [ 1, $LAB_VMM_UID ]" "${him[@]}"
not_subject "${stranger[@]}"
subject "\"user\": \"$(id -un "$LAB_VMM_UID")\"" "${him[@]}"
not_subject "${stranger[@]}"
subject "\"gid\": $LAB_VMM_UID" "${him[@]}"
not_subject "${stranger[@]}"
subject "\"group\": \"$(id -gn "$LAB_VMM_UID")\"" setpriv --reuid="$LAB_STRANGER_UID" --regid="$LAB_STRANGER_UID" \
        --groups="$LAB_VMM_UID"
not_subject "${stranger[@]}"
subject '"unit": "lab-rule-*.service"' in_slice system.slice lab-rule-1.service
not_subject in_slice system.slice lab-other.service
subject '"slice": "lab.slice"' in_slice lab-rules.slice lab-rule-2.service
not_subject in_slice laboratory.slice lab-rule-3.service
subject '"cgroup": "/lab.slice/*/lab-rule-?.service"' in_slice lab-rules.slice lab-rule-4.service
not_subject in_slice lab.slice lab-rule-5.service
subject '"userns": "other"' "${stranger[@]}" unshare --user
not_subject "${stranger[@]}"
subject '"userns": "own"' "${stranger[@]}"
not_subject "${stranger[@]}" unshare --user
subject '"subject": "any"' "${stranger[@]}" unshare --user

# ---- conditions

use_policy "{ \"uid\": $LAB_VMM_UID, \"devices\": \"any\", \"modes\": [ \"attached\", \"confined\" ], \"verdict\": \"allow\" }"
assert may --mode=attached "$LAB_EDU"
may_not "$LAB_EDU"
assert_match "$OUTPUT" "rules\[0\] allows it, but not in this mode"
use_policy "{ \"uid\": $LAB_VMM_UID, \"devices\": \"any\", \"needs_reset\": true, \"verdict\": \"allow\" }"
assert may "$LAB_NIC"
may_not "$LAB_EDU"
assert_match "$OUTPUT" "rules\[0\] allows it, but only if it can be reset"

# ---- features and limits of what is made in a lease

bind_driver "$LAB_MOCK" vfio-mock
BEFORE=$(bindings)
# with_rule MEMBERS: the rule by which he has the mock, besides what stands there
with_rule() {
        use_policy "$(rule allow "$LAB_VMM_UID" "$LAB_MOCK" | jq -c ". + $1")"
}

# domain OPTION TYPE VALUE: of the first address space
domain() {
        call AllocDomain 'sta{sv}' "$LAB_MOCK" 1 1 "$@"
}

with_rule '{ features: [ "pasid" ] }'
attached features "$LAB_VMM_UID" "$LAB_MOCK" mock-dma
client=$PID
domain pasid b true >/dev/null
assert_refused "gives no dirty_tracking" domain dirty_tracking b true
assert_refused "gives no nesting" domain kind s nest-parent
finish "$client"
CHECKS=$((CHECKS + 2))

# The first domain is one of them
with_rule '{ limits: { domains: 2 } }'
attached domains "$LAB_VMM_UID" "$LAB_MOCK" mock-dma
client=$PID
second=$(domain pasid b true | cut -d ' ' -f 2)
assert_refused "has 2 domains by $POLICY: rules[0] and asks for 1 more" domain pasid b true
call Destroy t "$second"
domain pasid b true >/dev/null
finish "$client"

with_rule '{ limits: { pasids: 1 } }'
attached pasids "$LAB_VMM_UID" "$LAB_MOCK" mock-dma
client=$PID
second=$(domain pasid b true | cut -d ' ' -f 2)
attach "$LAB_MOCK" "$second" >/dev/null
third=$(domain pasid b true | cut -d ' ' -f 2)
attach "$LAB_MOCK" "$third" 5 >/dev/null
assert_refused "has 1 pasids by $POLICY: rules[0] and asks for 1 more" attach "$LAB_MOCK" "$third" 6
finish "$client"
CHECKS=$((CHECKS + 2))

SIZE=$MEMORY_SIZE
memory memory "$LAB_VMM_UID"
holder=$PID
with_rule "{ limits: { mappings: 1, pinned_bytes: $((2 * SIZE)) } }"
confine mappings "$LAB_VMM_UID" "$LAB_MOCK" mock-dma
client=$PID
assert_refused "has 1 mappings by $POLICY: rules" map 1 "$FILE" 0x200000
finish "$client"
with_rule "{ limits: { mappings: 8, pinned_bytes: $SIZE } }"
confine pinned "$LAB_VMM_UID" "$LAB_MOCK" mock-dma
client=$PID
assert_refused "has $SIZE pinned_bytes by $POLICY: rules" map 1 "$FILE" 0x200000
finish "$client"
kill "$holder"
wait "$holder" || true
CHECKS=$((CHECKS + 2))

conclude "$CHECKS ways to say it"
assert_untouched
