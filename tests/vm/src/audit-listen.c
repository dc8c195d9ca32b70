/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Switches the kernel's audit log on and prints what is written to it, as auditd would:
 *
 *     audit-listen
 *
 * Says "listening", then "TYPE TEXT" for each record of a program. At the end of its input or a line of it,
 * the log is off again. For the lab's guest and no other machine: there the log is not the test's to switch.
 */

#include <linux/audit.h>
#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int set_enabled(struct nl_sock *sock, uint32_t enabled) {
        struct audit_status status = { .mask = AUDIT_STATUS_ENABLED, .enabled = enabled };
        int r;

        r = nl_send_simple(sock, AUDIT_SET, NLM_F_REQUEST | NLM_F_ACK, &status, sizeof(status));
        return r < 0 ? r : nl_wait_for_ack(sock);
}

static int on_record(struct nl_msg *message, void *userdata) {
        const struct nlmsghdr *header = nlmsg_hdr(message);

        if (header->nlmsg_type >= AUDIT_FIRST_USER_MSG)
                printf("%d %.*s\n", header->nlmsg_type, nlmsg_datalen(header),
                       (const char *) nlmsg_data(header));
        return NL_OK;
}

/* Until there is input, or the end of it. */
static int read_records(struct nl_sock *records) {
        struct pollfd fds[] = {
                { .fd = nl_socket_get_fd(records), .events = POLLIN },
                { .fd = STDIN_FILENO, .events = POLLIN },
        };
        int r;

        for (;;) {
                if (poll(fds, 2, -1) < 0)
                        return -NLE_FAILURE;
                if (fds[1].revents)
                        return 0;

                r = nl_recvmsgs_default(records);
                if (r < 0 && r != -NLE_AGAIN)
                        return r;
        }
}

int main(void) {
        struct nl_sock *control = nl_socket_alloc(), *records = nl_socket_alloc();
        int r;

        setlinebuf(stdout);

        r = control && records ? nl_connect(control, NETLINK_AUDIT) : -1;
        if (r >= 0)
                r = nl_connect(records, NETLINK_AUDIT);
        if (r >= 0)
                r = nl_socket_add_membership(records, AUDIT_NLGRP_READLOG);
        if (r >= 0)
                r = set_enabled(control, 1);
        if (r < 0) {
                nl_perror(r, "audit-listen");
                return EXIT_FAILURE;
        }

        nl_socket_disable_seq_check(records);
        (void) nl_socket_modify_cb(records, NL_CB_VALID, NL_CB_CUSTOM, on_record, NULL);
        puts("listening");
        r = read_records(records);
        if (set_enabled(control, 0) < 0 || r < 0)
                return EXIT_FAILURE;

        return EXIT_SUCCESS;
}
