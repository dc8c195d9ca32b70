/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cgroup-unit.h"
#include "base/fd.h"
#include "base/parse.h"
#include "process-info.h"

#define USEC_PER_SEC UINT64_C(1000000)

/* The number behind @key at the beginning of a line, up to a space or the end of the line. */
static int read_number(int proc, const char *path, const char *key, uint64_t *ret) {
        char text[16384], *found = text;
        ssize_t n;

        n = read_text_at(proc, path, text, sizeof(text));
        if (n < 0)
                return (int) n;

        while (found && strncmp(found, key, strlen(key)) != 0) {
                found = strchr(found, '\n');
                if (found)
                        found++;
        }
        if (!found)
                return -ENODATA;

        found += strlen(key);
        found += strspn(found, " \t");
        found[strcspn(found, " \n")] = '\0';
        return parse_u64(found, ret);
}

static uint64_t clock_usec(clockid_t clock) {
        struct timespec t;

        (void) clock_gettime(clock, &t);     /* can't fail for these clocks */
        return (uint64_t) t.tv_sec * USEC_PER_SEC + (uint64_t) t.tv_nsec / 1000;
}

static uint64_t boot_time_usec(void) {
        return clock_usec(CLOCK_REALTIME) - clock_usec(CLOCK_BOOTTIME);
}

/* Field 22 of proc_pid_stat(5), in clock ticks since the boot. The name of the process can hold anything. */
static int read_start(int proc, pid_t pid, uint64_t *ret_usec) {
        long ticks_per_second = sysconf(_SC_CLK_TCK);
        char path[32], text[2048], *field;
        uint64_t ticks;
        ssize_t n;
        int r;

        snprintf(path, sizeof(path), "%d/stat", (int) pid);
        n = read_text_at(proc, path, text, sizeof(text));
        if (n < 0)
                return n == -ENOENT ? -ESRCH : (int) n;

        field = strrchr(text, ')');
        for (int i = 2; field && i < 22; i++)
                field = strchr(field + 1, ' ');
        if (!field || ticks_per_second <= 0)
                return -EBADMSG;
        field++;
        field[strcspn(field, " ")] = '\0';
        r = parse_u64(field, &ticks);
        if (r < 0)
                return r;

        *ret_usec = boot_time_usec() + ticks * USEC_PER_SEC / (uint64_t) ticks_per_second;
        return 0;
}

int process_info_read(int proc, pid_t pid, uint64_t when_usec, ProcessInfo *ret) {
        char name[16], path[32], cgroup[PROCESS_CGROUP_MAX];
        const Process process = { .proc = proc, .name = name, .pid = pid };
        ProcessInfo info = {};
        uint64_t start = 0;
        int r;

        snprintf(name, sizeof(name), "%d", (int) pid);
        process_read_comm(&process, info.comm);
        process_read_cgroup(&process, cgroup);
        cgroup_get_unit(cgroup, info.unit, sizeof(info.unit));

        snprintf(path, sizeof(path), "%d/status", (int) pid);
        info.has_pinned = read_number(proc, path, "VmPin:", &info.pinned) >= 0 &&
                          !__builtin_mul_overflow(info.pinned, 1024, &info.pinned);

        /* Last: what has the number now, and had it then, had it all the while. Clocks are set, a little. */
        r = read_start(proc, pid, &start);
        if (r < 0)
                return r;
        if (start > when_usec + USEC_PER_SEC)
                return -ESRCH;

        *ret = info;
        return 0;
}
