# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# Another version of the daemon takes over, in both directions, as a package manager does it: the program is replaced while it runs,
# and then the service is started again. Leases and claims go on, with whatever the other version had made for them.

. guest/iommud.sh
. guest/domains.sh

PROGRAM=/usr/libexec/iommud/iommud
cp -p "$PROGRAM" "$CASE_DIR/iommud"

# replace PROGRAM: nothing is ever half there, and who runs the old one goes on
replace() {
        cp -p "$1" "$PROGRAM.dpkg-new"
        mv -T "$PROGRAM.dpkg-new" "$PROGRAM"
}

put_back() {
        if ! cmp -s "$CASE_DIR/iommud" "$PROGRAM"; then
                replace "$CASE_DIR/iommud"
                systemctl restart iommud.service
        fi
}
defer put_back

version() {
        iommuctl version --json | jq -r .iommud
}

# A lease of mode vmm, one of mode attached, both of which do DMA; one that drains; and a claim
defer drop_claims
allow "$LAB_VMM_UID" "$LAB_NVME" "$LAB_EDU" "$LAB_NIC2" "$LAB_SHARED_A" "$LAB_SHARED_B"
assert iommuctl claim "$LAB_NIC"
start vmm "$LAB_VMM_UID" iommuctl run -d "$LAB_NVME" -- "$PWD/programs/nvme-client" unbound '{iommufd}' '{device:0}'
vmm=$PID
assert_says vmm "$vmm" '^ready$'
vmm_lease=$(lease_of "$LAB_NVME")
start giver "$LAB_VMM_UID" iommuctl run -d "$LAB_NIC2" -- \
        bash -c 'sleep infinity {lifeline}>&- {iommufd}>&- & echo keeper $!'
assert_says giver "$PID" '^keeper [0-9]+$'
keeper=$(sed -n 's/^keeper //p' "$CASE_DIR/giver")
draining_lease=$(lease_of "$LAB_NIC2")
attached attached "$LAB_VMM_UID" "$LAB_EDU" edu-dma
attached=$PID
assert_soon 20 lease_says "$draining_lease" "sleep \\(pid $keeper\\)"

ROUNDS=0
has_done() {
        [[ "$(grep -cE '^(dma ok$|text iommud lab)' "$CASE_DIR/$1")" == "$ROUNDS" ]]
}
assert_dma() {
        ROUNDS=$((ROUNDS + 1))
        say vmm "text $LAB_NVME_MAGIC_LBA"
        say attached dma
        for client in vmm attached; do
                wait_until 20 has_done "$client" || fail "$client does no DMA: $(cat "$CASE_DIR/$client")"
        done
}

keep_attaching() {
        while attach "$LAB_EDU" "$domain" >/dev/null; do
                :
        done
}

