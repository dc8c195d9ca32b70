# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# One boot of the lab's machine: puts together what it boots from, starts QEMU, follows what the guest says, and knows
# when it has stopped saying anything.
#
# The guest's side (guest/main, guest/runner) writes to a port of its own. A line that begins with @ is for us:
#
#   @booted                         systemd is up
#   @start CASE SECONDS             a test begins, and may take that long
#   @result CASE pass|fail|skip SECONDS [REASON OR CONCLUSION]
#   @end STATUS                     that was all
#
# All others are for the reader.

LAB_BOOT_DEADLINE=400           # two cores without KVM that something else keeps busy; usually 5 s
LAB_REPORT_DEADLINE=90          # what the runner may take around a test: waiting for things to calm down, reporting

# pack_initramfs FILE TREE NAME=SOURCE...: a busybox and what else is named
pack_initramfs() {
        local file="$1" tree="$2" dir pair
        shift 2

        dir=$(mktemp -d -p .)
        mkdir -p "$dir/bin"
        cp "$tree/usr/bin/busybox" "$dir/bin/busybox"
        for pair; do
                cp "${pair#*=}" "$dir/${pair%%=*}"
        done
        (cd "$dir" && find . | ./bin/busybox cpio -o -H newc 2>/dev/null) | gzip -1 >"$file"
        rm -rf "$dir"
}

# What the tests in the guest need to know and topology.sh cannot know. In the form of a shell script.
guest_env() {
        printf 'LAB_MODE=%q\n' "$LAB_MODE"
        printf 'LAB_CASE_DIR=%q\n' "${LAB_CASES##*/}"
        printf 'LAB_SANITIZER=%q\n' "$LAB_SANITIZER"
        printf 'LAB_PATIENCE=%q\n' "$LAB_PATIENCE"
        printf 'LAB_SAMPLE=%q\n' "${LAB_SAMPLE:-1}"
        printf 'LAB_SEED=%q\n' "$LAB_SEED"
        printf 'LAB_NVME_SHA256=%q\n' "$1"
        if [[ "$LAB_MODE" == shell ]]; then
                printf 'TERM=%q\n' "${TERM:-vt100}"
                printf 'LAB_TTY_SIZE=%q\n' "$(stty size)"
        fi
}

# put_overlay DIRECTORY CASE...: what is added to the guest beside iommud, as it lies in the guest's root directory
put_overlay() {
        local dir="$1" unit
        local tests="$dir/usr/libexec/iommud-tests" units="$dir/etc/systemd/system"
        shift

        mkdir -p "$tests/inner" "$units/lab.target.wants" "$dir/usr/lib"
        cp -r "$LAB_VM/guest" "$LAB_CASES" "$LAB_VM/topology.sh" "$LAB_VM/demo.sh" guest.env "$tests"
        printf '%s\n' "$@" >"$tests/cases.list"
        cp "$LAB_VM/inner/qemu" "$tests/inner"
        cp inner.img "$tests/inner/initrd"
        cp "$(kernel_dir)/bzImage" "$tests/inner/bzImage"
        cp -r "$(kernel_dir)/modules/lib/modules" "$dir/usr/lib"
        mkdir -p "$dir/usr/lib/modules/$(cat "$(kernel_dir)/version")/extra"
        cp "$(mock_dir)/iommud-mock.ko" "$dir/usr/lib/modules/$(cat "$(kernel_dir)/version")/extra"

        cp "$LAB_VM"/guest/units/lab*.{service,target} "$units"
        unit=lab.service
        if [[ "$LAB_MODE" == shell ]]; then
                unit=lab-shell.service
        fi
        ln -s "../$unit" "$units/lab.target.wants/$unit"
        mkdir -p "$dir/etc/udev/rules.d" "$dir/etc/tmpfiles.d"
        cp "$LAB_VM/guest/units/lab.rules" "$dir/etc/udev/rules.d/60-lab.rules"
        cp "$LAB_VM/guest/units/lab-tmpfiles.conf" "$dir/etc/tmpfiles.d/lab.conf"
        if ((LAB_SANITIZER)); then
                mkdir -p "$units/iommud.service.d"
                cp "$LAB_VM/guest/units/iommud-sanitizer.conf" "$units/iommud.service.d/"
        fi
}

