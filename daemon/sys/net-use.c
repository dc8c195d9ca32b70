/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "core/host.h"
#include "sys/net-foreign.h"
#include "sys/net-list.h"
#include "sys/net-use.h"

struct NetUse {
        struct nl_sock *socket;
        NetList list;
};

/* One question: @asked is what it is about. */
typedef struct Search {
        const NetUse *net;
        const NetInterface *asked;
        char *use;                           /* the caller's */
        size_t size;
} Search;

int net_use_new(NetUse **ret) {
        _cleanup_(net_use_freep) NetUse *use = NULL;
        int r;

        use = calloc(1, sizeof(*use));
        if (!use)
                return -ENOMEM;

        r = netlink_open(&use->socket);
        if (r < 0)
                return r;

        r = net_list_read(use->socket, &use->list);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(use);
        return 0;
}

NetUse *net_use_free(NetUse *use) {
        if (!use)
                return NULL;

        nl_socket_free(use->socket);
        net_list_done(&use->list);
        free(use);
        return NULL;
}

#define SUBJECT_MAX 80

/* "eth0", or "eth0 is in bond0, which": what has the use. */
static const char *name_subject(const Search *search, const NetInterface *interface, char *buffer) {
        const NetInterface *asked = search->asked;

        if (interface == asked)
                return asked->name;

        snprintf(buffer, SUBJECT_MAX, "%s is %s %s, which", asked->name,
                asked->master == interface->index ? "in" : "below", interface->name);
        return buffer;
}

static int on_route(struct nlmsghdr *message, void *userdata) {
        const struct rtmsg *route = nlmsg_data(message);

        if (!nlmsg_valid_hdr(message, sizeof(*route)))
                return -EBADMSG;
        return route->rtm_dst_len == 0 && route->rtm_type == RTN_UNICAST ? HOST_USE_FOUND : _HOST_USE_NONE;
}

/*
 * A default route through the interface, in whatever table. The kernel leaves out routes through others, so
 * that a router with very many of them doesn't keep us waiting.
 */
static int check_default_route(const Search *search, const NetInterface *interface, unsigned char family) {
        const struct rtmsg header = { .rtm_family = family };
        const NetlinkQuestion question = {
                .type = RTM_GETROUTE,
                .header = &header,
                .size = sizeof(header),
                .attribute = RTA_OIF,
                .value = (uint32_t) interface->index,
        };
        char subject[SUBJECT_MAX];
        int r;

        r = netlink_ask(search->net->socket, &question, on_route, /* userdata= */ NULL);
        if (r != HOST_USE_FOUND)
                return r;

        if (interface == search->asked)
                snprintf(search->use, search->size, "the default route is through %s", interface->name);
        else
                snprintf(search->use, search->size, "%s has the default route",
                        name_subject(search, interface, subject));
        return HOST_USE_FOUND;
}

#define ADDRESS_MAX (INET6_ADDRSTRLEN + 4)

/* The kernel gives addresses of the link's scope by itself: they say nothing. */
static int on_address(struct nlmsghdr *message, void *userdata) {
        const struct ifaddrmsg *header = nlmsg_data(message);
        struct nlattr *attributes[IFA_MAX + 1], *address;
        char *ret = userdata, text[INET6_ADDRSTRLEN];

        if (nlmsg_parse(message, sizeof(*header), attributes, IFA_MAX, /* policy= */ NULL) < 0)
                return -EBADMSG;
        if (header->ifa_scope >= RT_SCOPE_LINK)
                return _HOST_USE_NONE;

        /* of a tunnel, the latter is the other end's */
        address = attributes[IFA_LOCAL] ?: attributes[IFA_ADDRESS];
        if (!address || nla_len(address) < (header->ifa_family == AF_INET ? 4 : 16) ||
            !inet_ntop(header->ifa_family, nla_data(address), text, sizeof(text)))
                return -EBADMSG;

        snprintf(ret, ADDRESS_MAX, "%s/%u", text, header->ifa_prefixlen);
        return HOST_USE_FOUND;
}

