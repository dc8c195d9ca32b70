/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A task: one slow thing that has to be done to one device, as data. The core asks for tasks and is told
 * their results; whoever runs them (daemon/sys/worker in child processes, the tests in place) calls
 * task_run().
 */

#include "core/dma-job.h"
#include "core/forward.h"
#include "core/kernel.h"

typedef enum TaskKind {
        TASK_SET_DRIVER,                     /* KernelOps.set_driver */
        TASK_PROVE_FREE,                     /* KernelOps.prove_free */
        TASK_KILL_HOLDER,                    /* KernelOps.kill_holder */
        TASK_BIND,                           /* KernelOps.bind_device, of both descriptors */
        /*
         * KernelOps.close_device, of TASK_FD_DEVICE: the last close of it happens there, after the service
         * manager has closed its own. It can take long; it can't fail. Without a subsystem it is no device
         * that is known, and the name is what the service manager called it.
         */
        TASK_CLOSE,
        TASK_DMA,                            /* dma_job_run() with the descriptors of the job */
        _TASK_KIND_MAX,
        _TASK_KIND_INVALID = -EINVAL,
} TaskKind;

DECLARE_STRING_TABLE(task_kind, TaskKind);

/* The descriptors of a task, by what they are. */
typedef enum TaskFd {
        TASK_FD_DEVICE,                      /* a VFIO character device */
        TASK_FD_IOMMUFD,
        /* those of a DmaJob: the context and the devices */
        _TASK_FD_MAX = 1 + LIMIT_CONTEXT_DEVICES,
} TaskFd;

struct Task {
        uint64_t id;                         /* the core's, unique for its life */
        TaskKind kind;
        char subsystem[16];
        char name[KERNEL_NAME_MAX];          /* the device */
        char driver[KERNEL_NAME_MAX];        /* TASK_SET_DRIVER: the driver to have, "" for none */
        char driver_override[KERNEL_NAME_MAX];
        PowerControl power;                  /* TASK_SET_DRIVER likewise */
        pid_t pid;                           /* TASK_KILL_HOLDER: the process to be ended */
        const DmaJob *job;                   /* TASK_DMA: borrowed until it is done */
        bool probe;                          /* TASK_PROVE_FREE: and what its IOMMU has is found out */
        uint64_t delay_usec;                 /* to be started so much later */
        uint64_t timeout_usec;               /* and then to be done in this time */
        /*
         * The first so many of them are there, and owned by the task: they go with it from the core to who
         * runs it, who closes them here as soon as the child has them.
         */
        int fds[_TASK_FD_MAX];
        unsigned n_fds;
};

/* Small enough to go through a pipe in one write (PIPE_BUF). */
struct TaskResult {
        /* what the verb returned: 0, a named outcome of it, a negative errno */
        int result;
        KernelFailure failure;               /* when result is negative or PROVE_RESET_FAILED */
        union {
                Holders holders;             /* of TASK_PROVE_FREE, when result is PROVE_HELD */
                HwInfo info;                 /* of TASK_PROVE_FREE, when it is anything else */
                uint32_t device_id;          /* of TASK_BIND: the device's, in the context */
                DmaResult dma;               /* of TASK_DMA */
        };
};

/* Gives the task a duplicate of the next of its descriptors. Returns 0 or a negative errno. */
int task_add_fd(Task *task, int fd) _must_check_;

/* The same with the descriptor itself, which is the task's from here on. */
void task_add_fd_consume(Task *task, int fd);

/* Closes what descriptors the task has left. */
void task_done(Task *task);

/*
 * Calls the verb that the task stands for. Blocks as long as it does. The descriptor that TASK_CLOSE closes
 * is the task's no more.
 */
void task_run(Task *task, const Kernel *kernel, TaskResult *ret);
