/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sys/host-device.h"

/*
 * See HostOps.in_use: whether the device is the display that the host was started with, and still shows
 * something. Who has any display open is found out in sys/host-node.h.
 */
int host_display_in_use(const HostDevice *device, char *ret_use, size_t size) _must_check_;
