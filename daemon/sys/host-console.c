/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "sys/host-console.h"

/*
 * Returns 1, 0, or a negative errno. A hypervisor's console doesn't tell which device it is on. It's on that
 * of virtio, if there is one.
 */
static int has_console(const HostDevice *device, const char *name) {
        char port[NAME_MAX + 1];

        if (strncmp(name, "hvc", 3) == 0)
                return host_device_find_below(device, "class/virtio-ports", "", port);
        return host_device_has(device, "class/tty", name);
}

int host_console_in_use(const HostDevice *device, char *ret_use, size_t size) {
        char text[512], *next = text;
        ssize_t n;
        int r;

        /* "tty0 ttyS0" */
        n = read_text_at(device->host->sysfs, "class/tty/console/active", text, sizeof(text));
        if (n < 0)
                return n == -ENOENT ? 0 : (int) n;           /* a kernel without */

        while (next) {
                const char *name = strsep(&next, " ");

                if (name[0] == '\0')
                        continue;
                r = has_console(device, name);
                if (r < 0)
                        return r;
                if (r > 0) {
                        snprintf(ret_use, size, "the console %s is on it", name);
                        return HOST_USE_FOUND;
                }
        }

        return _HOST_USE_NONE;
}
