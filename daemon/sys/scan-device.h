/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the directory of one device in sysfs says.
 */

#include "core/device.h"

/* How the addresses of the virtual functions of a physical one are spaced. "": of none. */
typedef struct VfSpacing {
        char physfn[KERNEL_NAME_MAX];
        uint32_t offset, stride;
} VfSpacing;

/*
 * @device is the directory (O_PATH will do) in @sysfs, @name and @group are what was found on the way there.
 * Returns 0 or a negative errno, and then *ret is in no particular state: -ENOENT or -ENODEV when the device
 * has gone, -E2BIG when one of its names doesn't fit. @spacing is what was read last of that, and is kept
 * there for the next device: nothing rests on it that is not looked at again.
 */
int device_facts_read(int sysfs, int device, const char *name, uint32_t group, VfSpacing *spacing,
                      DeviceFacts *ret) _must_check_;
