/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "sys/host-display.h"

/* Which display the firmware used. Returns 1, 0, or a negative errno. */
static int is_boot_display(const HostDevice *device) {
        char path[PATH_MAX + 16], text[8];
        ssize_t n;

        snprintf(path, sizeof(path), "%s/boot_vga", device->path);
        n = read_text_at(device->host->sysfs, path, text, sizeof(text));
        if (n < 0)
                return n == -ENOENT ? 0 : (int) n;           /* no display at all */
        return strcmp(text, "1") == 0;
}

int host_display_in_use(const HostDevice *device, char *ret_use, size_t size) {
        char name[NAME_MAX + 1];
        int r;

        r = is_boot_display(device);
        if (r <= 0)
                return r;

        r = host_device_find_below(device, "class/drm", "card", name);
        if (r == 0)
                r = host_device_find_below(device, "class/graphics", "fb", name);
        if (r <= 0)
                return r;

        snprintf(ret_use, size, "it is the display that the host was started with");
        return HOST_USE_FOUND;
}
