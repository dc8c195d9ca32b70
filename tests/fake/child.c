/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sched.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "fake/assert.h"
#include "fake/child.h"

/* The child: says whether it is what it should be, and waits. */
static void child_main(int flags, int ready, int keep) {
        char c = flags == 0 || unshare(flags) >= 0;

        (void) !write(ready, &c, 1);
        (void) !read(keep, &c, 1);
        _exit(EXIT_SUCCESS);
}

bool child_start(Child *child, int flags) {
        int ready[2], keep[2];
        char c = 0;

        assert_ok(pipe2(ready, O_CLOEXEC));
        assert_ok(pipe2(keep, O_CLOEXEC));
        child->pid = fork();
        assert(child->pid >= 0);
        if (child->pid == 0) {
                close_fd(keep[1]);
                child_main(flags, ready[1], keep[0]);
        }

        close_fd(ready[1]);
        close_fd(keep[0]);
        child->keep = keep[1];
        assert_eq_int(read(ready[0], &c, 1), 1);
        close_fd(ready[0]);
        if (!c) {
                puts("not tried: this host does not let such namespaces be made");
                child_done(child);
                return false;
        }

        child->pidfd = pidfd_open(child->pid, 0);
        if (child->pidfd < 0 && errno == ENOSYS) {
                puts("not tried: there is no pidfd_open() here");
                child_done(child);
                return false;
        }
        assert(child->pidfd >= 0);
        return true;
}

void child_end(Child *child) {
        if (child->keep < 0)
                return;

        child->keep = close_fd(child->keep);
        assert_eq_int(waitpid(child->pid, /* wstatus= */ NULL, 0), child->pid);
}

void child_done(Child *child) {
        child_end(child);
        child->pidfd = close_fd(child->pidfd);
}
