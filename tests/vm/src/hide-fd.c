/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sends a descriptor to itself and never takes it out of the socket: it is open, and no process has it.
 *
 *     hide-fd FD [OTHER...]             the others are closed, in their order, when FD is hidden
 *
 * Says "hidden" and waits until it is ended.
 */

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"

static int send_fd(int to, int fd) {
        union {
                char buffer[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } control = {};
        struct iovec iov = { .iov_base = (char[]) { 'x' }, .iov_len = 1 };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);

        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));

        return sendmsg(to, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

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
