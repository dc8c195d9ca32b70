# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm vm-sanitize
# deadline: 240
# expect: daemon-death
#
# What an administrator writes: rules that must hold with all their keys, names for devices, limits, ends of leases, files that
# hide others, and mistakes, which are told and change nothing.

. guest/iommud.sh

NAMES=/etc/iommud/iommud.json
VENDOR=/usr/lib/iommud/policy.d
ADMIN=/etc/iommud/policy.d

# write PATH TEXT: until the case ends
write() {
        if [[ ! -e "$1" ]]; then
                defer rm -f "$1"
        fi
        printf '%s\n' "$2" >"$1"
}

may() {
        as_user "$1" iommuctl plan "$2" >/dev/null
}

# assert_may UID SELECTOR, assert_may_not UID SELECTOR [REGEX]
assert_may() {
        assert may "$1" "$2"
}
assert_may_not() {
        assert_fails as_user "$1" iommuctl plan "$2"
        assert_match "$OUTPUT" '\(Denied\)'
        assert_match "$OUTPUT" "${3:-.}"
}

# ---- mistakes are found before they are in force, by anybody, without the daemon

write "$CASE_DIR/draft.json" '{ "rules": [ { "user": "nobody",
  "devcies": "any", "verdict": "allow" } ] }'
chmod 644 "$CASE_DIR/draft.json"
chmod 755 "$CASE_DIR"
assert_fails as_user "$LAB_STRANGER_UID" iommuctl policy check "$CASE_DIR/draft.json"
assert_match "$OUTPUT" 'draft.json:2:3: rules\[0\]: unknown key "devcies", did you mean "devices"\?'
systemctl stop iommud.service
assert_fails iommuctl policy check --json "$CASE_DIR/draft.json"
assert_eq "$(jq -c '.[] | [.mistakes[0].line, .mistakes[0].column, .mistakes[0].path, .ok]' <<<"$OUTPUT")" '[2,3,"rules[0]",false]'
assert iommuctl policy check >/dev/null
systemctl start iommud.service

# ---- a reload with a mistake changes nothing, whatever the mistake is

use_policy "$(rule allow "$LAB_VMM_UID" "$LAB_NVME")"
assert_may "$LAB_VMM_UID" "$LAB_NVME"

# assert_refused_files REGEX: for the daemon and for the check
assert_refused_files() {
        assert_refused "(InvalidPolicy)" iommuctl reload
        assert_match "$OUTPUT" "$1"
        assert_fails iommuctl policy check
        assert_match "$OUTPUT" "$1"
        assert_may "$LAB_VMM_UID" "$LAB_NVME"
        assert_may_not "$LAB_STRANGER_UID" "$LAB_NVME"
}

write "$ADMIN/60-more.json" "{ \"rules\": [ $(rule allow "$LAB_STRANGER_UID" any) ] }"
chmod 666 "$ADMIN/60-more.json"
assert_refused_files '60-more.json: it can be written by others than root'
chmod 644 "$ADMIN/60-more.json"
chown "$LAB_STRANGER_UID" "$ADMIN/60-more.json"
assert_refused_files "60-more.json: it belongs to user $LAB_STRANGER_UID"
mv "$ADMIN/60-more.json" "$CASE_DIR/60-more.json"
ln -s "$CASE_DIR/60-more.json" "$ADMIN/60-more.json"
assert_refused_files '60-more.json: it is a link'
rm "$ADMIN/60-more.json"
chmod 777 "$ADMIN"
defer chmod 755 "$ADMIN"
assert_refused_files 'policy.d: it can be written by others'
chmod 755 "$ADMIN"
chmod 777 /etc/iommud
defer chmod 755 /etc/iommud
assert_refused_files 'others than root can put another directory in its place'
chmod 755 /etc/iommud
write "$ADMIN/60-more.json" '{ "rules": [ { "subject": "any", "devices": "gpu0", "verdict": "allow" } ] }'
assert_refused_files '60-more.json:1:[0-9]+: rules\[0\].devices: no device is called "gpu0"'
rm "$ADMIN/60-more.json"
assert_entry "$MESSAGE_POLICY" PRIORITY=3
assert iommuctl reload

# ---- the administrator's file hides the vendor's

