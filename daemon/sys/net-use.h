/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the host uses its network interfaces for, as the kernel says over rtnetlink: addresses and default
 * routes, on the interface or on one that is made of it (a bond, bridge, team, VLAN, macvlan, tunnel).
 *
 * Only our own network namespace is seen. An interface of another one that is made of one of ours, such as
 * a container's macvlan, is not.
 */

#include <stddef.h>

#include "base/macro.h"

/* The interfaces of one moment, and a socket for the rest. */
typedef struct NetUse NetUse;

/* Returns 0 and *ret (caller owns), or a negative errno. */
int net_use_new(NetUse **ret) _must_check_;

NetUse *net_use_free(NetUse *use);
DEFINE_CLEANUP_FUNC(NetUse, net_use_free);

/*
 * Whether the host uses the interface: the outcomes of HostOps.in_use(), -ENODEV when there is none of that
 * name, or none any more. What has been found to be in no use is not looked at again for another interface,
 * and after anything else nothing more can be asked.
 */
int net_use_find(NetUse *use, const char *interface, char *ret_use, size_t size) _must_check_;
