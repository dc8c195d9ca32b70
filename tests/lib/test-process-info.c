/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is said of a process, and that another one with its number is not taken for it. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "process-info.h"

int main(void) {
        _cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        ProcessInfo info = {};
        struct timespec now;
        uint64_t now_usec;

        assert(proc >= 0);
        /* a name that looks like the fields after it */
        assert(prctl(PR_SET_NAME, "a) R 1 1 1") == 0);
        assert(clock_gettime(CLOCK_REALTIME, &now) == 0);
        now_usec = (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;

        assert(process_info_read(proc, getpid(), now_usec, &info) == 0);
        assert(strcmp(info.comm, "a) R 1 1 1") == 0);
        assert(info.has_pinned && info.pinned == 0);

        /* a lease of ten seconds before it was there can't be its own */
        assert(process_info_read(proc, getpid(), now_usec - 60 * 1000000, &info) == -ESRCH);
        assert(process_info_read(proc, 0x7fffffff, now_usec, &info) == -ESRCH);
        return 0;
}
