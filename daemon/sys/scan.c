/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/dir.h"
#include "base/parse.h"
#include "sys/attribute.h"
#include "sys/scan-device.h"
#include "sys/scan.h"

#define GROUPS_DIR "kernel/iommu_groups"

/* What was there a moment ago need not be any more, and a name that fits no field can't be spoken of. */
static bool error_is_absence(int error) {
        return error == -ENOENT || error == -ENODEV || error == -ENOTDIR || error == -EXDEV ||
               error == -E2BIG;
}

/* Whether @name can be one component of a path below sysfs. */
static bool name_is_safe(const char *name) {
        return name[0] != '\0' && name[0] != '.' && !strchr(name, '/');
}

static int group_facts_read(int sysfs, uint32_t id, GroupFacts *ret) {
        _cleanup_free_ ReservedRegion *regions = NULL;
        char path[64];
        GroupFacts facts;
        size_t n_regions;
        int r;

        memset(&facts, 0, sizeof(facts));
        facts.id = id;

        r = scan_reserved_regions(sysfs, id, &regions, &n_regions);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n_regions; i++) {
                if (strcmp(regions[i].kind, "direct") == 0)
                        facts.direct = true;
                if (facts.n_regions < RESERVED_REGIONS_MAX)
                        facts.regions[facts.n_regions++] = regions[i];
        }

        snprintf(path, sizeof(path), GROUPS_DIR "/%u/type", id);
        attribute_read(sysfs, path, facts.type, sizeof(facts.type));

        memcpy(ret, &facts, sizeof(facts));
        return 0;
}

static int scan_group_device(
        int sysfs, int devices, const char *entry, uint32_t group, VfSpacing *spacing, DeviceFacts *ret) {
        _cleanup_close_ int device = -EBADF;
        int r;

        r = device_facts_begin(devices, entry, ret);
        if (r < 0)
                return r;

        device = openat(devices, entry, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (device < 0)
                return -errno;

        return device_facts_read(sysfs, device, group, spacing, ret);
}

static int scan_group_devices(
        int sysfs, uint32_t group, VfSpacing *spacing, const ScanFuncs *funcs, void *userdata) {
        _cleanup_dir_ Dir *devices = NULL;
        const char *entry;
        DeviceFacts facts;
        char path[64];
        int r;

        snprintf(path, sizeof(path), GROUPS_DIR "/%u/devices", group);
        r = dir_open_at(sysfs, path, &devices);
        if (r < 0)
                return error_is_absence(r) ? 0 : r;

        for (;;) {
                r = dir_next(devices, &entry);
                if (r != DIR_ENTRY)
                        return r;

                r = scan_group_device(sysfs, dir_fd(devices), entry, group, spacing, &facts);
                if (error_is_absence(r))
                        continue;
                if (r < 0)
                        return r;

                r = funcs->on_device(&facts, userdata);
                if (r < 0)
                        return r;
        }
}

int scan_all(int sysfs, const ScanFuncs *funcs, void *userdata) {
        _cleanup_dir_ Dir *groups = NULL;
        VfSpacing spacing = {};
        const char *entry;
        GroupFacts facts;
        uint32_t id;
        int r;

        r = dir_open_at(sysfs, GROUPS_DIR, &groups);
        if (r < 0)
                return error_is_absence(r) ? 0 : r;

        for (;;) {
                r = dir_next(groups, &entry);
                if (r != DIR_ENTRY)
                        return r;

                if (parse_u32(entry, &id) < 0)
                        continue;

                r = group_facts_read(sysfs, id, &facts);
                if (error_is_absence(r))
                        continue;
                if (r < 0)
                        return r;

                r = funcs->on_group(&facts, userdata);
                if (r < 0)
                        return r;

                r = scan_group_devices(sysfs, id, &spacing, funcs, userdata);
                if (r < 0)
                        return r;
        }
}

int scan_group(int sysfs, uint32_t id, GroupFacts *ret) {
        int r;

        r = group_facts_read(sysfs, id, ret);
        return error_is_absence(r) ? -ENODEV : r;
}

int scan_device(int sysfs, const char *subsystem, const char *name, DeviceFacts *ret) {
        char path[sizeof(ret->subsystem) + KERNEL_NAME_MAX + 16], group_name[16];
        _cleanup_close_ int device = -EBADF;
        DeviceFacts facts;
        uint32_t group;
        int r;

        if (!name_is_safe(subsystem) || !name_is_safe(name))
                return -ENODEV;
        if ((size_t) snprintf(path, sizeof(path), "bus/%s/devices/%s", subsystem, name) >= sizeof(path))
                return -ENODEV;

        device = openat(sysfs, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (device < 0)
                return error_is_absence(-errno) ? -ENODEV : -errno;

        r = readlink_name_at(device, "iommu_group", group_name, sizeof(group_name));
        if (r >= 0)
                r = parse_u32(group_name, &group);
        if (r < 0)
                return -ENODEV;

        r = device_facts_begin(sysfs, path, &facts);
        if (r >= 0)
                r = device_facts_read(sysfs, device, group, &(VfSpacing) {}, &facts);
        if (r < 0)
                return error_is_absence(r) ? -ENODEV : r;

        memcpy(ret, &facts, sizeof(facts));
        return 0;
}
