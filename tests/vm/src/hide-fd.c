/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sends a descriptor to itself and leaves it in the socket: it is open, and no process has it.
 *
 *     hide-fd FD [OTHER...]             the others are closed, in their order, when FD is hidden
 *
 * Says "hidden". When its input has a line it takes the descriptor out, and says "taken". It waits until it
 * is ended.
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "send-fd.h"

static void say(const char *what) {
        puts(what);
        (void) fflush(stdout);
}

int main(int argc, char *argv[]) {
        int ends[2], taken;
        uint32_t fd;
        char c;

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

        say("hidden");
        if (read(STDIN_FILENO, &c, 1) == 1) {
                if (receive_fd(ends[1], &taken) < 0) {
                        fputs("hide-fd: it is not there any more\n", stderr);
                        return EXIT_FAILURE;
                }
                say("taken");
        }
        for (;;)
                (void) pause();
}
