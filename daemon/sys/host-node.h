/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sys/host-device.h"

/*
 * See HostOps.in_use: whether a process has a node of the device open, be it of a character or of a block
 * device: sound, input, graphics, serial lines, disks. This goes through all processes if the device has
 * nodes at all, and fails with -EACCES when there is one that we may not look into.
 *
 * What a process has mapped and closed, or is on its way through a socket, is not seen. What udev has open
 * doesn't count: it looks at each new device for a moment, and at every one that is given back.
 */
int host_node_in_use(const HostDevice *device, char *ret_use, size_t size) _must_check_;
