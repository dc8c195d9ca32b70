/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd-pass.h"
#include "base/fd.h"
#include "sys/fd-store.h"
#include "sys/worker-child.h"

/* Where the child has its end of the pipe, what it begins on, and the descriptors of its task. */
#define RESULT_FD 3
#define GATE_FD 4
#define TASK_FD 5
#define END_FD (TASK_FD + _TASK_FD_MAX)

/* What children are called. */
#define TASK_NAME "iommud-task"
#define IDLE_NAME "iommud-idle"

static_assert(sizeof(TaskResult) <= PIPE_BUF, "a result must go into a pipe whole");
static_assert(_TASK_FD_MAX <= FD_PASS_MAX, "all descriptors of a task must go with one message");

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

/* The event loop takes its signals from a descriptor and has them blocked. */
static void child_unblock_signals(void) {
        sigset_t none;

        sigemptyset(&none);
        if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
                _exit(EXIT_FAILURE);
}

/* For who looks at the list of processes. */
static void child_set_name(const char *name) {
        (void) prctl(PR_SET_NAME, name);
}

_Noreturn static void child_run(
        Task *task, const Kernel *kernel, int result_fd, int gate_fd, pid_t parent) {
        TaskResult result;

        child_drop_fds(task, result_fd, gate_fd);
        child_follow(parent);
        child_unblock_signals();
        child_set_name(TASK_NAME);

        child_wait(task);
        memset(&result, 0, sizeof(result));
        task_run(task, kernel, &result);

        /* no exit handlers, no flushing: all that is the parent's */
        _exit(write(RESULT_FD, &result, sizeof(result)) == sizeof(result) ? EXIT_SUCCESS : EXIT_FAILURE);
}

static pid_t fork_child(int *ret_pidfd) {
        int pidfd, r;
        pid_t pid;

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                return 0;

        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0) {
                r = -errno;
                /* no way to learn of its end without blocking, so it must not be; it has not begun */
                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, WNOHANG);
                return r;
        }

        *ret_pidfd = pidfd;
        return pid;
}

int worker_child_start(Task *task, const Kernel *kernel, WorkerChild *ret) {
        int ends[2], gate[2], pidfd;
        pid_t parent = getpid(), pid;

        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;

        _cleanup_close_ int ours = ends[0], theirs = ends[1];

        if (pipe2(gate, O_CLOEXEC) < 0)
                return -errno;

        /* nothing is ever written: the child begins when this end is closed */
        _cleanup_close_ int gate_theirs = gate[0];
        _unused_ _cleanup_close_ int gate_ours = gate[1];

        pid = fork_child(&pidfd);
        if (pid < 0)
                return pid;
        if (pid == 0)
                child_run(task, kernel, theirs, gate_theirs, parent);

        task_done(task);
        *ret = (WorkerChild) { .pid = pid, .pidfd = pidfd, .result = TAKE_FD(ours) };
        return 0;
}

/* ---- helpers */

bool worker_helper_can_run(const Task *task) {
        return task->kind == TASK_DMA && dma_job_is_whole(task->job);
}

/* The last copies are not ours: the daemon has all that a job gets as long as it runs. */
static void helper_run_task(const Kernel *kernel, Task *task) {
        TaskResult result;

        memset(&result, 0, sizeof(result));
        task_run(task, kernel, &result);
        task_done(task);
        child_set_name(IDLE_NAME);

        if (send(RESULT_FD, &result, sizeof(result), MSG_NOSIGNAL) != sizeof(result))
                _exit(EXIT_FAILURE);
}

_Noreturn static void helper_run(const Kernel *kernel, int socket, pid_t parent) {
        child_move_away(&socket);
        child_move_fd(&socket, RESULT_FD);
        if (close_range(RESULT_FD + 1, UINT_MAX, 0) < 0)
                _exit(EXIT_FAILURE);
        child_follow(parent);
        child_unblock_signals();

        for (;;) {
                DmaJob job;
                Task task = { .kind = TASK_DMA, .job = &job };
                int r;

                r = fd_pass_receive(
                        RESULT_FD, &job, sizeof(job), task.fds, ELEMENTSOF(task.fds), &task.n_fds);
                if (r != FD_PASS_MESSAGE)
                        _exit(r == _FD_PASS_END ? EXIT_SUCCESS : EXIT_FAILURE);

                child_set_name(TASK_NAME);
                helper_run_task(kernel, &task);
        }
}

int worker_helper_start(const Kernel *kernel, WorkerChild *ret) {
        pid_t parent = getpid(), pid;
        int ends[2], pidfd;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;

        _cleanup_close_ int ours = ends[0];
        _unused_ _cleanup_close_ int theirs = ends[1];

        if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
                return -errno;

        pid = fork_child(&pidfd);
        if (pid < 0)
                return pid;
        if (pid == 0)
                helper_run(kernel, theirs, parent);

        *ret = (WorkerChild) { .pid = pid, .pidfd = pidfd, .result = TAKE_FD(ours) };
        return 0;
}

int worker_helper_run(const WorkerChild *helper, Task *task) {
        int r;

        assert(worker_helper_can_run(task));

        r = fd_pass_send(helper->result, task->job, sizeof(*task->job), task->fds, task->n_fds);
        if (r < 0)
                return r;

        task_done(task);
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
