/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sends a descriptor to itself and never takes it out of the socket: it is open, and no process has it.
 *
 *     hide-fd FD [OTHER...]             the others are closed, in their order, when FD is hidden
 *
 * Says "hidden" and waits until it is ended.
 */

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "send-fd.h"

int main(int argc, char *argv[]) {
        uint32_t fd;
        int ends[2];

        if (argc < 2 || parse_u32(argv[1], &fd) < 0)
                return 2;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 || send_fd(ends[0], (int) fd) < 0) {
                perror("hide-fd");
                return EXIT_FAILURE;
        }
        close_fd((int) fd);

        for (int i = 2; i < argc; i++) {
                if (parse_u32(argv[i], &fd) < 0)
                        return 2;
                close_fd((int) fd);
        }

        puts("hidden");
        (void) fflush(stdout);
        for (;;)
                (void) pause();
}
