# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What `tests/lab check` runs, and the one line at its end. A suite that runs no test is a failure: it has more often
# been lost than emptied on purpose.

LAB_PASSED=0
LAB_FAILED=0
LAB_SKIPPED=0
LAB_SUITE_BEGIN=$SECONDS

# A test's deadline is there for one that hangs, not for a machine that has other work too
LAB_TIMEOUT_MULTIPLIER=3

# How many cases of a suite may fail and have their verdict from a second run, on a machine of their own
LAB_SECOND_RUNS=0

# A case that tries one thing after the other until there are no more tries one in LAB_SAMPLE of them, and does in
# proportion what it does many times. Which of them, and which arguments at random: LAB_SEED. When the environment does not
# say, a suite that was asked for tries all, and a run of all suites one in LAB_USUAL_SAMPLE, each run others.
LAB_USUAL_SAMPLE=5
LAB_SAMPLE=${LAB_SAMPLE:-}
LAB_SEED=${LAB_SEED:-$RANDOM}

# Whether a case that has its turn in another suite is left out
LAB_ONCE=0

# Which part of a suite's cases, when several share it: of two, the first has every other case, from the first
LAB_PART=1/1

# choose_sample USUAL: fills in what was left open. Of twenty the twentieth part is one, and of fewer there is nothing.
choose_sample() {
        LAB_SAMPLE=${LAB_SAMPLE:-$1}
        if [[ ! "$LAB_SAMPLE" =~ ^([1-9]|1[0-9]|20)$ || ! "$LAB_SEED" =~ ^(0|[1-9][0-9]{0,8})$ ]]; then
                die "LAB_SAMPLE is '$LAB_SAMPLE' and LAB_SEED is '$LAB_SEED': numbers are needed, from 1 to 20 and from 0"
        fi
}

# account SUITE PASSED FAILED SKIPPED: adds to the sum, and says how the suite went
account() {
        if (($2 + $3 + $4 == 0)); then
                note "$1: ran no test at all, which counts as a failure"
                set -- "$1" 0 1 0
        fi
        LAB_PASSED=$((LAB_PASSED + $2))
        LAB_FAILED=$((LAB_FAILED + $3))
        LAB_SKIPPED=$((LAB_SKIPPED + $4))
        say "$1: passed $2, failed $3, skipped $4, after $(duration $((SECONDS - LAB_SUITE_BEGIN)))"
        LAB_SUITE_BEGIN=$SECONDS
}

# closing_line: the sum. Fails when anything did.
closing_line() {
        local skipped=""

        if ((LAB_SKIPPED > 0)); then
                skipped=", $LAB_SKIPPED skipped"
        fi
        printf '%d passed, %d failed%s\n' "$LAB_PASSED" "$LAB_FAILED" "$skipped"
        ((LAB_FAILED == 0))
}

# count_results LOG RESULT...: in meson's testlog.json, one object a line. Quotes in a test's output are escaped there,
# so that only meson's own words match.
count_results() {
        local log="$1" pattern
        shift

        pattern=$(printf '|%s' "$@")
        grep -cE "\"result\": \"(${pattern:1})\"" "$log" || true
}