# prepare_run CASE...: fills the directory of this run
prepare_run() {
        local tree digest

        tree="$(rootfs_dir)/tree"
        digest=$(disk_to_give_away nvme.img)
        disk_of_the_host host.img "$tree"
        guest_env "$digest" >guest.env
        printf '%s=%q\n' LAB_NVME_MAGIC_LBA "$LAB_NVME_MAGIC_LBA" LAB_NVME_KNOWN "$LAB_NVME_KNOWN" >inner.env
        pack_initramfs inner.img "$tree" init="$LAB_VM/inner/init" inner.env=inner.env
        pack_initramfs init.img "$tree" init="$LAB_VM/guest/init"
        put_overlay overlay "$@"
        : >console.log
}

# Directories of labs that are gone. That there is no process of that number is not enough, when the cache is shared with a
# container: nobody has it locked either.
sweep_runs() {
        local run fd

        for run in "$LAB_CACHE"/run/*; do
                if [[ -d "$run" && ! -d "/proc/${run##*/}" ]]; then
                        exec {fd}<"$run"
                        if flock --nonblock "$fd"; then
                                rm -rf "$run"
                        fi
                        exec {fd}<&-
                fi
        done
}

# enter_run: makes a directory for this boot, the current one
enter_run() {
        local run="$LAB_CACHE/run/$BASHPID" fd

        lock runs
        mkdir -p "$LAB_CACHE/run"
        sweep_runs
        # Another namespace has a process of this number, too
        if [[ -e "$run" ]]; then
                run=$(mktemp -d "$run-XXXXXX")
        else
                mkdir "$run"
        fi
        pushd "$run" >/dev/null
        exec {fd}<.
        flock "$fd"
        LAB_LOCKS[run]=$fd
        unlock runs
}

leave_run() {
        local run=$PWD

        popd >/dev/null
        rm -rf "$run"
        unlock run
}

console_tail() {
        printf -- '--- the end of the console:\n'
        tail -n 60 console.log | tr -d '\r'
        printf -- '--- QEMU said:\n'
        cat qemu.log
        printf -- '---\n'
}

# follow_case CASE pass|fail|skip SECONDS [REASON OR CONCLUSION]: one line for each. What has failed on one machine, as the
# daemon's end may, does not pass for having passed on another.
follow_case() {
        if [[ "${LAB_RESULT["$1"]:-}" != fail ]]; then
                LAB_RESULT["$1"]="$2"
        fi
        printf '    %-4s  %s (%s s)%s\n' "$2" "$1" "$3" "${4:+: $4}"
}

# follow FD: reads what the guest says until its end. LAB_RESULT gets what the tests came to, LAB_STATUS the guest's own
# verdict, or "" if it did not come to one; then LAB_TROUBLE says why, and LAB_CASE what it was doing.
follow() {
        local fd="$1" patience=$LAB_BOOT_DEADLINE line words r

        LAB_STATUS=""
        LAB_CASE=""
        LAB_TROUBLE="it ended by itself"
        while true; do
                r=0
                IFS= read -r -t "$patience" line <&"$fd" || r=$?
                if ((r > 128)); then
                        LAB_TROUBLE="it has said nothing for $(duration "$patience")"
                        return
                elif ((r != 0)); then
                        return
                fi

                line=${line%$'\r'}
                read -r -a words <<<"$line"
                case "${words[0]:-}" in
                @booted)
                        patience=$LAB_REPORT_DEADLINE
                        ;;
                @start)
                        LAB_CASE=${words[1]}
                        patience=$((words[2] + LAB_REPORT_DEADLINE))
                        ;;
                @result)
                        LAB_CASE=""
                        patience=$LAB_REPORT_DEADLINE
                        follow_case "${words[@]:1:3}" "${words[*]:4}"
                        ;;
                @end)
                        LAB_STATUS=${words[1]}
                        return
                        ;;
                *)
                        printf '%s\n' "$line"
                        ;;
                esac
        done
}

