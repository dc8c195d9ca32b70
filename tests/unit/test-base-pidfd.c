/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which process a pidfd stands for, and that nothing else is taken for one. */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "fake/assert.h"
#include "fake/child.h"

static void test_process(void) {
        _cleanup_(child_done) Child child = CHILD_INIT;
        pid_t pid = 77;

        if (!child_start(&child, /* flags= */ 0))
                return;

        assert_ok(pidfd_get_pid(child.pidfd, &pid));
        assert_eq_int(pid, child.pid);

        child_end(&child);
        pid = 77;
        assert_eq_int(pidfd_get_pid(child.pidfd, &pid), -ESRCH);
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
        test_process();
        test_no_pidfd();
        return 0;
}
