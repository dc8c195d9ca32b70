/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A device of which is asked whether the host needs it, and what else in sysfs is a part of it.
 *
 * What the device is for the host (disks, network interfaces, nodes) is found from the other end: sysfs has
 * all things of one kind in one flat directory of links, and what lies below the device is the device's.
 * That costs the same for every device, however much there is below it.
 */

#include <limits.h>

#include "sys/host.h"

typedef struct HostDevice {
        const LocalHost *host;               /* borrowed */
        const char *name;                    /* borrowed */
        char path[PATH_MAX];                 /* below sysfs: "devices/pci0000:00/0000:00:04.0" */
} HostDevice;

/* Returns 0, or a negative errno: -ENODEV when there is no such device. */
int host_device_find(const LocalHost *host, const char *subsystem, const char *name,
                     HostDevice *ret) _must_check_;

/*
 * Whether @class/@name, "class/block/sda", is a link to something that the device has made. Returns 1, 0
 * (also when there is no such link), or a negative errno.
 */
int host_device_has(const HostDevice *device, const char *class, const char *name) _must_check_;

/* The same, but -ENOENT when there is no such link: where things are renamed, it may have another name. */
int host_device_has_named(const HostDevice *device, const char *class, const char *name) _must_check_;

/*
 * The name of something in the directory @class that the device has made, and that begins with @prefix; one
 * of them, if there are more. Returns 1, 0 (also when there is no such directory), or a negative errno.
 */
int host_device_find_below(const HostDevice *device, const char *class, const char *prefix,
                           char ret[static NAME_MAX + 1]) _must_check_;
