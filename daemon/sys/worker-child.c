/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/fd-store.h"
#include "sys/worker-child.h"

/* Where the child has its end of the pipe, what it begins on, and the descriptors of its task. */
#define RESULT_FD 3
#define GATE_FD 4
#define TASK_FD 5
#define END_FD (TASK_FD + _TASK_FD_MAX)

static_assert(sizeof(TaskResult) <= PIPE_BUF, "a result must go into a pipe whole");

/* Two steps: where it has to go, something else may be. */
static void child_move_fd(int *fd, int target) {
        if (dup2(*fd, target) < 0)
                _exit(EXIT_FAILURE);
        *fd = target;
}

static void child_move_away(int *fd) {
        *fd = fcntl(*fd, F_DUPFD, END_FD);
        if (*fd < 0)
                _exit(EXIT_FAILURE);
}

/*
 * A child can hang in the kernel for as long as a stranger likes. Whatever it has open lives as long: a
 * lease's lifeline would not hang up, a device would not get free, the bus would not see us go. So it keeps
 * nothing but what its task is about.
 */
static void child_drop_fds(Task *task, int result, int gate) {
        int *fds[END_FD - RESULT_FD] = { &result, &gate };
        int next = TASK_FD;

        for (unsigned i = 0; i < task->n_fds; i++)
                fds[next++ - RESULT_FD] = &task->fds[i];

        for (int i = RESULT_FD; i < next; i++)
                child_move_away(fds[i - RESULT_FD]);
        for (int i = RESULT_FD; i < next; i++)
                child_move_fd(fds[i - RESULT_FD], i);

        if (close_range((unsigned) next, UINT_MAX, 0) < 0)
                _exit(EXIT_FAILURE);
}

/*
 * Waits until the daemon has closed what it gave us, and, where it has taken that out of its store, the
 * service manager too: neither is to be who closes a device for the last time.
 */
static void child_wait(const Task *task) {
        char nothing;

        while (read(GATE_FD, &nothing, sizeof(nothing)) < 0 && errno == EINTR)
                ;
        (void) close_fd(GATE_FD);

        if (task->kind == TASK_CLOSE)
                fd_store_wait();
}

/*
 * A child does not outlive the daemon if that can be helped. Nobody would read its result, and a daemon that
 * starts again takes the host as it finds it: a child of the one before that still moves devices would work
 * against it. Being stopped between two writes is no harm, each verb can be repeated from any state that it
 * can leave.
 */
static void child_follow(pid_t parent) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                _exit(EXIT_FAILURE);
}

_Noreturn static void child_run(
        Task *task, const Kernel *kernel, int result_fd, int gate_fd, pid_t parent) {
        TaskResult result;
        sigset_t none;

        child_drop_fds(task, result_fd, gate_fd);
        child_follow(parent);

        /* the event loop takes its signals from a descriptor and has them blocked */
        sigemptyset(&none);
        if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
                _exit(EXIT_FAILURE);

        (void) prctl(PR_SET_NAME, "iommud-task");       /* for who looks at the list of processes */

        child_wait(task);
        memset(&result, 0, sizeof(result));
        task_run(task, kernel, &result);

        /* no exit handlers, no flushing: all that is the parent's */
        _exit(write(RESULT_FD, &result, sizeof(result)) == sizeof(result) ? EXIT_SUCCESS : EXIT_FAILURE);
}

int worker_child_start(Task *task, const Kernel *kernel, WorkerChild *ret) {
        int ends[2], gate[2], pidfd, r;
        pid_t parent = getpid(), pid;

        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;

        _cleanup_close_ int ours = ends[0], theirs = ends[1];

        if (pipe2(gate, O_CLOEXEC) < 0)
                return -errno;

        /* nothing is ever written: the child begins when this end is closed */
        _cleanup_close_ int gate_theirs = gate[0];
        _unused_ _cleanup_close_ int gate_ours = gate[1];

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                child_run(task, kernel, theirs, gate_theirs, parent);

        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0) {
                r = -errno;
                /* no way to learn of its end without blocking, so it must not be; it has not begun */
                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, WNOHANG);
                return r;
        }

        task_done(task);
        *ret = (WorkerChild) { .pid = pid, .pidfd = pidfd, .result = TAKE_FD(ours) };
        return 0;
}

int worker_child_read(const WorkerChild *child, TaskResult *ret) {
        TaskResult result;

        if (read(child->result, &result, sizeof(result)) != sizeof(result))
                return -EIO;

        *ret = result;
        return 0;
}

void worker_child_done(WorkerChild *child) {
        child->pidfd = close_fd(child->pidfd);
        child->result = close_fd(child->result);
}
