/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A task: one slow thing that has to be done to one device, as data. The core asks for tasks and is told
 * their results; whoever runs them (daemon/sys/worker in child processes, the tests in place) calls
 * task_run().
 */

#include "core/forward.h"
#include "core/kernel.h"

typedef enum TaskKind {
        TASK_SET_DRIVER,                     /* KernelOps.set_driver */
        TASK_PROVE_FREE,                     /* KernelOps.prove_free */
        _TASK_KIND_MAX,
        _TASK_KIND_INVALID = -EINVAL,
} TaskKind;

DECLARE_STRING_TABLE(task_kind, TaskKind);

struct Task {
        uint64_t id;                         /* the core's, unique for its life */
        TaskKind kind;
        char subsystem[16];
        char name[KERNEL_NAME_MAX];          /* the device */
        char driver[KERNEL_NAME_MAX];        /* TASK_SET_DRIVER: the driver to have, "" for none */
        char driver_override[KERNEL_NAME_MAX];
        uint64_t delay_usec;                 /* to be started so much later */
        uint64_t timeout_usec;               /* and then to be done in this time */
};

/* Small enough to go through a pipe in one write (PIPE_BUF). */
struct TaskResult {
        /* what the verb returned: 0, a named outcome of it, a negative errno */
        int result;
        KernelFailure failure;               /* when result is negative or PROVE_RESET_FAILED */
        Holders holders;                     /* when result is PROVE_HELD */
};

/* Calls the verb that the task stands for. Blocks as long as it does. */
void task_run(const Task *task, const Kernel *kernel, TaskResult *ret);
