/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>

#include "sys/worker-child.h"
#include "sys/worker.h"

/* How long a killed child may take to be gone before it counts as stuck in the kernel. */
#define GRACE_USEC (UINT64_C(500) * 1000)

/* When what has to be done is tried again, because there was no process for it. */
#define AGAIN_USEC (UINT64_C(200) * 1000)

typedef enum JobState {
        JOB_WAITING,                         /* for its delay */
        JOB_RUNNING,
        JOB_KILLED,                          /* had its time; its end is awaited */
        JOB_STUCK,                           /* reported as overdue; its end is awaited */
        /* helpers without a task */
        JOB_IDLE,                            /* waits for the next one */
        JOB_DISMISSED,                       /* its end is awaited */
} JobState;

/* A task and the process that runs it. */
typedef struct Job {
        Worker *worker;
        struct Job *next, **link;            /* in the worker's list */
        Task task;
        JobState state;
        WorkerChild child;
        sd_event_source *timer;              /* delay, then deadline, then grace, then leisure */
        sd_event_source *ended;
        sd_event_source *said;               /* only a helper's: the others end when they have said it */
} Job;

struct Worker {
        sd_event *event;
        const Kernel *kernel;                /* borrowed */
        WorkerFuncs funcs;
        void *userdata;
        Job *jobs;
};

static void job_link(Job *job) {
        job->next = job->worker->jobs;
        job->link = &job->worker->jobs;
        if (job->next)
                job->next->link = &job->next;
        job->worker->jobs = job;
}

static void job_unlink(Job *job) {
        if (!job->link)
                return;

        *job->link = job->next;
        if (job->next)
                job->next->link = job->link;
        job->link = NULL;
}

static Job *job_free(Job *job) {
        if (!job)
                return NULL;

        job_unlink(job);
        sd_event_source_disable_unref(job->timer);
        sd_event_source_disable_unref(job->ended);
        sd_event_source_disable_unref(job->said);
        worker_child_done(&job->child);
        task_done(&job->task);
        free(job);
        return NULL;
}

DEFINE_CLEANUP_FUNC(Job, job_free);

static bool job_has_task(const Job *job) {
        return job->state != JOB_IDLE && job->state != JOB_DISMISSED;
}

static void job_report(Job *job, const TaskResult *result) {
        job->worker->funcs.on_done(&job->task, result, job->worker->userdata);
}

/*
 * Reports a job that came to nothing. The call that failed is then the task itself, and @format what it did.
 */
_printf_(3, 4) static void job_report_failure(Job *job, int error, const char *format, ...) {
        TaskResult result = { .result = error };
        char how[sizeof(result.failure.call)];
        va_list ap;

        va_start(ap, format);
        vsnprintf(how, sizeof(how), format, ap);
        va_end(ap);

        kernel_failure(&result.failure, error, "%s of %s %s", task_kind_to_string(job->task.kind),
                job->task.name, how);
        job_report(job, &result);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

static int on_defer(sd_event_source *source, void *userdata) {
        return on_timer(source, /* usec= */ 0, userdata);
}

/* A timer may come as much later as it is accurate; in no time is the next thing that the loop does. */
static int job_set_timer(Job *job, uint64_t usec) {
        job->timer = sd_event_source_disable_unref(job->timer);
        if (usec == 0)
                return sd_event_add_defer(job->worker->event, &job->timer, on_defer, job);

        return sd_event_add_time_relative(job->worker->event, &job->timer, CLOCK_MONOTONIC, usec,
                                          /* accuracy= */ 1000, on_timer, job);
}

/* The child has ended: by itself, by our signal, by a fault. */
static int on_ended(sd_event_source *source, int pidfd, uint32_t revents, void *userdata) {
        _cleanup_(job_freep) Job *job = userdata;
        siginfo_t info = {};
        TaskResult result;

        if (waitid(P_PIDFD, (id_t) pidfd, &info, WEXITED | WNOHANG) < 0)
                info.si_status = 0;          /* reaped by somebody else; what it left still counts */

        job_unlink(job);                     /* the callbacks find the counters as they are from now on */

        if (!job_has_task(job))
                return 0;

        if (job->task.kind == TASK_CLOSE)
                job_report(job, &(const TaskResult) {});
        else if (worker_child_read(&job->child, &result) >= 0)
                job_report(job, &result);
        else if (job->state == JOB_KILLED || job->state == JOB_STUCK)
                job_report_failure(job, -ETIMEDOUT, "did not return within %g s and was stopped",
                        (double) job->task.timeout_usec / 1e6);
        else if (info.si_code == CLD_EXITED)
                job_report_failure(job, -EIO, "ended with status %d and no result", info.si_status);
        else
                job_report_failure(job, -EIO, "was ended by signal %d", info.si_status);

        return 0;
}

/* A helper that is of no use any more. Its end is awaited, so that it is reaped. */
static void job_dismiss(Job *job) {
        job->state = JOB_DISMISSED;
        (void) pidfd_send_signal(job->child.pidfd, SIGKILL, NULL, 0);
}

/* A helper is done with its task, and stays. */
static int on_said(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Job *job = userdata;
        TaskResult result;
        Task task;

        /* of one that has ended, or is being ended, that is seen otherwise, and what it has left is read */
        if (job->state != JOB_RUNNING || worker_child_read(&job->child, &result) < 0)
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);

        task = job->task;
        job->state = JOB_IDLE;
        if (job_set_timer(job, WORKER_LEISURE_USEC) < 0)
                job_dismiss(job);

        job->worker->funcs.on_done(&task, &result, job->worker->userdata);
        return 0;
}

