/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Acquires for another process, as a manager does that cannot hand descriptors to what it starts.
 *
 *     acquire-for PID SELECTOR...
 *
 * Prints the number of the lease and ends; the lease lives as long as PID does.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "iommud.h"

static inline void clientp(iommud_client **client) {
        iommud_client_free(*client);
}

static inline void requestp(iommud_request **request) {
        iommud_request_free(*request);
}

static inline void leasep(iommud_lease **lease) {
        iommud_lease_free(*lease);
}

static int acquire(int holder, char **selectors) {
        _cleanup_(requestp) iommud_request *request = NULL;
        _cleanup_(clientp) iommud_client *client = NULL;
        _cleanup_(leasep) iommud_lease *lease = NULL;
        int r;

        r = iommud_connect(/* address= */ NULL, &client);
        if (r >= 0)
                r = iommud_request_new(&request);
        if (r >= 0)
                r = iommud_request_set_holder(request, holder);
        for (; r >= 0 && *selectors; selectors++)
                r = iommud_request_add_device(request, *selectors);
        if (r < 0)
                return r;

        r = iommud_acquire(client, request, &lease);
        if (r != 0) {
                fprintf(stderr, "%s: %s\n", r > 0 ? iommud_error_name(r) : strerrorname_np(-r),
                        iommud_error_text(client));
                return r;
        }

        /* there is no lifeline: the process that was named is what counts */
        if (iommud_lease_fd(lease, "lifeline") >= 0) {
                fputs("There is a lifeline beside the holder.\n", stderr);
                return -EEXIST;
        }

        printf("%" PRIu64 "\n", iommud_lease_id(lease));
        return 0;
}

int main(int argc, char *argv[]) {
        _cleanup_close_ int holder = -EBADF;
        uint32_t pid;

        if (argc < 3 || parse_u32(argv[1], &pid) < 0)
                return 2;

        holder = pidfd_open((pid_t) pid, 0);
        if (holder < 0) {
                perror("pidfd_open");
                return EXIT_FAILURE;
        }

        return acquire(holder, argv + 2) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
