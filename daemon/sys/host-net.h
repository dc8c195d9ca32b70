/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sys/host-device.h"

/*
 * See HostOps.in_use: whether a network interface of the device, or one that is made of it, carries the
 * host's traffic. One that has been moved to another network namespace, to a container say, is in use there:
 * nothing else can be seen of it from here. A device of which the driver has made no interface has none in
 * use.
 */
int host_net_in_use(const HostDevice *device, char *ret_use, size_t size) _must_check_;
