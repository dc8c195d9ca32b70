/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/dir.h"
#include "sys/attribute.h"
#include "sys/serial.h"

static void read_nvme(int device, char *buffer, size_t size) {
        _cleanup_dir_ Dir *controllers = NULL;
        const char *name;
        char path[64];

        if (dir_open_at(device, "nvme", &controllers) < 0)
                return;

        /* a PCI function is one controller */
        if (dir_next(controllers, &name) == DIR_ENTRY &&
            (size_t) snprintf(path, sizeof(path), "%s/serial", name) < sizeof(path))
                attribute_read(dir_fd(controllers), path, buffer, size);
}

void serial_read(int device, const char *driver, char *buffer, size_t size) {
        attribute_read(device, "serial_number", buffer, size);
        if (buffer[0] == '\0' && strcmp(driver, "nvme") == 0)
                read_nvme(device, buffer, size);
}