static int check_address(const Search *search, const NetInterface *interface, unsigned char family) {
        const struct ifaddrmsg header = { .ifa_family = family, .ifa_index = (uint32_t) interface->index };
        const NetlinkQuestion question = {
                .type = RTM_GETADDR,
                .header = &header,
                .size = sizeof(header),
        };
        char address[ADDRESS_MAX], subject[SUBJECT_MAX];
        int r;

        r = netlink_ask(search->net->socket, &question, on_address, address);
        if (r != HOST_USE_FOUND)
                return r;

        snprintf(search->use, search->size, "%s carries %s", name_subject(search, interface, subject),
                address);
        return HOST_USE_FOUND;
}

/*
 * A bridge needs no address to be of use: it connects virtual machines with the network. One without another
 * port that is up connects nothing.
 */
static int check_bridge(const Search *search, const NetInterface *bridge) {
        char subject[SUBJECT_MAX];

        for (size_t i = 0; i < search->net->list.n_interfaces; i++) {
                const NetInterface *port = &search->net->list.interfaces[i];

                if (port->master != bridge->index || port->seen || !port->up)
                        continue;

                snprintf(search->use, search->size, "%s connects it with %s",
                        name_subject(search, bridge, subject), port->name);
                return HOST_USE_FOUND;
        }

        return _HOST_USE_NONE;
}

/* A container can have made something of it that only the container sees. */
static int check_foreign(const Search *search, const NetInterface *interface) {
        char subject[SUBJECT_MAX], address[NET_FOREIGN_MAX];
        int r;

        r = net_foreign_find(search->net->socket, &search->net->list, interface, address);
        if (r != HOST_USE_FOUND)
                return r;

        snprintf(search->use, search->size, "%s receives for %s, which is in another network namespace",
                 name_subject(search, interface, subject), address);
        return HOST_USE_FOUND;
}

static int check_interface(const Search *search, const NetInterface *interface) {
        static int (*const checks[])(const Search *, const NetInterface *, unsigned char) = {
                check_default_route,
                check_address,
        };
        static const unsigned char families[] = { AF_INET, AF_INET6 };
        char subject[SUBJECT_MAX];
        int r;

        /* it is never up, and the kernel doesn't know what its ports are connected with */
        if (interface != search->asked && strcmp(interface->kind, "openvswitch") == 0) {
                snprintf(search->use, search->size, "%s is a switch",
                        name_subject(search, interface, subject));
                return HOST_USE_FOUND;
        }

        if (!interface->up)
                return _HOST_USE_NONE;

        for (size_t i = 0; i < ELEMENTSOF(checks) * ELEMENTSOF(families); i++) {
                r = checks[i / 2](search, interface, families[i % 2]);
                if (r != _HOST_USE_NONE)
                        return r;
        }

        return strcmp(interface->kind, "bridge") == 0 ? check_bridge(search, interface) :
                                                        check_foreign(search, interface);
}

/* The interface, then all that is made of it. Two ends of a veth are each made of the other. */
static int check_all(const Search *search, NetInterface *interface) {
        int r;

        if (interface->seen)
                return _HOST_USE_NONE;
        interface->seen = true;

        r = check_interface(search, interface);
        if (r != _HOST_USE_NONE)
                return r;

        for (size_t i = 0; i < search->net->list.n_interfaces; i++) {
                NetInterface *upper = &search->net->list.interfaces[i];

                if (interface->master != upper->index && upper->link != interface->index)
                        continue;
                r = check_all(search, upper);
                if (r != _HOST_USE_NONE)
                        return r;
        }

        return _HOST_USE_NONE;
}

int net_use_find(NetUse *use, const char *interface, char *ret_use, size_t size) {
        for (size_t i = 0; i < use->list.n_interfaces; i++) {
                NetInterface *asked = &use->list.interfaces[i];
                const Search search = { .net = use, .asked = asked, .use = ret_use, .size = size };

                if (strcmp(asked->name, interface) == 0)
                        return check_all(&search, asked);
        }

        return -ENODEV;
}
