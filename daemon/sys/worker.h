/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Runs tasks in child processes, as many at once as there are: a rebind takes a tenth of a second and more,
 * and one that waits for somebody who has the device open never returns and can't be killed. The event loop
 * must not wait for either, and a child that hangs must hold nothing of ours: it has no descriptor but 0, 1,
 * 2, the pipe for its result, and what the task brings. Most children run one task. What is done to a
 * context is short, and a client wants one thing after the other: such a child waits a moment for the next,
 * without the descriptors of the one before, and one that had to be stopped is never asked again.
 */

#include <systemd/sd-event.h>

#include "core/task.h"

typedef struct Worker Worker;

/* How long a child that can have another task waits for it. */
#define WORKER_LEISURE_USEC (UINT64_C(1) * 1000 * 1000)

/*
 * Called from the event loop, never from within worker_start(). Either may start tasks; neither may free the
 * worker.
 */
typedef struct WorkerFuncs {
        /*
         * Exactly once for each task that was started, when its process has really ended. Everything is
         * borrowed for the call. When the task could not be run to its end, result->result is negative and
         * result->failure says why:
         * -ETIMEDOUT: it didn't return in its time and was killed.
         * -EIO:       its process ended without a result.
         * TASK_CLOSE is different: a process that has ended, however, has closed what it had, and one that
         * can't be started is tried again. It is done when this is called.
         */
        void (*on_done)(const Task *task, const TaskResult *result, void *userdata);

        /*
         * At most once before that: the task had its time and was killed, but its process does not even die.
         * It waits in the kernel for somebody who has the device open. worker_n_stuck() counts it from here
         * on.
         */
        void (*on_overdue)(const Task *task, void *userdata);
} WorkerFuncs;

/*
 * @kernel is borrowed; its slow verbs are called in the children, so they must not need any descriptor that
 * is open here. @event is borrowed too. SIGCHLD need not be blocked, but nobody else may reap the children
 * of this process.
 */
int worker_new(sd_event *event, const Kernel *kernel, const WorkerFuncs *funcs, void *userdata,
               Worker **ret) _must_check_;

/*
 * Ends what can be ended without waiting: tasks that have not begun are dropped, children that run are
 * killed and left to the process that reaps after us. No function is called any more.
 */
Worker *worker_free(Worker *worker);
DEFINE_CLEANUP_FUNC(Worker, worker_free);

/*
 * Copies @task and starts it after its delay. Returns 0 and has taken over the descriptors of the task, or a
 * negative errno and then the task is as if never asked for. What fails later, the fork included, comes
 * through on_done().
 */
int worker_start(Worker *worker, Task *task) _must_check_;

/* How many tasks wait for their delay or run; how many are overdue, with a process that does not end. */
unsigned worker_n_running(const Worker *worker);
unsigned worker_n_stuck(const Worker *worker);
