/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One fault of a daemon that runs with fault points (base/fault.h), for a case that looks itself what comes
 * of it.
 *
 *     fault-plan FILE kill|fail|starve N   the N-th from now on
 *     fault-plan FILE end                  no more of them; "fault", or "none" when there was none
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "base/fd.h"
#include "base/parse.h"

static bool was_fault(const volatile FaultPlan *plan) {
        return (plan->fail_at > 0 && plan->count >= plan->fail_at) || plan->n_starved > 0 ||
               (plan->kill_at == 0 && plan->fail_errno == ESRCH);
}

/* The daemon's own number stays. What marks a plan to kill is an errno that nothing else has. */
static void plan_set(volatile FaultPlan *plan, uint32_t kill_at, uint32_t fail_at, uint32_t starve_at) {
        plan->kill_at = plan->fail_at = plan->starve_at = plan->n_starved = 0;
        plan->fail_errno = kill_at > 0 ? ESRCH : EIO;
        __atomic_store_n(&plan->count, 0, __ATOMIC_SEQ_CST);
        plan->kill_at = kill_at;
        plan->fail_at = fail_at;
        plan->starve_records = 1;
        plan->starve_at = starve_at;
}

int main(int argc, char *argv[]) {
        _cleanup_close_ int fd = -EBADF;
        volatile FaultPlan *plan;
        uint32_t n = 0;
        void *p;

        if (argc < 3 || argc > 4 || (argc == 4 && (parse_u32(argv[3], &n) < 0 || n == 0)))
                return 2;

        fd = open(argv[1], O_RDWR | O_CLOEXEC);
        if (fd < 0) {
                perror(argv[1]);
                return EXIT_FAILURE;
        }
        p = mmap(NULL, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                return EXIT_FAILURE;
        plan = p;

        if (argc == 3 && strcmp(argv[2], "end") == 0) {
                puts(was_fault(plan) ? "fault" : "none");
                plan_set(plan, 0, 0, 0);
        } else if (argc == 4 && strcmp(argv[2], "kill") == 0)
                plan_set(plan, n, 0, 0);
        else if (argc == 4 && strcmp(argv[2], "fail") == 0)
                plan_set(plan, 0, n, 0);
        else if (argc == 4 && strcmp(argv[2], "starve") == 0)
                plan_set(plan, 0, 0, n);
        else
                return 2;

        return EXIT_SUCCESS;
}
