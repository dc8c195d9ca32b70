/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The child's side of a worker.
 */

#include "core/task.h"

/* A process that runs a task, or one task after the other. The caller owns both descriptors. */
typedef struct WorkerChild {
        pid_t pid;
        int pidfd;
        int result;                          /* to be read, nonblocking: one TaskResult or nothing */
} WorkerChild;

#define WORKER_CHILD_NULL { .pid = 0, .pidfd = -EBADF, .result = -EBADF }

/*
 * Starts a child that runs @task, and has its descriptors from then on: they are closed here, before the
 * child begins, so that the last close is not ours. Returns 0 or a negative errno; there is no child then,
 * and the task has its descriptors still.
 */
int worker_child_start(Task *task, const Kernel *kernel, WorkerChild *ret) _must_check_;

/*
 * A helper: a child that outlives its tasks, for those that are short and come one behind the other, so that
 * not each pays for a process. It has nothing open but while it runs one, and is as good as new after it.
 */
bool worker_helper_can_run(const Task *task);

/* Starts one, which waits for a task. Returns 0 or a negative errno. */
int worker_helper_start(const Kernel *kernel, WorkerChild *ret) _must_check_;

/*
 * Gives it a task, and the descriptors with it. Returns 0 or a negative errno; the task has its descriptors
 * still then, and the helper is of no use any more.
 */
int worker_helper_run(const WorkerChild *helper, Task *task) _must_check_;

/* What the child has said. Returns 0, or -EIO when it is no whole result. */
int worker_child_read(const WorkerChild *child, TaskResult *ret) _must_check_;

/* Closes the descriptors. The process, if it is still there, goes on. */
void worker_child_done(WorkerChild *child);
