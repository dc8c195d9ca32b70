/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/parse.h"
#include "bus/path.h"
#include "core/lease.h"
#include "core/manager.h"
#include "names.h"

int path_of_device(const char *name, char **ret) {
        return sd_bus_path_encode(IOMMUD_PATH_DEVICE, name, ret);
}

int path_of_group(uint32_t id, char **ret) {
        return asprintf(ret, IOMMUD_PATH_GROUP "/%" PRIu32, id) < 0 ? -ENOMEM : 0;
}

int path_of_lease(uint64_t id, char **ret) {
        return asprintf(ret, IOMMUD_PATH_LEASE "/%" PRIu64, id) < 0 ? -ENOMEM : 0;
}

int path_of_lease_or_none(const Lease *lease, char **ret) {
        if (lease)
                return path_of_lease(lease->id, ret);

        *ret = strdup("/");
        return *ret ? 0 : -ENOMEM;
}

Device *path_to_device(const Manager *manager, const char *path) {
        _cleanup_free_ char *name = NULL, *proper = NULL;

        if (sd_bus_path_decode(path, IOMMUD_PATH_DEVICE, &name) <= 0)
                return NULL;

        /* a name can be written in many ways, one of them is the object's */
        if (path_of_device(name, &proper) < 0 || strcmp(path, proper) != 0)
                return NULL;

        return manager_find_device(manager, name);
}

/* What follows "PREFIX/", when it is a number written in its one way. */
static int path_number(const char *path, const char *prefix, uint64_t *ret) {
        size_t n = strlen(prefix);

        if (strncmp(path, prefix, n) != 0 || path[n] != '/')
                return -EINVAL;

        path += n + 1;
        if (path[0] == '0' && path[1])
                return -EINVAL;

        return parse_u64(path, ret);
}

Group *path_to_group(const Manager *manager, const char *path) {
        uint64_t id;

        if (path_number(path, IOMMUD_PATH_GROUP, &id) < 0 || id > UINT32_MAX)
                return NULL;

        return manager_find_group(manager, (uint32_t) id);
}

Lease *path_to_lease(const Manager *manager, const char *path) {
        uint64_t id;

        if (path_number(path, IOMMUD_PATH_LEASE, &id) < 0)
                return NULL;

        return manager_find_lease(manager, id);
}
