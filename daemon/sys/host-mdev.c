/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <stdio.h>

#include "sys/host-mdev.h"

int host_mdev_in_use(const HostDevice *device, char *ret_use, size_t size) {
        char name[NAME_MAX + 1];
        int r;

        r = host_device_find_below(device, "bus/mdev/devices", "", name);
        if (r <= 0)
                return r;

        snprintf(ret_use, size, "the mediated device %s is on it", name);
        return HOST_USE_FOUND;
}
