/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The queue of events of a virtual IOMMU, whose descriptor has to be had by somebody.
 *
 *     event-queue LEASE VIOMMU        says "queue HANDLE", then "event NUMBER IOVA" for each event, until
 *                                     there is input; or "failed NAME: TEXT"
 */

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../mock-iommu/registers.h"
#include "base/fd.h"
#include "base/parse.h"
#include "iommud.h"
#include "kernel/uapi.h"

DEFINE_CLEANUP_FUNC(iommud_client, iommud_client_free);

static int fail(iommud_client *client, int r) {
        printf("failed %s: %s\n", r > 0 ? iommud_error_name(r) : strerrorname_np(-r),
               iommud_error_text(client));
        return EXIT_FAILURE;
}

static int tell(int queue) {
        struct {
                struct iommufd_vevent_header header;
                struct mock_event event;
        } event;

        if (read(queue, &event, sizeof(event)) != (ssize_t) sizeof(event))
                return EXIT_FAILURE;

        printf("event %" PRIu64 " 0x%" PRIx64 "\n", (uint64_t) event.event.virt_id,
               (uint64_t) event.event.iova);
        (void) fflush(stdout);
        return 0;
}

int main(int argc, char *argv[]) {
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        _cleanup_close_ int queue = -EBADF;
        uint64_t lease, viommu, handle;
        int r;

        if (argc != 3 || parse_u64(argv[1], &lease) < 0 || parse_u64(argv[2], &viommu) < 0)
                return 2;

        r = iommud_connect(NULL, &client);
        if (r < 0)
                return EXIT_FAILURE;
        r = iommud_alloc_veventq(client, lease, viommu, MOCK_VEVENTQ_TYPE, /* depth= */ 0, &handle,
                                 /* ret_id= */ NULL, &queue);
        if (r != 0)
                return fail(client, r);

        printf("queue %" PRIu64 "\n", handle);
        (void) fflush(stdout);
        for (;;) {
                struct pollfd fds[] = {
                        { .fd = queue, .events = POLLIN },
                        { .fd = STDIN_FILENO, .events = POLLIN },
                };

                if (poll(fds, ELEMENTSOF(fds), -1) < 0)
                        return EXIT_FAILURE;
                if (fds[1].revents != 0)
                        return EXIT_SUCCESS;
                if (fds[0].revents != 0 && tell(queue) != 0)
                        return EXIT_FAILURE;
        }
}
