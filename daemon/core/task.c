/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/fd.h"
#include "core/task.h"

static const char *const task_kind_table[] = {
        [TASK_SET_DRIVER] = "change of the driver",
        [TASK_PROVE_FREE] = "trial",
        [TASK_KILL_HOLDER] = "end of a holder",
        [TASK_BIND] = "binding to iommufd",
        [TASK_CLOSE] = "close",
        [TASK_DMA] = "work on a domain",
};

DEFINE_STRING_TABLE(task_kind, TaskKind, _TASK_KIND_MAX);

int task_add_fd(Task *task, int fd) {
        int copy;

        copy = fd_dup(fd);
        if (copy < 0)
                return copy;

        task_add_fd_consume(task, copy);
        return 0;
}

void task_add_fd_consume(Task *task, int fd) {
        assert(fd >= 0 && task->n_fds < ELEMENTSOF(task->fds));

        task->fds[task->n_fds++] = fd;
}

void task_done(Task *task) {
        while (task->n_fds > 0)
                close_fd(task->fds[--task->n_fds]);
}

/* Of the two that it may fill, the result has room for one. */
static void task_run_prove_free(const Task *task, const Kernel *kernel, TaskResult *ret) {
        Holders holders = {};
        HwInfo info = {};

        ret->result = kernel->ops->prove_free(kernel->userdata, task->subsystem, task->name, &holders,
                                              task->probe ? &info : NULL, &ret->failure);
        if (ret->result == PROVE_HELD)
                ret->holders = holders;
        else
                ret->info = info;
}

void task_run(Task *task, const Kernel *kernel, TaskResult *ret) {
        *ret = (TaskResult) {};

        switch (task->kind) {

        case TASK_SET_DRIVER:
                ret->result = kernel->ops->set_driver(kernel->userdata, task->subsystem, task->name,
                        task->driver, task->driver_override, task->power, &ret->failure);
                return;

        case TASK_PROVE_FREE:
                task_run_prove_free(task, kernel, ret);
                return;

        case TASK_BIND:
                assert(task->n_fds > TASK_FD_IOMMUFD);
                ret->result = kernel->ops->bind_device(kernel->userdata, task->subsystem, task->name,
                        task->fds[TASK_FD_DEVICE], task->fds[TASK_FD_IOMMUFD], &ret->device_id,
                        &ret->failure);
                return;

        case TASK_CLOSE:
                assert(task->n_fds == 1);
                task->n_fds = 0;
                kernel->ops->close_device(
                        kernel->userdata, task->subsystem, task->name, task->fds[TASK_FD_DEVICE]);
                return;

        case TASK_DMA:
                ret->result = dma_job_run(
                        task->job, kernel, task->fds, task->n_fds, &ret->dma, &ret->failure);
                return;

        case TASK_KILL_HOLDER:
                ret->result = kernel->ops->kill_holder(
                        kernel->userdata, task->subsystem, task->name, task->pid, &ret->failure);
                return;

        case _TASK_KIND_MAX:
        case _TASK_KIND_INVALID:
                break;
        }

        assert(false);
}
