/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sys/host-device.h"

/* See HostOps.in_use: whether the kernel's console is on the device. */
int host_console_in_use(const HostDevice *device, char *ret_use, size_t size) _must_check_;
