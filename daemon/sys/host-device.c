/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/parse.h"
#include "sys/host-device.h"

#define NVME_SUBSYSTEM_DIR "devices/virtual/nvme-subsystem/"

int host_device_find(const LocalHost *host, const char *subsystem, const char *name, HostDevice *ret) {
        char link[128];
        int r;

        if ((size_t) snprintf(link, sizeof(link), "bus/%s/devices/%s", subsystem, name) >= sizeof(link))
                return -ENAMETOOLONG;

        r = readlink_syspath_at(host->sysfs, link, ret->path, sizeof(ret->path));
        if (r < 0)
                return r == -ENOENT ? -ENODEV : r;

        ret->host = host;
        ret->name = name;
        return 0;
}

static bool path_is_below(const char *path, const char *dir) {
        size_t length = strlen(dir);

        return strncmp(path, dir, length) == 0 && path[length] == '/';
}

static int resolve_in(const HostDevice *device, const char *class, const char *name, char *ret) {
        char link[NAME_MAX + 32];

        if ((size_t) snprintf(link, sizeof(link), "%s/%s", class, name) >= sizeof(link))
                return -ENAMETOOLONG;
        return readlink_syspath_at(device->host->sysfs, link, ret, PATH_MAX);
}

/*
 * A disk with many paths hangs below its NVMe subsystem, @path. Every controller of that is a path to it.
 */
static int nvme_subsystem_is_below(const HostDevice *device, char *path) {
        size_t length = strlen(NVME_SUBSYSTEM_DIR);
        _cleanup_dir_ Dir *dir = NULL;
        char controller[PATH_MAX];
        const char *name;
        uint32_t number;
        int r;

        path[length + strcspn(path + length, "/")] = '\0';
        r = dir_open_at(device->host->sysfs, path, &dir);
        if (r < 0)
                return r;

        while ((r = dir_next(dir, &name)) == DIR_ENTRY) {
                if (strncmp(name, "nvme", 4) != 0 || parse_u32(name + 4, &number) < 0)
                        continue;
                r = resolve_in(device, "class/nvme", name, controller);
                if (r < 0 && r != -ENOENT)
                        return r;
                if (r >= 0 && path_is_below(controller, device->path))
                        return 1;
        }

        return r;
}

int host_device_has_named(const HostDevice *device, const char *class, const char *name) {
        char path[PATH_MAX];
        int r;

        r = resolve_in(device, class, name, path);
        if (r < 0)
                return r == -EINVAL ? 0 : r;         /* a file among them */
        if (path_is_below(path, device->path))
                return 1;
        if (strncmp(path, NVME_SUBSYSTEM_DIR, strlen(NVME_SUBSYSTEM_DIR)) == 0)
                return nvme_subsystem_is_below(device, path);
        return 0;
}

int host_device_has(const HostDevice *device, const char *class, const char *name) {
        int r;

        r = host_device_has_named(device, class, name);
        return r == -ENOENT ? 0 : r;         /* gone meanwhile */
}

int host_device_find_below(const HostDevice *device, const char *class, const char *prefix,
                           char ret[static NAME_MAX + 1]) {
        _cleanup_dir_ Dir *dir = NULL;
        const char *name;
        int r;

        r = dir_open_at(device->host->sysfs, class, &dir);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

        while ((r = dir_next(dir, &name)) == DIR_ENTRY) {
                if (strncmp(name, prefix, strlen(prefix)) != 0)
                        continue;
                r = host_device_has(device, class, name);
                if (r < 0)
                        return r;
                if (r > 0)
                        return copy_string(ret, NAME_MAX + 1, name) < 0 ? -ENAMETOOLONG : 1;
        }

        return r;
}
