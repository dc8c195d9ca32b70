/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd-pass.h"
#include "base/fd.h"

/* What goes beside the bytes. */
typedef union Control {
        struct cmsghdr align;
        char buffer[CMSG_SPACE(FD_PASS_MAX * sizeof(int))];
} Control;

int fd_pass_send(int socket, const void *data, size_t size, const int *fds, unsigned n_fds) {
        struct iovec iov = { .iov_base = (void *) data, .iov_len = size };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
        size_t length = n_fds * sizeof(fds[0]);
        Control control = {};

        assert(n_fds <= FD_PASS_MAX);

        if (n_fds > 0) {
                struct cmsghdr *header;

                message.msg_control = &control;
                message.msg_controllen = CMSG_SPACE(length);
                header = CMSG_FIRSTHDR(&message);
                header->cmsg_level = SOL_SOCKET;
                header->cmsg_type = SCM_RIGHTS;
                header->cmsg_len = CMSG_LEN(length);
                memcpy(CMSG_DATA(header), fds, length);
        }

        return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* All descriptors that have come, be it in several pieces; what there is no room for is closed. */
static unsigned take_fds(struct msghdr *message, int *fds, unsigned max, bool *ret_all) {
        unsigned n = 0;

        *ret_all = true;
        for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
             header = CMSG_NXTHDR(message, header)) {
                const int *data = (const int *) (const void *) CMSG_DATA(header);
                size_t n_items = (header->cmsg_len - CMSG_LEN(0)) / sizeof(data[0]);

                if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
                        continue;
                for (size_t i = 0; i < n_items; i++)
                        if (n < max)
                                fds[n++] = data[i];
                        else {
                                close_fd(data[i]);
                                *ret_all = false;
                        }
        }

        return n;
}

int fd_pass_receive(int socket, void *data, size_t size, int *ret_fds, unsigned max, unsigned *ret_n_fds) {
        struct iovec iov = { .iov_base = data, .iov_len = size };
        int fds[FD_PASS_MAX];
        Control control = {};
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        unsigned n_fds;
        ssize_t n;
        bool all;

        assert(max <= FD_PASS_MAX);

        do
                n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        n_fds = take_fds(&message, fds, max, &all);
        if (n == 0 && n_fds == 0)
                return _FD_PASS_END;

        if ((size_t) n != size || !all || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
                while (n_fds > 0)
                        close_fd(fds[--n_fds]);
                return -EBADMSG;
        }

        memcpy(ret_fds, fds, n_fds * sizeof(fds[0]));
        *ret_n_fds = n_fds;
        return FD_PASS_MESSAGE;
}
