/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether the kernel may suspend a device while it is idle: its file power/control. @device is its directory
 * in sysfs.
 */

#include "core/kernel.h"

/* POWER_CONTROL_NONE: it has no such file, or one that says something else. -ENODEV: there is no device. */
int power_read(const char *device, PowerControl *ret, KernelFailure *reterr) _must_check_;

/* Writes what is not so yet; POWER_CONTROL_NONE leaves it as it is. Waits for a device that is woken up. */
int power_write(const char *device, PowerControl power, KernelFailure *reterr) _must_check_;
