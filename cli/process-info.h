/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What /proc tells of the process that has a lease. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/process.h"

typedef struct ProcessInfo {
        char comm[PROCESS_COMM_MAX];
        char unit[PROCESS_CGROUP_MAX];       /* "" when it is in none */
        bool has_pinned;
        uint64_t pinned;                     /* bytes that it may not be moved away from: VmPin */
} ProcessInfo;

/*
 * The process @pid that was there at @when_usec (CLOCK_REALTIME). Returns 0; -ESRCH when it is not there any
 * more, or another process has its number now; or a negative errno. @proc is the directory /proc.
 */
int process_info_read(int proc, pid_t pid, uint64_t when_usec, ProcessInfo *ret) _must_check_;