# meson_tests BUILD SUITE PATTERN: names, as meson wants them, of the tests in SUITE ("" for all) that PATTERN matches; but for
# those in LAB_LEFT_OUT
meson_tests() {
        local line suites name

        # "project:suite+suite / name"
        meson test -C "$(build_dir "$1")" --no-rebuild --list 2>/dev/null | while IFS= read -r line; do
                if [[ "$line" != *" / "* ]]; then
                        continue
                fi
                name=${line#* / }
                suites=${line%% / *}
                suites="+${suites#*:}+"
                if [[ "$suites" == *"+${LAB_LEFT_OUT:-nothing}+"* ]]; then
                        continue
                fi
                # shellcheck disable=SC2053 # a pattern is meant
                if [[ (-z "$2" || "$suites" == *"+$2+"*) && "$name" == $3 ]]; then
                        printf '%s:%s\n' "${line%%:*}" "$name"
                fi
        done
}

# host_suite LABEL BUILD SUITE PATTERN [MESON-ARGUMENT...]
host_suite() {
        local label="$1" dir log tests=() name
        dir=$(build_dir "$2")

        mapfile -t tests < <(meson_tests "$2" "$3" "$4")
        if ((${#tests[@]} == 0)); then
                account "$label" 0 0 0
                return
        fi

        say "$label: running ${#tests[@]} tests"
        rm -f "$dir"/meson-logs/testlog*.json
        # Its verdict is read from the log, where a broken runner shows as well: as no test
        meson test -C "$dir" --no-rebuild --print-errorlogs --timeout-multiplier="$LAB_TIMEOUT_MULTIPLIER" \
                "${@:5}" "${tests[@]}" || true

        log=$(compgen -G "$dir/meson-logs/testlog*.json" | head -n 1) || true
        if [[ -z "$log" ]]; then
                account "$label" 0 0 0
                return
        fi
        account "$label" \
                "$(count_results "$log" OK EXPECTEDFAIL)" \
                "$(count_results "$log" FAIL TIMEOUT ERROR INTERRUPT UNEXPECTEDPASS)" \
                "$(count_results "$log" SKIP)"
}

sanitize_suite() {
        # Any report ends the program with a status that no test takes for success
        local -x ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
        local -x UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
        local LAB_TIMEOUT_MULTIPLIER=10

        host_suite "$@"
}

valgrind_suite() {
        local wrapper="valgrind --quiet --error-exitcode=99 --leak-check=full"
        wrapper+=" --errors-for-leak-kinds=definite,indirect,possible --show-leak-kinds=definite,indirect,possible"
        wrapper+=" --num-callers=30"
        local LAB_TIMEOUT_MULTIPLIER=30

        host_suite "$@" --wrapper="$wrapper"
}

# belongs CASE SUITE: a case runs in the suites that its header names, and in no other; one that names none, in vm;
# and those of the lab's own test in that. In a run of all suites once is enough, with sanitizers, unless it says "always".
belongs() {
        local suites

        suites=$(sed -n 's/^# suite: *//p' "$LAB_CASES/$1.sh")
        suites=" ${suites:-vm selftest} "
        if ((LAB_ONCE)) && [[ "$2" == vm && "$suites" == *" vm-sanitize "* && "$suites" != *" always "* ]]; then
                return 1
        fi
        [[ "$suites" == *" $2 "* ]]
}

# case_names SUITE PATTERN: of the cases in LAB_CASES
case_names() {
        local file name

        for file in "$LAB_CASES"/*.sh; do
                name=${file##*/}
                name=${name%.sh}
                # shellcheck disable=SC2053 # a pattern is meant
                if [[ -e "$file" && "$name" == $2 ]] && belongs "$name" "$1"; then
                        printf '%s\n' "$name"
                fi
        done
}

# boot_of CASE: the machine that it wants, "" for one that it shares
boot_of() {
        sed -n 's/^# boot: *//p' "$LAB_CASES/$1.sh"
}

# runs_in TREE: whether what is staged does, by that tree's own loader and libraries; says why not. What was built on a newer
# Debian does not.
runs_in() {
        {
                "$1/usr/lib64/ld-linux-x86-64.so.2" --library-path "$1/usr/lib/x86_64-linux-gnu" \
                        "$LAB_STAGE/usr/libexec/iommud/iommud" --version >/dev/null
        } 2>&1
}

# skip_cases REASON CASE...
skip_cases() {
        local name

        for name in "${@:2}"; do
                follow_case "$name" skip 0 "$1"
        done
}

# boot_cases CASE...: on the machine that the first wants, as all do. What one that went down did not come to, has failed.
boot_cases() {
        local name why LAB_ATTEMPT=0 LAB_PCIEHP=0 LAB_SELINUX=0 LAB_GUEST=$LAB_SUITE

        case "$(boot_of "$1")" in
        pciehp)
                LAB_PCIEHP=1
                ;;
        selinux)
                LAB_SELINUX=1
                ;;
        bookworm)
                LAB_GUEST=$LAB_OLD_SUITE
                attempt prepare_old_guest
                if ((LAB_ATTEMPT == 0)) && ! why=$(runs_in "$(rootfs_dir "$LAB_GUEST")/tree"); then
                        skip_cases "what was built here does not run on $LAB_GUEST: ${why%%$'\n'*}" "$@"
                        return
                fi
                ;;
        esac
        if ((LAB_ATTEMPT == 0)); then
                boot cases "$@"
        fi
        for name; do
                if [[ -z "${LAB_RESULT["$name"]:-}" ]]; then
                        LAB_RESULT["$name"]=fail
                        printf '    fail  %s: the machine went down before its end, or never came up\n' "$name"
                fi
        done
}

