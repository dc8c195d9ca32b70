/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A descriptor goes from one process to another that is no child of it.
 *
 *     give-fd from NAME                 listens at the abstract socket NAME, "listening"; has one,
 *                                       "received"; and keeps it until its input has a line
 *     pass-fd to NAME FD                sends it there: "sent"; and waits until it is ended
 */

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "send-fd.h"

static void say(const char *what) {
        puts(what);
        (void) fflush(stdout);
}

static socklen_t make_address(const char *name, struct sockaddr_un *ret) {
        size_t length = strlen(name);

        *ret = (struct sockaddr_un) { .sun_family = AF_UNIX };
        if (length >= sizeof(ret->sun_path))
                length = sizeof(ret->sun_path) - 1;
        memcpy(ret->sun_path + 1, name, length);
        return (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

static int receive(int socket, const struct sockaddr_un *address, socklen_t size) {
        _cleanup_close_ int connection = -EBADF, fd = -EBADF;
        char c;
        int r;

        if (bind(socket, (const struct sockaddr *) address, size) < 0 || listen(socket, 1) < 0)
                return -errno;
        say("listening");

        connection = accept(socket, NULL, NULL);
        if (connection < 0)
                return -errno;

        r = receive_fd(connection, &fd);
        if (r < 0)
                return r;
        say("received");

        (void) !read(STDIN_FILENO, &c, 1);
        return 0;
}

static int give(int socket, const struct sockaddr_un *address, socklen_t size, int fd) {
        int r;

        if (connect(socket, (const struct sockaddr *) address, size) < 0)
                return -errno;

        r = send_fd(socket, fd);
        if (r < 0)
                return r;
        say("sent");

        for (;;)
                (void) pause();
}

int main(int argc, char *argv[]) {
        _cleanup_close_ int end = -EBADF;
        struct sockaddr_un address;
        socklen_t size;
        uint32_t fd;
        int r;

        if (argc < 3)
                return 2;
        size = make_address(argv[2], &address);

        end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (end < 0)
                r = -errno;
        else if (argc == 3 && strcmp(argv[1], "from") == 0)
                r = receive(end, &address, size);
        else if (argc == 4 && strcmp(argv[1], "to") == 0 && parse_u32(argv[3], &fd) >= 0)
                r = give(end, &address, size, (int) fd);
        else
                return 2;

        if (r < 0) {
                fprintf(stderr, "%s\n", strerrordesc_np(-r));
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}
