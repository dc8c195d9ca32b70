/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A look through /proc: which processes there are, and what nodes of devices they have open. What a process
 * got at without a descriptor of its own can't be seen here: memory that it has mapped, a descriptor on its
 * way through a socket.
 */

#include <sys/types.h>

#include "base/macro.h"

/* One of the processes, during a visit. */
typedef struct Process {
        int proc;                            /* the directory /proc; borrowed */
        const char *name;                    /* below it, "712"; borrowed */
        pid_t pid;
} Process;

typedef int (*ProcessFunc)(const Process *process, void *userdata);

/*
 * Calls @func for every process but our own. @path below @dir is /proc. A return value that isn't 0 ends the
 * visit and is its result, except for an error that says that the process has ended: it is passed over then.
 * Returns 0, what @func returned, or the negative errno of reading /proc.
 */
int process_visit_all(int dir, const char *path, ProcessFunc func, void *userdata) _must_check_;

/* The node of a device that a process has open. */
typedef struct OpenNode {
        const char *fd;                      /* the number of the descriptor, "17"; borrowed */
        mode_t type;                         /* S_IFCHR or S_IFBLK */
        dev_t number;
} OpenNode;

typedef int (*OpenNodeFunc)(const Process *process, const OpenNode *node, void *userdata);

/*
 * Calls @func for every node of a device that the process has open, until it returns something that isn't 0.
 * Returns that, 0, or a negative errno: -EACCES when we may not look into the process. (For those of other
 * users this takes CAP_SYS_PTRACE.)
 */
int process_visit_nodes(const Process *process, OpenNodeFunc func, void *userdata) _must_check_;

#define PROCESS_COMM_MAX 16

/*
 * Its name, with "?" for whatever is no plain text, since it can call itself what it likes; "" when it has
 * ended. @ret is of PROCESS_COMM_MAX bytes.
 */
void process_read_comm(const Process *process, char *ret);

/*
 * Its control group, as a path below the mount of the hierarchy that services are in. @ret is of @size
 * bytes. Returns 0, or a negative errno: -ENODATA when it is in none, -E2BIG when the path is longer: what
 * is cut off would be another group's.
 */
int process_get_cgroup(const Process *process, char *ret, size_t size) _must_check_;

/* Room for the long names that containers have. */
#define PROCESS_CGROUP_MAX 224

/*
 * The same for people: made plain like the name, "" when it can't be had. @ret is of PROCESS_CGROUP_MAX
 * bytes.
 */
void process_read_cgroup(const Process *process, char *ret);
