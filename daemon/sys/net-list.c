/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "sys/net-list.h"

static void read_kind(struct nlattr *info, char *ret, size_t size) {
        struct nlattr *kind = info ? nla_find(nla_data(info), nla_len(info), IFLA_INFO_KIND) : NULL;

        snprintf(ret, size, "%s", kind ? nla_get_string(kind) : "");
}

static int on_interface(struct nlmsghdr *message, void *userdata) {
        const struct ifinfomsg *header = nlmsg_data(message);
        struct nlattr *attributes[IFLA_MAX + 1];
        NetList *list = userdata;
        NetInterface *interfaces, *i;

        if (nlmsg_parse(message, sizeof(*header), attributes, IFLA_MAX, /* policy= */ NULL) < 0 ||
            !attributes[IFLA_IFNAME])
                return -EBADMSG;

        interfaces = reallocarray(list->interfaces, list->n_interfaces + 1, sizeof(*interfaces));
        if (!interfaces)
                return -ENOMEM;
        list->interfaces = interfaces;

        i = &interfaces[list->n_interfaces];
        *i = (NetInterface) { .index = header->ifi_index, .up = header->ifi_flags & IFF_UP };
        if (attributes[IFLA_MASTER])
                i->master = nla_get_s32(attributes[IFLA_MASTER]);
        /* with that, it is a number of another namespace */
        if (attributes[IFLA_LINK] && !attributes[IFLA_LINK_NETNSID])
                i->link = nla_get_s32(attributes[IFLA_LINK]);
        if (attributes[IFLA_ADDRESS] && nla_len(attributes[IFLA_ADDRESS]) == sizeof(i->address))
                memcpy(i->address, nla_data(attributes[IFLA_ADDRESS]), sizeof(i->address));
        read_kind(attributes[IFLA_LINKINFO], i->kind, sizeof(i->kind));
        if (copy_string(i->name, sizeof(i->name), nla_get_string(attributes[IFLA_IFNAME])) < 0)
                return -EBADMSG;

        list->n_interfaces++;
        return 0;
}

int net_list_read(struct nl_sock *sock, NetList *ret) {
        static const struct ifinfomsg header = {};
        static const NetlinkQuestion question = {
                .type = RTM_GETLINK,
                .header = &header,
                .size = sizeof(header),
                .attribute = IFLA_EXT_MASK,
                .value = RTEXT_FILTER_SKIP_STATS,
        };
        _cleanup_(net_list_done) NetList list = {};
        int r;

        r = netlink_ask(sock, &question, on_interface, &list);
        if (r < 0)
                return r;

        *ret = list;
        list = (NetList) {};
        return 0;
}

void net_list_done(NetList *list) {
        free(list->interfaces);
        *list = (NetList) {};
}
