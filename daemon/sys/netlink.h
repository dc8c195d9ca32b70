/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Questions to the kernel over rtnetlink whose answer is a list.
 *
 * The parts of libnl that make objects of such lists are not used: they take one that the kernel has broken
 * off with an error for a whole one. What isn't in a list must not be there.
 */

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdint.h>

#include "base/macro.h"

DEFINE_CLEANUP_FUNC(struct nl_sock, nl_socket_free);

#define _cleanup_netlink_ _cleanup_(nl_socket_freep)

/*
 * Returns 0 and *ret (caller owns), or a negative errno. The kernel answers at once: a question that has no
 * answer after a second fails with -ETIMEDOUT.
 */
int netlink_open(struct nl_sock **ret) _must_check_;

typedef struct NetlinkQuestion {
        int type;                            /* RTM_GETLINK, … */
        const void *header;                  /* of that type; borrowed */
        size_t size;                         /* of the header */
        int attribute;                       /* of 32 bits, by which the kernel chooses; 0 for none */
        uint32_t value;
} NetlinkQuestion;

typedef int (*NetlinkFunc)(struct nlmsghdr *message, void *userdata);

/*
 * Calls @func for each item of the answer, until it returns something that isn't 0. Returns that, 0 after
 * the whole list, or a negative errno: -EAGAIN when what is listed has changed meanwhile, -ENODEV when the
 * interface that is asked about is no more. The rest of an answer that was not taken is still in the socket
 * then, which can't be asked anything else.
 */
int netlink_ask(struct nl_sock *sock, const NetlinkQuestion *question, NetlinkFunc func,
                void *userdata) _must_check_;
