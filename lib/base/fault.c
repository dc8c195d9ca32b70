/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fd.h"
#include "base/parse.h"

/* The one global of this program, and only where tests are being made. */
static FaultPlan *plan;

void fault_init(void) {
        const char *path = getenv("IOMMUD_FAULT_FILE");
        _cleanup_close_ int fd = -EBADF;
        void *p;

        if (!path)
                return;

        fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return;

        p = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                return;

        plan = p;
        plan->pid = (uint32_t) getpid();
}

int fault_point(void) {
        uint32_t n;

        if (!plan)
                return 0;

        n = __atomic_add_fetch(&plan->count, 1, __ATOMIC_SEQ_CST);

        if (n == plan->kill_at) {
                plan->kill_at = 0;           /* the next daemon lives */
                (void) kill((pid_t) plan->pid, SIGKILL);
                /* a child goes with it, as it does when the service manager ends the unit */
                (void) raise(SIGKILL);
        }

        return n == plan->fail_at ? -(int) plan->fail_errno : 0;
}

int fault_span_begin(bool record) {
        int fd;

        if (!plan || plan->starve_at == 0 || (record && !plan->starve_records))
                return -EBADF;

        fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
        if (fd >= 0)
                (void) dprintf(fd, "%u", plan->starve_at);
        return fd;
}

void fault_span_end(int *span) {
        char text[16];
        uint32_t left;
        ssize_t n;

        if (*span < 0)
                return;

        /* how many more there would have had to be; that is for the next span */
        n = pread(*span, text, sizeof(text) - 1, 0);
        (void) pwrite(*span, "0", 1, 0);
        if (n > 0) {
                text[n] = '\0';
                text[strcspn(text, "\n")] = '\0';
                if (parse_u32(text, &left) >= 0) {
                        plan->starve_at = left;
                        plan->n_starved += left == 0;
                }
        }

        *span = close_fd(*span);
}