mkdir -p "$VENDOR"
write "$VENDOR/70-vendor.json" "{ \"rules\": [ $(rule allow "$LAB_STRANGER_UID" "$LAB_NIC") ] }"
assert iommuctl reload
assert_may "$LAB_STRANGER_UID" "$LAB_NIC"
write "$ADMIN/70-vendor.json" "{ \"rules\": [ $(rule allow "$LAB_STRANGER_UID" "$LAB_NIC2") ] }"
assert iommuctl reload
assert_may "$LAB_STRANGER_UID" "$LAB_NIC2"
assert_may_not "$LAB_STRANGER_UID" "$LAB_NIC"
rm "$ADMIN/70-vendor.json"
ln -s /dev/null "$ADMIN/70-vendor.json"
assert iommuctl reload
assert_may_not "$LAB_STRANGER_UID" "$LAB_NIC"
assert_may_not "$LAB_STRANGER_UID" "$LAB_NIC2"
rm "$ADMIN/70-vendor.json" "$VENDOR/70-vendor.json"

# ---- all keys must hold, and all kinds of facts count

vendor=$(cat "/sys/bus/pci/devices/$LAB_NVME/vendor") device=$(cat "/sys/bus/pci/devices/$LAB_NVME/device")
use_policy "{ \"uid\": $LAB_VMM_UID, \"gid\": $LAB_VMM2_UID, \"devices\": \"any\", \"verdict\": \"allow\" }" \
        "{ \"uid\": $LAB_VMM2_UID, \"gid\": $LAB_VMM2_UID, \"verdict\": \"allow\",
           \"devices\": [ { \"vendor\": \"$vendor\", \"device\": \"$device\", \"driver\": \"nvme\" } ] }"
assert_may_not "$LAB_VMM_UID" "$LAB_NVME"
assert_may "$LAB_VMM2_UID" "$LAB_NVME"
assert_may_not "$LAB_VMM2_UID" "$LAB_NIC"

# The whole group or nothing
use_policy "{ \"uid\": $LAB_VMM_UID, \"devices\": \"any\", \"whole_group\": true, \"verdict\": \"allow\" }"
assert_may_not "$LAB_VMM_UID" "$LAB_SHARED_A" 'rules\[0\] allows it, but only together'
assert as_user "$LAB_VMM_UID" iommuctl plan "$LAB_SHARED_A" "$LAB_SHARED_B" >/dev/null

# ---- which rule decides and why, for anybody, who need not try for that

use_policy "$(rule deny "$LAB_VMM2_UID" any)" \
        "{ \"uid\": $LAB_VMM_UID, \"unit\": \"vm-*.service\", \"devices\": \"any\", \"verdict\": \"allow\" }"
# explained ARGUMENT...: of each rule whether it matches, and the verdict
explained() {
        iommuctl policy explain --json "$@" "$LAB_NVME" | jq -c '[.[].match, .[-1].verdict]'
}
assert_eq "$(explained --as "$LAB_VMM_UID" --unit vm-1.service)" '["no","yes","allow"]'
assert_eq "$(explained --as "$LAB_VMM_UID" --unit sshd.service)" '["no","no","yes","deny"]'
assert_eq "$(explained --as "$LAB_VMM_UID")" '["no","unknown","yes","deny"]'
assert_eq "$(explained --as "$LAB_VMM2_UID")" '["yes","deny"]'
assert_match "$(iommuctl policy explain --as "$LAB_VMM_UID" "$LAB_NVME")" 'rules\[1\]: passed over: whether its "unit" is true'
assert_match "$(as_user "$LAB_VMM2_UID" iommuctl policy explain "$LAB_NVME")" "=> deny: $POLICY: rules\[0\] denies it"
assert_refused "(Denied)" as_user "$LAB_VMM2_UID" iommuctl policy explain --as "$LAB_VMM_UID" "$LAB_NVME"

# ---- names and tags

