/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the descriptor of a process tells of it: its user namespace, its control group, and the unit and
 * slice of the system's service manager that this is in. All of it is read by the number of the process, and
 * counts only since the process was found to be alive afterwards: until then nobody else can have had the
 * number.
 *
 * It is true of this moment. Processes end and move, and so it has to be asked anew for each decision.
 */

#include <sys/types.h>

#include "core/forward.h"

/* Where it is read, and what does not change there as long as we live. */
typedef struct ProcessReader {
        int proc;                            /* /proc, borrowed */
        dev_t userns_dev;                    /* our own user namespace */
        ino_t userns_ino;
} ProcessReader;

/* A process, and its number, which can't change as long as it lives. */
typedef struct ProcessHandle {
        int pidfd;                           /* owned by whoever has the handle; -EBADF: there is none */
        pid_t pid;                           /* 0: not looked up yet */
} ProcessHandle;

#define PROCESS_HANDLE_NULL { .pidfd = -EBADF }

/* Returns 0 or a negative errno. */
int process_reader_init(ProcessReader *reader, int proc) _must_check_;

/*
 * Adds to @subject those of the facts @wanted (SubjectFacts) that can be found out, and says in its "known"
 * what that is. Returns 0 when it is everything, else the negative errno of the first thing that could not
 * be had: -EBADF when the descriptor is no process', -ESRCH when the process has ended (nothing is known of
 * it then).
 */
int process_facts_read(const ProcessReader *reader, ProcessHandle *handle, unsigned wanted,
                       Subject *subject) _must_check_;
