/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The network interfaces of our namespace, at one moment.
 */

#include <net/if.h>

#include "sys/netlink.h"

typedef struct NetInterface {
        int index, master;                   /* 0 for no master */
        int link;                            /* what it is made of, in our namespace; 0 for none */
        bool up, seen;                       /* the latter belongs to whoever has the list */
        unsigned char address[6];            /* of Ethernet; zeroes for none */
        char name[IFNAMSIZ], kind[32];
} NetInterface;

typedef struct NetList {
        NetInterface *interfaces;
        size_t n_interfaces;
} NetList;

/* Returns 0 and the list, of which the caller owns the contents, or a negative errno. */
int net_list_read(struct nl_sock *sock, NetList *ret) _must_check_;

void net_list_done(NetList *list);