write "$NAMES" "{ \"devices\": [
        { \"name\": \"disk0\", \"match\": \"$LAB_NVME\", \"tags\": [ \"lab\" ] },
        { \"name\": \"card\", \"match\": { \"class\": \"02\" } },
        { \"tags\": \"lab\", \"match\": \"$LAB_NIC\" } ] }"
use_policy "{ \"uid\": $LAB_VMM_UID, \"devices\": [ \"tag:lab\" ], \"verdict\": \"allow\" }"
assert_eq "$(iommuctl find disk0)" "$LAB_NVME" "the name"
assert_eq "$(iommuctl find tag:lab | sort | paste -s -d ' ')" "$LAB_NVME $LAB_NIC" "the tag"
assert_may "$LAB_VMM_UID" disk0
assert_may_not "$LAB_VMM_UID" "$LAB_NIC2"
assert_fails as_user "$LAB_VMM_UID" iommuctl plan card
assert_match "$OUTPUT" '"card" is true of .* and of .*\(InvalidSelector\)'
hold named "$LAB_VMM_UID" disk0
assert_eq "$(lease_of "$LAB_NVME")" "$LEASE" "the lease of the name"
assert_eq "$(iommuctl find disk0)" "$LAB_NVME" "the name while it is away"
let_go "$PID"
assert_ended "$LEASE"

# ---- limits: of a rule, of a user, of requests

use_policy "{ \"uid\": $LAB_VMM_UID, \"devices\": \"any\", \"limits\": { \"devices\": 1 }, \"verdict\": \"allow\" }"
hold limited "$LAB_VMM_UID" "$LAB_NIC"
assert_refused "(Quota)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC2"
assert_match "$OUTPUT" "has 1 devices by $POLICY: rules\[0\] and asks for 1 more"
answer=$(as_user "$LAB_VMM_UID" iommuctl explain --json "$LAB_NIC2" || true)
assert_eq "$(jq -c '[.possible, (.facts[] | select(.topic == "quota" and .grade == "bad").values |
        .limit, .rule, .max, .used, .asked)]' <<<"$answer")" "[false,\"devices\",\"$POLICY: rules[0]\",1,1,1]" "the limit"
# Also across a restart
kill_daemon
assert_refused "(Quota)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC2"
let_go "$PID"
assert_ended "$LEASE"
assert_may "$LAB_VMM_UID" "$LAB_NIC2"

printf '{ "limits": [ { "uid": %s, "requests_per_second": 1 } ], "rules": [ %s ] }\n' \
        "$LAB_VMM2_UID" "$(rule allow "$LAB_VMM2_UID" any)" >"$POLICY"
assert iommuctl reload
sleepers=()
for ((i = 0; i < 30; i++)); do
        sleepers+=("$LAB_NIC")
done
start flood "$LAB_VMM2_UID" programs/acquire-at-once "${sleepers[@]}"
assert_says flood "$PID" '^all$'
quota=$(grep -c 'refused org.iommud1.Error.Quota' "$CASE_DIR/flood")
((quota >= 10)) || fail "only $quota of 30 requests were too many: $(cat "$CASE_DIR/flood")"
assert_eq "$(grep -c '^granted' "$CASE_DIR/flood")" 1 "what was granted"
let_go "$PID"
assert_soon 30 no_lease

# ---- what the host uses, where the administrator says so

nic=$(netdev_of "$LAB_NIC2")
ip link set "$nic" up
ip address add 192.0.2.77/24 dev "$nic"
allow "$LAB_VMM_UID" "$LAB_NIC2"
assert_refused "(HostInUse)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC2"
use_policy "{ \"uid\": $LAB_VMM_UID, \"devices\": \"$LAB_NIC2\", \"host_use\": \"allow\", \"verdict\": \"allow\" }"
assert_refused "(HostInUse)" iommuctl acquire "$LAB_NIC2"
hold override "$LAB_VMM_UID" "$LAB_NIC2"
let_go "$PID"
assert_ended "$LEASE"

# ---- a lease that ends by itself, also when the daemon was away at the time

use_policy "{ \"uid\": $LAB_VMM_UID, \"devices\": \"any\", \"max_lease_seconds\": 6, \"verdict\": \"allow\" }"
hold short "$LAB_VMM_UID" "$LAB_NIC"
assert_ne "$(lease_field "$LEASE" until_usec)" 0 "the end of the lease"
kill_daemon
is_ending() {
        ! lease_is "$LEASE" active
}
assert_soon 30 is_ending
let_go "$PID"
assert_ended "$LEASE"
assert_entry "$MESSAGE_RELEASE" IOMMUD_LEASE="$LEASE"
assert_match "$(entries MESSAGE_ID="$MESSAGE_RELEASE" IOMMUD_LEASE="$LEASE" | jq -r .MESSAGE)" 'the policy allowed it no longer'

assert_untouched
