/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sys/host-device.h"

/* See HostOps.in_use: whether a block device that is a part of the device, or lies on it, is in use. */
int host_block_in_use(const HostDevice *device, char *ret_use, size_t size) _must_check_;
