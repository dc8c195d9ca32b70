/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "core/task.h"

static const char *const task_kind_table[] = {
        [TASK_SET_DRIVER] = "change of the driver",
        [TASK_PROVE_FREE] = "trial",
};

DEFINE_STRING_TABLE(task_kind, TaskKind, _TASK_KIND_MAX);

void task_run(const Task *task, const Kernel *kernel, TaskResult *ret) {
        *ret = (TaskResult) {};

        switch (task->kind) {

        case TASK_SET_DRIVER:
                ret->result = kernel->ops->set_driver(kernel->userdata, task->subsystem, task->name,
                        task->driver, task->driver_override, &ret->failure);
                return;

        case TASK_PROVE_FREE:
                ret->result = kernel->ops->prove_free(
                        kernel->userdata, task->subsystem, task->name, &ret->holders, &ret->failure);
                return;

        case _TASK_KIND_MAX:
        case _TASK_KIND_INVALID:
                break;
        }

        assert(false);
}
