/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Runs the manager's tasks in place, one at a time, in an order of the test's choice. Delays are not waited
 * for; what ran is kept to be looked at.
 */

#include "core/change.h"
#include "core/task.h"

typedef enum TaskOrder {
        TASKS_OLDEST_FIRST,
        TASKS_NEWEST_FIRST,
        _TASK_ORDER_MAX,
} TaskOrder;

typedef struct TaskRunner {
        Manager *manager;                    /* borrowed */
        const Kernel *kernel;                /* borrowed */
        TaskOrder order;
        Task waiting[32];                    /* taken from the manager and not run yet, oldest first */
        unsigned n_waiting;
        Task done[1024];                     /* in the order in which they ran */
        unsigned n_done;
        unsigned lose;                       /* so many tasks run from here on, and nobody hears of it */
        bool lose_undone;                    /* they do not even run */
} TaskRunner;

/* Takes over what the manager has queued. Returns how many are waiting now. */
unsigned task_runner_take(TaskRunner *runner);

/* Runs the waiting task of that number, and tells the manager. */
void task_runner_run_one(TaskRunner *runner, unsigned i, ChangeSet *changes);

/* Runs one task in the runner's order. False: there was none. */
bool task_runner_step(TaskRunner *runner, ChangeSet *changes);

/* Runs all tasks, and those that come of them, until none is left. */
void task_runner_run(TaskRunner *runner, ChangeSet *changes);

/* The waiting task for a device, or NULL. */
const Task *task_runner_find(TaskRunner *runner, const char *device);
