# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A lab that cannot fail proves nothing. The cases in selftest/ go wrong in every way there is, and say in their header
# what the lab has to make of them. That it can be interrupted, selftest/interrupt.py tries, in the suite `lab` of the builds.

# selftest_cases SUITE PATTERN. With all other tests run those of the suite `selftest`; in `selftest-long` are those that take
# a machine down.
selftest_cases() {
        local file name expected right=0 wrong=0 LAB_REPORT_DEADLINE

        attempt prepare
        if ((LAB_ATTEMPT != 0)); then
                account "$1" 0 1 0
                return
        fi
        choose_accelerator
        LAB_CASES="$LAB_VM/selftest"
        LAB_SANITIZER=0
        LAB_PATIENCE=1
        # Without iommud: this is about the lab
        LAB_STAGE="$LAB_CACHE/empty-stage"
        mkdir -p "$LAB_STAGE"
        # The frozen machine has to be noticed, which need not take as long as a slow one may
        LAB_REPORT_DEADLINE=40
        run_cases "$@"

        say "what the lab made of it"
        for name in "${!LAB_RESULT[@]}"; do
                file="$LAB_CASES/$name.sh"
                expected=$(sed -n 's/^# selftest: //p' "$file")
                if [[ "${LAB_RESULT["$name"]}" == "$expected" ]]; then
                        right=$((right + 1))
                else
                        note "wrong: $name came out as ${LAB_RESULT["$name"]} and should have as $expected"
                        wrong=$((wrong + 1))
                fi
        done
        account "$1" "$right" "$wrong" 0
}

# shell_suite: somebody uses `tests/lab shell` at a terminal. That is a lab of its own, which finds all built.
shell_suite() {
        local result=(0 1 0)

        attempt_to_stage gcc
        if ((LAB_ATTEMPT == 0)); then
                say "shell: at a terminal"
                if LAB_HELD="builds-$(digest "$LAB_TREE")" python3 -B "$LAB_VM/selftest/shell.py" gcc; then
                        result=(1 0 0)
                fi
        fi
        account shell "${result[@]}"
}

# selftest [PATTERN]
selftest() {
        local pattern="${1:-*}" name

        install_packages "${HOST_PACKAGES_BUILD[@]}" python3
        lock "builds-$(digest "$LAB_TREE")"
        # shellcheck disable=SC2053 # a pattern is meant
        if [[ shell == $pattern ]]; then
                suite shell gcc shell_suite
        fi
        for name in selftest selftest-long; do
                if [[ -n "$(LAB_CASES="$LAB_VM/selftest" case_names "$name" "$pattern")" ]]; then
                        selftest_cases "$name" "$pattern"
                fi
        done
        closing_line
}
