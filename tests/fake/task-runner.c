/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "core/kernel.h"
#include "core/manager.h"
#include "fake/task-runner.h"

unsigned task_runner_take(TaskRunner *runner) {
        Task task;

        while (manager_next_task(runner->manager, &task)) {
                assert(runner->n_waiting < ELEMENTSOF(runner->waiting));
                runner->waiting[runner->n_waiting++] = task;
        }

        return runner->n_waiting;
}

void task_runner_run_one(TaskRunner *runner, unsigned i, ChangeSet *changes) {
        TaskResult result;
        Task task;

        assert(i < runner->n_waiting);
        task = runner->waiting[i];
        runner->n_waiting--;
        memmove(runner->waiting + i, runner->waiting + i + 1,
                (runner->n_waiting - i) * sizeof(*runner->waiting));

        /* whoever asks for more than this asks for ever */
        assert(runner->n_done < ELEMENTSOF(runner->done));

        if (runner->lose == 0 || !runner->lose_undone)
                task_run(&task, runner->kernel, &result);
        if (runner->lose > 0) {
                runner->lose--;
                result = (TaskResult) { .result = -EIO };
                kernel_failure(&result.failure, -EIO, "%s was lost", task.name);
        }
        task_done(&task);
        runner->done[runner->n_done++] = task;
        manager_task_done(runner->manager, &task, &result, changes);
}

bool task_runner_step(TaskRunner *runner, ChangeSet *changes) {
        unsigned n;

        n = task_runner_take(runner);
        if (n == 0)
                return false;

        task_runner_run_one(runner, runner->order == TASKS_OLDEST_FIRST ? 0 : n - 1, changes);
        return true;
}

void task_runner_run(TaskRunner *runner, ChangeSet *changes) {
        while (task_runner_step(runner, changes))
                ;
}

const Task *task_runner_find(TaskRunner *runner, const char *device) {
        task_runner_take(runner);
        for (unsigned i = 0; i < runner->n_waiting; i++)
                if (strcmp(runner->waiting[i].name, device) == 0)
                        return &runner->waiting[i];

        return NULL;
}
