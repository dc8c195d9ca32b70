/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What other network namespaces have made of an interface. The kernel does not tell; but whatever has an
 * address of its own there, such as a container's macvlan, has the interface receive for that, and of these
 * addresses it has a list.
 */

#include "sys/net-list.h"

/* Room for "02:42:ac:11:00:02". */
#define NET_FOREIGN_MAX 18

/*
 * Looks for an address that @interface receives for and that none of @list has. Returns _HOST_USE_NONE,
 * HOST_USE_FOUND with the address in @ret, or a negative errno.
 */
int net_foreign_find(struct nl_sock *sock, const NetList *list, const NetInterface *interface,
                     char ret[static NET_FOREIGN_MAX]) _must_check_;
