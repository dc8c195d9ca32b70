/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sys/host-device.h"

/*
 * See HostOps.in_use: whether there are mediated devices on the device. They would go with its driver, and
 * whoever has one open would keep that from going.
 */
int host_mdev_in_use(const HostDevice *device, char *ret_use, size_t size) _must_check_;