# stop_with_child DAEMON: a child that has worked in a context waits a second for more to do, and as long as the daemon is stopped
stop_with_child() {
        local comm name

        for comm in /proc/[0-9]*/comm; do
                name=""
                { read -r name <"$comm"; } 2>/dev/null || true
                if [[ "$name" == iommud-idle ]]; then
                        kill -STOP "$1"
                        IDLE=${comm//[^0-9]/}
                        is_running "$IDLE" && return
                        kill -CONT "$1"
                fi
        done
        return 1
}

# All of them, but for what is said of the one that is attached again and again
all_leases() {
        iommuctl leases --json | jq --argjson id "$attached_lease" 'map(if .id == $id then .state_reason = "" else . end)'
}

leases_are() {
        [[ "$(all_leases)" == "$1" ]]
}

# upgrade PROGRAM VERSION
upgrade() {
        local old

        old=$(daemon_pid)
        mark_kernel_log
        assert_ne "$(version)" "$2" "the version before"

        # The old one runs on, without a file, and serves
        replace "$1"
        assert_match "$(readlink "/proc/$old/exe")" ' \(deleted\)$'
        hold "by-old-$2" "$LAB_VMM_UID" "$LAB_SHARED_A"
        held=$PID held_lease=$LEASE
        leases=$(all_leases)
        assert_eq "$(jq length <<<"$leases")" 4 "the number of leases"
        # and has a child that waits for more to do
        LEASE=$attached_lease
        ioas=$(handle AllocIoas 'a{sv}' 0)
        domain=$(handle AllocDomain 'sta{sv}' "$LAB_EDU" "$ioas" 0)
        keep_attaching &
        attaching=$!
        assert_soon 20 stop_with_child "$old"
        kill "$attaching"
        wait "$attaching" || true

        systemctl daemon-reload
        systemctl try-restart iommud.service
        assert_ne "$(daemon_pid)" "$old" "the process of the daemon"
        assert_eq "$(version)" "$2" "the version"
        assert cmp "/proc/$(daemon_pid)/exe" "$1"
        assert is_over "$old"
        assert_soon 10 is_over "$IDLE"

        # who has the device of the one that drains has to be found again
        wait_until 20 leases_are "$leases" ||
                fail "the leases are not what they were: $(diff <(cat <<<"$leases") <(all_leases) || true)"
        # The old one may have been in the middle of it when it was asked to end
        assert_match "$(lease_field "$attached_lease" state_reason)" \
                "^$|iommud ended while $LAB_EDU was attached or detached .*\(it is attached as before"
        assert_refused "(Taken)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_SHARED_A"
        assert_refused "(Draining)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC2"
        assert claim_is "$LAB_NIC" parked
        assert_no_match "$(kernel_said)" "($LAB_NIC|$LAB_NVME|$LAB_EDU): reset"

        # It works with the context that the other version has made, and ends what that has begun
        LEASE=$attached_lease
        assert_eq "$(target_of "$LAB_EDU")" "$domain" "what $LAB_EDU is attached to"
        attach "$LAB_EDU" 2 >/dev/null
        call Destroy t "$domain" >/dev/null
        call Destroy t "$ioas" >/dev/null
        assert_dma
        let_go "$held"
        assert_ended "$held_lease"
}
attached_lease=$LEASE
first=$(version)
upgrade "$PWD/programs/iommud-next" "$(programs/iommud-next --version | cut -d ' ' -f 2)"
upgrade "$CASE_DIR/iommud" "$first"

# To the end, with the version that it did not begin with
replace "$PWD/programs/iommud-next"
systemctl try-restart iommud.service
kill "$vmm" "$attached" "$keeper"
wait "$vmm" "$attached" || true
for lease in "$vmm_lease" "$attached_lease" "$draining_lease"; do
        assert_ended "$lease"
done
assert iommuctl unclaim "$LAB_NIC"
for device in "$LAB_NVME" "$LAB_EDU" "$LAB_NIC" "$LAB_NIC2"; do
        assert_driver "$device" "${LAB_NATIVE_DRIVER["$device"]}"
done
assert_soon 20 disk_is_back
put_back
assert_bindings "$BEFORE"

# rewrite FILE VERSION: the record in another format, and whole
rewrite() {
        sed -e '/^checksum=/d' -e "1s/^version=[0-9]*/version=$2/" "$1" >"$CASE_DIR/record"
        printf 'checksum=%s\n' "$(gzip -c "$CASE_DIR/record" | tail -c 8 | head -c 4 | od -An -tx4 | tr -d ' ')" >>"$CASE_DIR/record"
        cp "$CASE_DIR/record" "$1"
}

# One that the version which is put back does not know: nothing of it is believed, and it is said why
start holder "$LAB_VMM_UID" iommuctl run -d "$LAB_NVME" -- "$PWD/programs/nvme-client" unbound '{iommufd}' '{device:0}'
holder=$PID
assert_says holder "$holder" '^ready$'
lease=$(lease_of "$LAB_NVME")
systemctl stop iommud.service
rewrite "$LEASES/lease-$lease" 2
systemctl start iommud.service
assert_ne "$(entries PRIORITY=3 | jq -r .MESSAGE |
        grep "lease-$lease is not usable (another version of iommud wrote it")" "" "what is said"
assert no_lease
assert_soon 10 no_records
assert_fails as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NVME"
assert_match "$OUTPUT" '\((Taken|NotViable)\)'
say holder "text $LAB_NVME_MAGIC_LBA"
assert_says holder "$holder" '^text iommud lab'
assert_driver "$LAB_NVME" vfio-pci

# The later one is there again, and so is what it had written: it gives the device back when that is closed
systemctl stop iommud.service
mv "$LEASES/damaged-lease-$lease" "$LEASES/lease-$lease"
rewrite "$LEASES/lease-$lease" 1
systemctl start iommud.service
assert_soon 10 lease_says "$lease" "nvme-client \\(pid $holder\\)"
kill "$holder"
wait "$holder" || true
assert_ended "$lease"
assert_driver "$LAB_NVME" nvme
assert_untouched
