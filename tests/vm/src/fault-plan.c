/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sets and reads the plan of faults of a daemon that was built with fault points, see base/fault.h.
 *
 *     fault-plan FILE reset             nothing fails; counting begins anew. Makes the file if need be.
 *     fault-plan FILE kill N            the N-th point from now on kills the daemon
 *     fault-plan FILE fail N ERRNO      the N-th point from now on fails
 *     fault-plan FILE count             prints how many points were passed
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fd.h"
#include "base/parse.h"

/* The daemon's own number stays: it is written there once, when it starts. */
static void plan_set(FaultPlan *plan, uint32_t kill_at, uint32_t fail_at, uint32_t error) {
        plan->kill_at = plan->fail_at = 0;
        plan->fail_errno = error;
        __atomic_store_n(&plan->count, 0, __ATOMIC_SEQ_CST);
        plan->kill_at = kill_at;
        plan->fail_at = fail_at;
}

static int plan_open(const char *path, FaultPlan **ret) {
        _cleanup_close_ int fd = -EBADF;
        void *p;

        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || ftruncate(fd, sizeof(FaultPlan)) < 0)
                return -errno;

        p = mmap(NULL, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                return -errno;

        *ret = p;
        return 0;
}

int main(int argc, char *argv[]) {
        uint32_t n, error;
        FaultPlan *plan = NULL;
        int r;

        if (argc < 3)
                return 2;

        r = plan_open(argv[1], &plan);
        if (r < 0) {
                fprintf(stderr, "%s: %s\n", argv[1], strerrordesc_np(-r));
                return EXIT_FAILURE;
        }

        if (argc == 3 && strcmp(argv[2], "reset") == 0)
                plan_set(plan, 0, 0, 0);
        else if (argc == 3 && strcmp(argv[2], "count") == 0)
                printf("%u\n", __atomic_load_n(&plan->count, __ATOMIC_SEQ_CST));
        else if (argc == 4 && strcmp(argv[2], "kill") == 0 && parse_u32(argv[3], &n) >= 0)
                plan_set(plan, n, 0, 0);
        else if (argc == 5 && strcmp(argv[2], "fail") == 0 && parse_u32(argv[3], &n) >= 0 &&
                 parse_u32(argv[4], &error) >= 0)
                plan_set(plan, 0, n, error);
        else
                return 2;

        return EXIT_SUCCESS;
}
