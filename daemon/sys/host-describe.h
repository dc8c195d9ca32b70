/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sys/host-device.h"

/* HostOps.describe() of a device. */
int host_describe(const HostDevice *device, const char *subsystem, const char *driver,
                  HostFacts *ret) _must_check_;
