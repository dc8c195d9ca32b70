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
 * What a link to the device says, @link below @dir: its name, and where it is. Not the name of the link
 * itself: that has a suffix where two buses have a device of one name. Returns 0 or a negative errno:
 * -ENOENT when the device has gone, -EXDEV when that is no device, -E2BIG when its name doesn't fit.
 */
int device_facts_begin(int dir, const char *link, DeviceFacts *ret) _must_check_;

/*
 * All other facts. @device is the directory (O_PATH will do) in @sysfs, @group was found on the way there.
 * Returns 0 or a negative errno, and then *facts is in no particular state: -ENOENT or -ENODEV when the
 * device has gone, -E2BIG when one of its names doesn't fit. @spacing is what was read last of that, and is
 * kept there for the next device: nothing rests on it that is not looked at again.
 */
int device_facts_read(int sysfs, int device, uint32_t group, VfSpacing *spacing, DeviceFacts *facts)
        _must_check_;
