/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "sys/netlink.h"

typedef struct Answer {
        NetlinkFunc func;
        void *userdata;
        int result;
        bool complete;
} Answer;

DEFINE_CLEANUP_FUNC(struct nl_msg, nlmsg_free);
DEFINE_CLEANUP_FUNC(struct nl_cb, nl_cb_put);

/* libnl's errors are numbers of its own. */
static int error_from_nl(int error) {
        switch (-error) {
        case NLE_NOMEM:
                return -ENOMEM;
        case NLE_PERM:
        case NLE_NOACCESS:
                return -EPERM;
        case NLE_AGAIN:
                return -ETIMEDOUT;
        case NLE_DUMP_INTR:                  /* something has changed meanwhile */
                return -EAGAIN;
        default:
                return -EIO;
        }
}

int netlink_open(struct nl_sock **ret) {
        static const struct timeval timeout = { .tv_sec = 1 };
        static const int on = 1;
        _cleanup_netlink_ struct nl_sock *sock = NULL;
        int r, fd;

        sock = nl_socket_alloc();
        if (!sock)
                return -ENOMEM;

        r = nl_connect(sock, NETLINK_ROUTE);
        if (r < 0)
                return error_from_nl(r);

        fd = nl_socket_get_fd(sock);
        if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
                return -errno;
        /* without it the kernel heeds neither header nor attribute of a question for a list */
        if (setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) < 0)
                return -errno;

        *ret = TAKE_PTR(sock);
        return 0;
}

static int on_item(struct nl_msg *msg, void *userdata) {
        Answer *answer = userdata;

        answer->result = answer->func(nlmsg_hdr(msg), answer->userdata);
        return answer->result != 0 ? NL_STOP : NL_OK;
}

/* The end of the list says whether it is one. */
static int on_finish(struct nl_msg *msg, void *userdata) {
        const int *error = nlmsg_data(nlmsg_hdr(msg));
        Answer *answer = userdata;

        answer->complete = true;
        if (nlmsg_datalen(nlmsg_hdr(msg)) >= (int) sizeof(*error) && *error < 0)
                answer->result = *error;
        return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *userdata) {
        Answer *answer = userdata;

        answer->result = error->error;
        return NL_STOP;
}

static int send_question(struct nl_sock *sock, const NetlinkQuestion *question) {
        _cleanup_(nlmsg_freep) struct nl_msg *msg = NULL;
        int r;

        msg = nlmsg_alloc_simple(question->type, NLM_F_DUMP);
        if (!msg || nlmsg_append(msg, (void *) question->header, question->size, NLMSG_ALIGNTO) < 0)
                return -ENOMEM;
        if (question->attribute && nla_put_u32(msg, question->attribute, question->value) < 0)
                return -ENOMEM;

        r = nl_send_auto(sock, msg);
        return r < 0 ? error_from_nl(r) : 0;
}

int netlink_ask(struct nl_sock *sock, const NetlinkQuestion *question, NetlinkFunc func, void *userdata) {
        _cleanup_(nl_cb_putp) struct nl_cb *callbacks = NULL;
        Answer answer = { .func = func, .userdata = userdata };
        int r;

        callbacks = nl_cb_alloc(NL_CB_DEFAULT);
        if (!callbacks || nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, on_item, &answer) < 0 ||
            nl_cb_set(callbacks, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, &answer) < 0 ||
            nl_cb_err(callbacks, NL_CB_CUSTOM, on_error, &answer) < 0)
                return -ENOMEM;

        r = send_question(sock, question);
        if (r < 0)
                return r;

        r = nl_recvmsgs(sock, callbacks);
        if (answer.result != 0)
                return answer.result;
        if (r < 0)
                return error_from_nl(r);
        return answer.complete ? 0 : -EIO;
}
