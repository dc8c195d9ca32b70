/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which process a pidfd stands for, and that nothing else is taken for one. */

#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "fake/assert.h"

static void test_alive(void) {
        _cleanup_close_ int fd = -EBADF;
        pid_t pid = -1;

        fd = assert_ok(pidfd_open(getpid(), 0));
        assert_ok(pidfd_get_pid(fd, &pid));
        assert_eq_int(pid, getpid());
}

static void test_dead(void) {
        _cleanup_close_ int fd = -EBADF;
        pid_t child, pid = 77;

        child = fork();
        assert(child >= 0);
        if (child == 0)
                _exit(0);

        fd = assert_ok(pidfd_open(child, 0));
        assert_eq_int(waitpid(child, NULL, 0), child);
        assert_eq_int(pidfd_get_pid(fd, &pid), -ESRCH);
        assert_eq_int(pid, 77);
}

static void test_no_pidfd(void) {
        _cleanup_close_ int null = -EBADF, proc = -EBADF;
        int pipes[2];
        pid_t pid;

        null = assert_ok(open("/dev/null", O_RDONLY | O_CLOEXEC));
        proc = assert_ok(open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));
        assert_ok(pipe2(pipes, O_CLOEXEC));

        assert_eq_int(pidfd_get_pid(null, &pid), -EBADF);
        assert_eq_int(pidfd_get_pid(proc, &pid), -EBADF);
        assert_eq_int(pidfd_get_pid(pipes[0], &pid), -EBADF);
        assert_eq_int(pidfd_get_pid(-EBADF, &pid), -EBADF);

        close_fd(pipes[0]);
        close_fd(pipes[1]);
        assert_eq_int(pidfd_get_pid(pipes[0], &pid), -EBADF);
}

int main(void) {
        test_alive();
        test_dead();
        test_no_pidfd();
        return 0;
}
