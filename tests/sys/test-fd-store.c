/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the service manager is told, and what it is given with that. The test is the service manager. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/fd-store.h"

static char path[] = "/tmp/iommud-test-notify-XXXXXX";

static int listen_at_path(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert(fd >= 0);
        strcpy(address.sun_path, path);
        (void) unlink(path);
        assert(bind(fd, (const struct sockaddr *) &address, sizeof(address)) >= 0);
        return fd;
}

static void assert_told(int manager, const char *text, int fd) {
        _Alignas(struct cmsghdr) char control[256];
        char buffer[512] = "";
        struct iovec iov = { buffer, sizeof(buffer) - 1 };
        struct msghdr message = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control),
        };
        struct stat theirs, ours;
        struct cmsghdr *header;
        int got;

        assert(recvmsg(manager, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) > 0);
        assert(strcmp(buffer, text) == 0);

        header = CMSG_FIRSTHDR(&message);
        assert(header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int)));
        memcpy(&got, CMSG_DATA(header), sizeof(got));
        assert(fstat(got, &theirs) >= 0 && fstat(fd, &ours) >= 0);
        assert(theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino);
        close_fd(got);
}

int main(void) {
        _cleanup_close_ int manager = -EBADF, socket_fd = -EBADF, null = -EBADF;
        int file;

        file = mkstemp(path);
        assert(file >= 0);
        close_fd(file);
        null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert(null >= 0);

        /* nobody is there to keep anything */
        assert(unsetenv("NOTIFY_SOCKET") >= 0);
        assert(fd_store_connect() == -ENOTCONN);
        assert(fd_store_put(-EBADF, "a", null) == 0);

        /* over one socket, or without */
        manager = listen_at_path();
        assert(setenv("NOTIFY_SOCKET", path, /* overwrite= */ 1) >= 0);
        socket_fd = fd_store_connect();
        assert(socket_fd >= 0);
        assert(fd_store_put(socket_fd, "lease-1-lifeline", null) == 1);
        assert(fd_store_put(socket_fd, "lease-2-lifeline", manager) == 1);
        assert(fd_store_put(-EBADF, "lease-3-lifeline", null) == 1);
        assert_told(manager, "FDSTORE=1\nFDNAME=lease-1-lifeline", null);
        assert_told(manager, "FDSTORE=1\nFDNAME=lease-2-lifeline", manager);
        assert_told(manager, "FDSTORE=1\nFDNAME=lease-3-lifeline", null);

        /* the service manager has another socket now */
        close_fd(TAKE_FD(manager));
        manager = listen_at_path();
        assert(fd_store_put(socket_fd, "lease-4-lifeline", null) == 1);
        assert_told(manager, "FDSTORE=1\nFDNAME=lease-4-lifeline", null);

        /* none at all: that is not taken for one that keeps it */
        close_fd(TAKE_FD(manager));
        assert(fd_store_put(socket_fd, "lease-5-lifeline", null) < 0);

        /* what is not a file is left to libsystemd */
        assert(setenv("NOTIFY_SOCKET", "@iommud-test", /* overwrite= */ 1) >= 0);
        assert(fd_store_connect() == -ENOTCONN);
        assert(unlink(path) >= 0);
        return 0;
}
