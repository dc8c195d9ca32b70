/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One descriptor at a time through a socket. Both return 0 or a negative errno. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

typedef union FdControl {
        char buffer[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
} FdControl;

static inline int send_fd(int to, int fd) {
        FdControl control = {};
        struct iovec iov = { .iov_base = (char[]) { 'x' }, .iov_len = 1 };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);

        if (!header)
                return -EMSGSIZE;

        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));

        return sendmsg(to, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

static inline int receive_fd(int from, int *ret) {
        FdControl control = {};
        struct iovec iov = { .iov_base = (char[1]) {}, .iov_len = 1 };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        const struct cmsghdr *header;

        if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) < 0)
                return -errno;

        header = CMSG_FIRSTHDR(&message);
        if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int)))
                return -EBADMSG;

        memcpy(ret, CMSG_DATA(header), sizeof(*ret));
        return 0;
}
