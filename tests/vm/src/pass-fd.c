/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Passes a descriptor to another process over a socket, and ends: who has it then never inherited it.
 *
 *     pass-fd FD
 *
 * The other process, a child, says "received" and its own number, and waits until it is ended.
 */

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"

/* What a message that carries one descriptor needs. */
typedef struct Carrier {
        char byte;
        struct iovec iov;
        struct msghdr message;
        union {                              /* at the end: a header has no size for some compilers */
                char buffer[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } control;
} Carrier;

static void carrier_init(Carrier *carrier) {
        *carrier = (Carrier) { .byte = 'x' };
        carrier->iov = (struct iovec) { .iov_base = &carrier->byte, .iov_len = 1 };
        carrier->message = (struct msghdr) {
                .msg_iov = &carrier->iov,
                .msg_iovlen = 1,
                .msg_control = &carrier->control,
                .msg_controllen = sizeof(carrier->control),
        };
}

static int send_fd(int to, int fd) {
        struct cmsghdr *header;
        Carrier carrier;

        carrier_init(&carrier);
        header = &carrier.control.align;     /* the first, of which the compiler sees that it is there */
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));

        return sendmsg(to, &carrier.message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

_Noreturn static void receive(int from) {
        Carrier carrier;

        carrier_init(&carrier);
        /* nothing that was inherited but this and the output */
        if (dup2(from, STDERR_FILENO) < 0 || close_range(STDERR_FILENO + 1, UINT_MAX, 0) < 0 ||
            recvmsg(STDERR_FILENO, &carrier.message, MSG_CMSG_CLOEXEC) != 1 ||
            carrier.message.msg_controllen == 0)
                _exit(EXIT_FAILURE);

        printf("received %d\n", (int) getpid());
        (void) fflush(stdout);
        for (;;)
                (void) pause();
}

int main(int argc, char *argv[]) {
        uint32_t fd;
        int ends[2];
        pid_t pid;

        if (argc != 2 || parse_u32(argv[1], &fd) < 0)
                return 2;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
                perror("socketpair");
                return EXIT_FAILURE;
        }

        pid = fork();
        if (pid == 0)
                receive(ends[1]);
        if (pid < 0 || send_fd(ends[0], (int) fd) < 0) {
                perror("pass-fd");
                return EXIT_FAILURE;
        }

        return EXIT_SUCCESS;
}
