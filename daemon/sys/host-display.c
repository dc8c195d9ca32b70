/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/dir.h"
#include "base/fd.h"
#include "sys/host-display.h"

/* "1\n". Returns 1, 0 (also when there is no such attribute), or a negative errno. */
static int attribute_is_set(const HostDevice *device, const char *attribute) {
        char path[PATH_MAX + NAME_MAX + 32], text[8];
        ssize_t n;

        snprintf(path, sizeof(path), "%s/%s", device->path, attribute);
        n = read_text_at(device->host->sysfs, path, text, sizeof(text));
        if (n < 0)
                return n == -ENOENT || n == -ENOTDIR ? 0 : (int) n;
        return strcmp(text, "1") == 0;
}

/* The VGA device that the firmware used. When its driver is gone, it shows nothing. */
static int is_boot_vga(const HostDevice *device) {
        char name[NAME_MAX + 1];
        int r;

        r = attribute_is_set(device, "boot_vga");
        if (r <= 0)
                return r;

        r = host_device_find_below(device, "class/drm", "card", name);
        if (r == 0)
                r = host_device_find_below(device, "class/graphics", "fb", name);
        return r;
}

/* What the firmware used can be no VGA device: then its card says so, where Linux is as new as 2026. */
static int is_boot_display(const HostDevice *device) {
        char path[PATH_MAX + 8], attribute[NAME_MAX + 24];
        _cleanup_dir_ Dir *dir = NULL;
        const char *name;
        int r;

        snprintf(path, sizeof(path), "%s/drm", device->path);
        r = dir_open_at(device->host->sysfs, path, &dir);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

        while ((r = dir_next(dir, &name)) == DIR_ENTRY) {
                snprintf(attribute, sizeof(attribute), "drm/%s/boot_display", name);
                r = attribute_is_set(device, attribute);
                if (r != 0)
                        return r;
        }

        return r;
}

int host_display_in_use(const HostDevice *device, char *ret_use, size_t size) {
        int r;

        r = is_boot_vga(device);
        if (r == 0)
                r = is_boot_display(device);
        if (r <= 0)
                return r;

        snprintf(ret_use, size, "it is the display that the host was started with");
        return HOST_USE_FOUND;
}
