# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For the cases of the suite vm-faults, whose daemon fails where it is told to (lib/base/fault.h). On top of iommud.sh.

. guest/iommud.sh

FAULTS=$LEASES/fault

without_faults() {
        rm -rf /run/systemd/system/iommud.service.d "$FAULTS"
        systemctl daemon-reload
        systemctl restart iommud.service
}
defer without_faults
mkdir -p /run/systemd/system/iommud.service.d
cat >/run/systemd/system/iommud.service.d/faults.conf <<EOT
[Service]
RestartSec=0
Environment=IOMMUD_FAULT_FILE=$FAULTS
EOT
assert programs/faults "$FAULTS" make
systemctl daemon-reload
systemctl restart iommud.service

# stand_in DEVICE...: driven by pci-stub until the case ends, with the override and the power management that administrators set. The
# driver of a network card takes half a second to come and go, which says nothing about iommud, and does so for each fault.
stand_in() {
        local device

        for device; do
                locate "$device"
                defer end_stand_in "$device" "$(cat "$SYSFS/power/control")"
                assert bind_driver "$device" pci-stub
                echo auto >"$SYSFS/power/control"
        done
        BEFORE=$(bindings)
}

end_stand_in() {
        bind_native "$1"
        echo "$2" >"$SYSFS/power/control"
}

# Of each kind (kill, fail, starve), and of calls that were refused and of leases and claims that were stuck
declare -A TRIED=([kill]=0 [fail]=0 [starve]=0 [refused]=0 [stuck]=0)

# choose_first: where the next sweep begins is $FIRST; of what it would try it tries one in LAB_SAMPLE from there
N_SWEEPS=0
choose_first() {
        FIRST=$((1 + (LAB_SEED + N_SWEEPS) % LAB_SAMPLE))
        N_SWEEPS=$((N_SWEEPS + 1))
}

# everywhere KIND DEVICE [attached|claim]: see src/faults.c
everywhere() {
        local faults refused stuck start=$SECONDS

        choose_first
        programs/faults -f "$FIRST" -e "$LAB_SAMPLE" "$FAULTS" "$@" >"$CASE_DIR/faults" ||
                fail "$*: something is not as it was"
        read -r faults refused stuck <"$CASE_DIR/faults"
        assert_eq "$((faults > 5 / LAB_SAMPLE))" 1 "it is true that there are more than $faults: it"
        printf '%s: %d, %d refused, %d stuck, %d s\n' "$*" "$faults" "$refused" "$stuck" $((SECONDS - start)) |
                tee /dev/kmsg
        TRIED["${1%-calls}"]=$((TRIED["${1%-calls}"] + faults))
        TRIED[refused]=$((TRIED[refused] + refused))
        TRIED[stuck]=$((TRIED[stuck] + stuck))
}
