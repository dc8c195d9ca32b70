/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "core/host.h"
#include "sys/net-foreign.h"

typedef struct Search {
        const NetList *list;
        const NetInterface *interface;
        char *ret;                           /* the caller's */
} Search;

static bool list_has_address(const NetList *list, const unsigned char *address) {
        for (size_t i = 0; i < list->n_interfaces; i++)
                if (memcmp(list->interfaces[i].address, address, ETH_ALEN) == 0)
                        return true;

        return false;
}

static int on_entry(struct nlmsghdr *message, void *userdata) {
        const struct ndmsg *header = nlmsg_data(message);
        struct nlattr *attributes[NDA_MAX + 1];
        const Search *search = userdata;
        const unsigned char *address;

        if (nlmsg_parse(message, sizeof(*header), attributes, NDA_MAX, /* policy= */ NULL) < 0)
                return -EBADMSG;
        if (header->ndm_ifindex != search->interface->index || !(header->ndm_flags & NTF_SELF) ||
            !attributes[NDA_LLADDR] || nla_len(attributes[NDA_LLADDR]) != ETH_ALEN)
                return _HOST_USE_NONE;

        address = nla_data(attributes[NDA_LLADDR]);
        if ((address[0] & 1) || list_has_address(search->list, address))
                return _HOST_USE_NONE;       /* of a group; of somebody whom we see */

        snprintf(search->ret, NET_FOREIGN_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", address[0], address[1],
                 address[2], address[3], address[4], address[5]);
        return HOST_USE_FOUND;
}

int net_foreign_find(struct nl_sock *sock, const NetList *list, const NetInterface *interface,
                     char ret[static NET_FOREIGN_MAX]) {
        const struct ndmsg header = { .ndm_family = AF_BRIDGE, .ndm_ifindex = interface->index };
        const NetlinkQuestion question = {
                .type = RTM_GETNEIGH,
                .header = &header,
                .size = sizeof(header),
        };
        Search search = { list, interface, ret };

        return netlink_ask(sock, &question, on_entry, &search);
}
