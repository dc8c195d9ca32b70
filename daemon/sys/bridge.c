/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <libudev.h>
#include <string.h>

#include "base/parse.h"
#include "sys/bridge.h"

DEFINE_CLEANUP_FUNC(struct udev, udev_unref);
DEFINE_CLEANUP_FUNC(struct udev_device, udev_device_unref);

/* Words of capital letters, as it is told to others. */
static int read_words(struct udev_device *device, const char *property, char *ret, size_t size) {
        const char *value = udev_device_get_property_value(device, property);

        if (!value || !value[0] || (strcmp(value, "none") != 0 &&
                                    value[strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ ")] != '\0'))
                return -ENODATA;

        return copy_string(ret, size, value);
}

void bridge_read_acs(IsolationHop *hop) {
        _cleanup_(udev_device_unrefp) struct udev_device *device = NULL;
        _cleanup_(udev_unrefp) struct udev *udev = NULL;
        IsolationHop found = *hop;

        udev = udev_new();
        if (!udev)
                return;

        device = udev_device_new_from_subsystem_sysname(udev, "pci", hop->name);
        if (!device)
                return;

        found.acs_known = read_words(device, "IOMMUD_ACS_SUPPORTED", found.acs_supported,
                                     sizeof(found.acs_supported)) >= 0 &&
                          read_words(device, "IOMMUD_ACS_ENABLED", found.acs_enabled,
                                     sizeof(found.acs_enabled)) >= 0;
        if (found.acs_known)
                *hop = found;
}