failed_cases() {
        local name

        for name in "${!LAB_RESULT[@]}"; do
                if [[ "${LAB_RESULT["$name"]}" == fail ]]; then
                        printf '%s\n' "$name"
                fi
        done | sort
}

# run_again LABEL: the few that failed. What fails twice has failed; what does not is named, with what it said the first
# time above, since it is a bug all the same: of the case, if not of the daemon.
run_again() {
        local name again=()

        mapfile -t again < <(failed_cases)
        if ((${#again[@]} == 0 || ${#again[@]} > LAB_SECOND_RUNS)); then
                return
        fi
        for name in "${again[@]}"; do
                # The machine's own end has no case to run
                if [[ -e "$LAB_CASES/$name.sh" ]]; then
                        say "$1: $name once more, on a machine of its own"
                        unset "LAB_RESULT[$name]"
                        boot_cases "$name"
                        if [[ "${LAB_RESULT["$name"]}" == pass ]]; then
                                note "$1: $name failed first, and passed when it ran again"
                        fi
                fi
        done
}

# run_cases LABEL PATTERN: cases that can, share a machine. What they came to is in LAB_RESULT.
run_cases() {
        local name n=0 shared=() own=()

        while read -r name; do
                n=$((n + 1))
                if (((n - ${LAB_PART%/*}) % ${LAB_PART#*/} != 0)); then
                        continue
                fi
                if [[ -n "$(boot_of "$name")" ]]; then
                        own+=("$name")
                else
                        shared+=("$name")
                fi
        done < <(case_names "$1" "$2")

        LAB_RESULT=()
        say "$1: booting the lab's machine"
        if ((${#shared[@]} > 0)); then
                boot_cases "${shared[@]}"
        fi
        for name in "${own[@]}"; do
                boot_cases "$name"
        done
}

# vm_suite LABEL PATTERN
vm_suite() {
        local name label="$1" passed=0 failed=0 skipped=0

        run_cases "$@"
        run_again "$1"

        for name in "${!LAB_RESULT[@]}"; do
                case "${LAB_RESULT["$name"]}" in
                pass) passed=$((passed + 1)) ;;
                skip) skipped=$((skipped + 1)) ;;
                *) failed=$((failed + 1)) ;;
                esac
        done
        if [[ "$LAB_PART" != 1/1 ]]; then
                label+=", part $LAB_PART"
        fi
        account "$label" "$passed" "$failed" "$skipped"
}

# vm_suite_of BUILD LABEL PATTERN
vm_suite_of() {
        attempt_to_stage "$1"
        if ((LAB_ATTEMPT != 0)); then
                account "$2" 0 1 0
                return
        fi

        choose_accelerator
        LAB_STAGE=$(stage_dir "$1")
        LAB_CASES="$LAB_VM/cases"
        LAB_SANITIZER=0
        LAB_PATIENCE=3
        if [[ "$1" == sanitize ]]; then
                LAB_SANITIZER=1
                LAB_PATIENCE=8
        fi
        vm_suite "$2" "$3"
}

# ensure_built BUILD: once. Whether that has worked is in LAB_BUILT.
ensure_built() {
        if [[ -z "${LAB_BUILT["$1"]:-}" ]]; then
                attempt build "$1"
                LAB_BUILT["$1"]=$LAB_ATTEMPT
        fi
}
declare -gA LAB_BUILT=()

# ensure_staged BUILD: the same of its installation. Whoever has two suites of a build run at once calls it before.
ensure_staged() {
        if [[ -z "${LAB_STAGED["$1"]:-}" ]]; then
                attempt stage "$1"
                LAB_STAGED["$1"]=$LAB_ATTEMPT
        fi
}
declare -gA LAB_STAGED=()

# attempt_to_stage BUILD: whether all is there that a machine with it needs, is in LAB_ATTEMPT
attempt_to_stage() {
        attempt prepare
        if ((LAB_ATTEMPT == 0)); then
                ensure_staged "$1"
                LAB_ATTEMPT=${LAB_STAGED["$1"]}
        fi
}

# suite LABEL BUILD COMMAND...: makes sure of the build, then runs the suite. What does not build counts as one failure,
# and the other suites have their turn all the same.
suite() {
        local label="$1" build="$2"
        shift 2

        ensure_built "$build"
        if ((LAB_BUILT["$build"] != 0)); then
                note "$label: cannot run, as $build is not built"
                account "$label" 0 1 0
                return
        fi
        "$@"
}

# meanwhile COMMAND...: starts a command that runs suites beside what follows. What it says and what it came to is for
# rejoin(), so that nothing is mixed. LAB_MEANWHILE is where that is, by process.
declare -gA LAB_MEANWHILE=()
meanwhile() {
        local dir

        dir=$(mktemp -d)
        # shellcheck disable=SC2030 # the sums of a subshell are meant
        (
                LAB_PASSED=0 LAB_FAILED=0 LAB_SKIPPED=0 LAB_MEANWHILE=()
                exec >"$dir/output" 2>&1
                "$@"
                printf '%d %d %d\n' "$LAB_PASSED" "$LAB_FAILED" "$LAB_SKIPPED" >"$dir/sums"
        ) &
        LAB_MEANWHILE["$!"]=$dir
        # In the background nothing ends it but us; QEMU ends with it
        trap end_meanwhile EXIT
}

end_meanwhile() {
        local pid

        for pid in "${!LAB_MEANWHILE[@]}"; do
                kill "$pid" 2>/dev/null || true
                rm -rf "${LAB_MEANWHILE["$pid"]}"
        done
}

# rejoin: waits for all that runs meanwhile, shows what it has said, and adds its sums
# shellcheck disable=SC2031 # these are ours
rejoin() {
        local pid dir passed failed skipped

        for pid in "${!LAB_MEANWHILE[@]}"; do
                dir=${LAB_MEANWHILE["$pid"]}
                wait "$pid" || true
                cat "$dir/output"
                if [[ -s "$dir/sums" ]]; then
                        read -r passed failed skipped <"$dir/sums"
                else
                        note "they did not come to their end, which counts as a failure"
                        passed=0 failed=1 skipped=0
                fi
                LAB_PASSED=$((LAB_PASSED + passed))
                LAB_FAILED=$((LAB_FAILED + failed))
                LAB_SKIPPED=$((LAB_SKIPPED + skipped))
                rm -rf "$dir"
                unset "LAB_MEANWHILE[$pid]"
        done
        trap - EXIT
}

check_vm_part() {
        local LAB_PART="$1"

        suite vm gcc vm_suite_of gcc vm "*"
}

check_vm_faults() {
        suite vm-faults faults vm_suite_of faults vm-faults "*"
}

check_vm_sanitize() {
        suite vm-sanitize sanitize vm_suite_of sanitize vm-sanitize "*"
}

# The rules for the sources are the same for each build
check_host() {
        suite gcc gcc host_suite gcc gcc "" "*"
        LAB_LEFT_OUT=lint suite clang clang host_suite clang clang "" "*"
        LAB_LEFT_OUT=lint suite sanitize sanitize sanitize_suite sanitize sanitize "" "*"
        suite valgrind gcc valgrind_suite valgrind gcc bus "*"
}

check_lab() {
        suite shell gcc shell_suite
        selftest_cases selftest "*"
}

# What a run of all tests consists of. What takes longest comes first, so that no processor is idle for long at the end.
LAB_PIECES=(check_vm_sanitize check_vm_faults "check_vm_part "{1..4}/4 check_host check_lab)

# take_pieces FILE: runs what nobody else has taken, one piece after the other. In FILE is the number of the next.
take_pieces() {
        local fd n piece

        while true; do
                exec {fd}<>"$1"
                flock "$fd"
                n=$(<"$1")
                printf '%d\n' $((n + 1)) >"$1"
                exec {fd}>&-
                if ((n >= ${#LAB_PIECES[@]})); then
                        break
                fi
                read -r -a piece <<<"${LAB_PIECES[n]}"
                "${piece[@]}"
        done
}

# An emulated machine keeps hardly more than one processor busy, and waits part of its time: there are three at any time
check_all() {
        local name next LAB_SECOND_RUNS=2 LAB_ONCE=0

        choose_sample "$LAB_USUAL_SAMPLE"
        if ((LAB_SAMPLE > 1)); then
                LAB_ONCE=1
                say "of what is tried one after the other, one in $LAB_SAMPLE (LAB_SAMPLE=1: all), by LAB_SEED=$LAB_SEED"
        fi
        for name in gcc clang sanitize faults; do
                ensure_built "$name"
        done
        # Once for each, before two want it at the same time. What cannot be staged has failed when its turn comes.
        for name in gcc sanitize faults; do
                if ((LAB_BUILT["$name"] == 0)); then
                        ensure_staged "$name"
                fi
        done
        next=$(mktemp)
        echo 0 >"$next"
        meanwhile take_pieces "$next"
        meanwhile take_pieces "$next"
        take_pieces "$next"
        say "waiting for what runs beside"
        rejoin
        rm -f "$next"
}

# check [SUITE [PATTERN]]
check() {
        local name="${1:-all}" pattern="${2:-*}"

        install_packages "${HOST_PACKAGES_BUILD[@]}" "${HOST_PACKAGES_CHECK[@]}"
        lock "builds-$(digest "$LAB_TREE")"
        if [[ "$name" != all ]]; then
                choose_sample 1
        fi
        case "$name" in
        all)
                check_all
                ;;
        gcc | clang)
                suite "$name" "$name" host_suite "$name" "$name" "" "$pattern"
                ;;
        sanitize)
                suite sanitize sanitize sanitize_suite sanitize sanitize "" "$pattern"
                ;;
        valgrind)
                suite valgrind gcc valgrind_suite valgrind gcc bus "$pattern"
                ;;
        vm)
                suite vm gcc vm_suite_of gcc vm "$pattern"
                ;;
        vm-faults)
                suite vm-faults faults vm_suite_of faults vm-faults "$pattern"
                ;;
        vm-sanitize)
                suite vm-sanitize sanitize vm_suite_of sanitize vm-sanitize "$pattern"
                ;;
        shell)
                suite shell gcc shell_suite
                ;;
        selftest | selftest-long)
                selftest_cases "$name" "$pattern"
                ;;
        vm-next)
                suite vm-next faults vm_suite_of faults vm-next "$pattern"
                ;;
        *)
                suite "$name" gcc host_suite "$name" gcc "$name" "$pattern"
                ;;
        esac
        closing_line
}
