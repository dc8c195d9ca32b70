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
#include "sys/worker-child.h"

/* Where the child has its end of the pipe. */
#define RESULT_FD 3

static_assert(sizeof(TaskResult) <= PIPE_BUF, "a result must go into a pipe whole");

/*
 * A child can hang in the kernel for as long as a stranger likes. Whatever it has open lives as long: a
 * lease's lifeline would not hang up, a device would not get free, the bus would not see us go. So it keeps
 * nothing.
 */
static void child_drop_fds(int result) {
        if (result != RESULT_FD && dup2(result, RESULT_FD) < 0)
                _exit(EXIT_FAILURE);
        if (close_range(RESULT_FD + 1, UINT_MAX, 0) < 0)
                _exit(EXIT_FAILURE);
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

_Noreturn static void child_run(const Task *task, const Kernel *kernel, int result_fd, pid_t parent) {
        TaskResult result;
        sigset_t none;

        child_drop_fds(result_fd);
        child_follow(parent);

        /* the event loop takes its signals from a descriptor and has them blocked */
        sigemptyset(&none);
        if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
                _exit(EXIT_FAILURE);

        (void) prctl(PR_SET_NAME, "iommud-task");       /* for who looks at the list of processes */

        memset(&result, 0, sizeof(result));
        task_run(task, kernel, &result);

        /* no exit handlers, no flushing: all that is the parent's */
        _exit(write(RESULT_FD, &result, sizeof(result)) == sizeof(result) ? EXIT_SUCCESS : EXIT_FAILURE);
}

int worker_child_start(const Task *task, const Kernel *kernel, WorkerChild *ret) {
        int ends[2], pidfd, r;
        pid_t parent = getpid(), pid;

        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;

        _cleanup_close_ int ours = ends[0], theirs = ends[1];

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                child_run(task, kernel, theirs, parent);

        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0) {
                r = -errno;
                /* no way to learn of its end without blocking, so it must not be; it has hardly begun */
                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, WNOHANG);
                return r;
        }

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