# unlocked COMMAND...: runs it without the lab's locks, which would otherwise be held as long as any of its children lives
unlocked() {
        local fd

        for fd in "${LAB_LOCKS[@]}"; do
                exec {fd}>&-
        done
        exec "$@"
}

start_machine() {
        local tree kernel line

        tree="$(rootfs_dir)/tree"
        kernel="$(kernel_dir)/bzImage"
        # panic=-1 with -no-reboot: a kernel that panics ends QEMU, instead of waiting for the deadline
        line="console=ttyS0 intel_iommu=on,sm_on panic=-1 log_buf_len=4M systemd.unit=lab.target"
        # How long things take says nothing about an emulated machine, least of all when others want the processor too
        line+=" no_timer_check tsc=reliable systemd.default_device_timeout_sec=300"
        if ((LAB_PCIEHP)); then
                line+=" pcie_ports=native"
        fi
        if ((LAB_SELINUX)); then
                line+=" security=selinux"
        fi
        # The terminal is for the shell alone: a getty hangs it up
        line+=" systemd.getty_auto=no"
        # The console is read in a file
        line+=" TERM=dumb SYSTEMD_COLORS=0"
        if [[ "$LAB_MODE" != bench ]]; then
                # To set a timer, as the kernel would at every turn, costs an emulated machine more than to let it tick
                line+=" highres=off nohz=off"
        fi
        tree_command "$tree" qemu-system-x86_64
        # After each change to the machine's map of memory QEMU has malloc give back what is free, which is much work for
        # that of the C library
        TREE_COMMAND=("${TREE_COMMAND[0]}" --preload libjemalloc.so.2 "${TREE_COMMAND[@]:1}")
        machine_arguments "$tree" "$(rootfs_dir "$LAB_GUEST")/disk.img" "$LAB_STAGE" "$LAB_MODE"
        # Nobody else would end QEMU if this shell were killed
        # Parts of it are modules, which it looks for beside the program, and that is the loader
        QEMU_MODULE_DIR="$tree/usr/lib/x86_64-linux-gnu/qemu" \
                unlocked setpriv --pdeathsig KILL -- "${TREE_COMMAND[@]}" "${MACHINE[@]}" \
                -kernel "$kernel" -initrd init.img -append "$line"
}

# boot MODE CASE...
# MODE is what guest/main does: cases, demo, bench, shell. What came of it is in LAB_STATUS and LAB_RESULT, not in the
# return value: who has to look at that would switch off errexit for all of this.
boot() {
        local fd

        LAB_MODE="$1"
        LAB_STATUS=""
        shift
        enter_run
        prepare_run "$@"

        if [[ "$LAB_MODE" == shell ]]; then
                if (start_machine 2>qemu.log); then
                        LAB_STATUS=0
                else
                        console_tail
                fi
        else
                exec {fd}< <(start_machine 2>qemu.log </dev/null)
                LAB_QEMU=$!
                follow "$fd"
                if [[ -z "$LAB_STATUS" ]]; then
                        printf 'The guest did not come to an end: %s%s.\n' \
                                "$LAB_TROUBLE" "${LAB_CASE:+, during $LAB_CASE}"
                        console_tail
                fi
                kill -KILL "$LAB_QEMU" 2>/dev/null || true
                wait "$LAB_QEMU" 2>/dev/null || true
                exec {fd}<&-
        fi

        mv console.log "$LAB_CACHE/console.log"
        leave_run
}
declare -gA LAB_RESULT=()
LAB_SANITIZER=0
# How many times as long as it says may a case, and what it waits for, take
LAB_PATIENCE=3
LAB_KVM=0
# Whether it is the kernel that watches the slots (pciehp), and not the firmware (ACPI)
LAB_PCIEHP=0
# Whether SELinux is the security module, and not AppArmor
LAB_SELINUX=0
# The suite of Debian that the machine runs
LAB_GUEST=$LAB_SUITE