/* One that has nothing to do, or a new one. */
static int job_run_in_helper(Job *job) {
        int r;

        for (Job *idle = job->worker->jobs; idle; idle = idle->next) {
                if (idle->state != JOB_IDLE)
                        continue;

                r = worker_helper_run(&idle->child, &job->task);
                if (r < 0) {
                        job_dismiss(idle);   /* somebody has ended it */
                        continue;
                }

                job->child = idle->child;
                idle->child = (WorkerChild) WORKER_CHILD_NULL;
                job_free(idle);
                return 0;
        }

        r = worker_helper_start(job->worker->kernel, &job->child);
        if (r < 0)
                return r;

        r = worker_helper_run(&job->child, &job->task);
        if (r < 0)
                (void) pidfd_send_signal(job->child.pidfd, SIGKILL, NULL, 0);
        return r;
}

static int job_fork(Job *job) {
        bool helper = worker_helper_can_run(&job->task);
        int r;

        r = helper ? job_run_in_helper(job)
                   : worker_child_start(&job->task, job->worker->kernel, &job->child);
        if (r < 0)
                return r;

        /* not sd_event_add_child_pidfd(): it insists on SIGCHLD being blocked, which this has no use for */
        r = sd_event_add_io(job->worker->event, &job->ended, job->child.pidfd, EPOLLIN, on_ended, job);
        if (r >= 0 && helper)
                r = sd_event_add_io(
                        job->worker->event, &job->said, job->child.result, EPOLLIN, on_said, job);
        if (r >= 0)
                r = job_set_timer(job, job->task.timeout_usec);
        if (r < 0) {
                /* nobody would notice its end or its deadline */
                (void) pidfd_send_signal(job->child.pidfd, SIGKILL, NULL, 0);
                return r;
        }

        job->state = JOB_RUNNING;
        return 0;
}

static void job_start(Job *job) {
        int r;

        r = job_fork(job);
        if (r >= 0)
                return;

        /* it can't be closed here, and not be left open either */
        if (job->task.kind == TASK_CLOSE && job->task.n_fds > 0 && job_set_timer(job, AGAIN_USEC) >= 0)
                return;

        job_unlink(job);
        job_report_failure(job, r, "could not be started in a process of its own");
        job_free(job);
}

static void job_kill(Job *job) {
        /*
         * Without the signal it is no worse off than one that does not die of it, and without the timer it
         * is reported at its end: both are looked after by what comes next.
         */
        (void) pidfd_send_signal(job->child.pidfd, SIGKILL, NULL, 0);
        (void) job_set_timer(job, GRACE_USEC);
        job->state = JOB_KILLED;
}

static void job_set_stuck(Job *job) {
        job->state = JOB_STUCK;
        job->worker->funcs.on_overdue(&job->task, job->worker->userdata);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Job *job = userdata;

        switch (job->state) {
        case JOB_WAITING:
                job_start(job);
                return 0;
        case JOB_RUNNING:
                job_kill(job);
                return 0;
        case JOB_KILLED:
                job_set_stuck(job);
                return 0;
        case JOB_IDLE:
                job_dismiss(job);
                return 0;
        case JOB_STUCK:
        case JOB_DISMISSED:
                break;
        }
        assert(!"a job whose end is awaited has no timer");
}

int worker_new(sd_event *event, const Kernel *kernel, const WorkerFuncs *funcs, void *userdata,
               Worker **ret) {
        Worker *worker;

        worker = malloc(sizeof(*worker));
        if (!worker)
                return -ENOMEM;

        *worker = (Worker) {
                .event = sd_event_ref(event),
                .kernel = kernel,
                .funcs = *funcs,
                .userdata = userdata,
        };
        *ret = worker;
        return 0;
}

Worker *worker_free(Worker *worker) {
        if (!worker)
                return NULL;

        while (worker->jobs) {
                Job *job = worker->jobs;

                if (job->state != JOB_WAITING)
                        (void) pidfd_send_signal(job->child.pidfd, SIGKILL, NULL, 0);
                job_free(job);
        }

        sd_event_unref(worker->event);
        free(worker);
        return NULL;
}

int worker_start(Worker *worker, Task *task) {
        _cleanup_(job_freep) Job *job = NULL;
        int r;

        job = malloc(sizeof(*job));
        if (!job)
                return -ENOMEM;

        *job = (Job) { .worker = worker, .task = *task, .child = WORKER_CHILD_NULL };
        job->task.n_fds = 0;

        r = job_set_timer(job, task->delay_usec);
        if (r < 0)
                return r;

        job->task.n_fds = task->n_fds;
        task->n_fds = 0;
        job_link(TAKE_PTR(job));
        return 0;
}

static unsigned worker_count(const Worker *worker, bool stuck) {
        unsigned n = 0;

        for (const Job *job = worker->jobs; job; job = job->next)
                n += job_has_task(job) && (job->state == JOB_STUCK) == stuck;

        return n;
}

unsigned worker_n_running(const Worker *worker) {
        return worker_count(worker, /* stuck= */ false);
}

unsigned worker_n_stuck(const Worker *worker) {
        return worker_count(worker, /* stuck= */ true);
}
