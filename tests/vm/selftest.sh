# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A lab that cannot fail proves nothing. The cases in selftest/ go wrong in every way there is, and say in their header
# what the lab has to make of them.

selftest() {
        local file name expected wrong=0

        install_packages "${HOST_PACKAGES_BUILD[@]}"
        prepare
        choose_accelerator
        LAB_CASES="$LAB_VM/selftest"
        LAB_SANITIZER=0
        LAB_PATIENCE=1
        # Without iommud: this is about the lab
        LAB_STAGE="$LAB_CACHE/empty-stage"
        mkdir -p "$LAB_STAGE"
        # The frozen machine has to be noticed, which need not take as long as a slow one may
        LAB_REPORT_DEADLINE=40
        vm_suite selftest "${1:-*}"

        say "what the lab made of it"
        for name in "${!LAB_RESULT[@]}"; do
                file="$LAB_CASES/$name.sh"
                expected=$(sed -n 's/^# selftest: //p' "$file")
                if [[ "${LAB_RESULT["$name"]}" != "$expected" ]]; then
                        note "wrong: $name came out as ${LAB_RESULT["$name"]} and should have as $expected"
                        wrong=1
                fi
        done
        ((!wrong)) || die "the lab is not to be relied on"
        note "all as it should be"
}
