/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>

#include "base/fd.h"
#include "base/parse.h"
#include "kernel/device-holders.h"
#include "kernel/fdinfo.h"
#include "kernel/holders.h"
#include "kernel/path.h"
#include "kernel/vfio-group.h"

/* The number of the node of the device's group; 0 for none. */
static dev_t find_group_number(const IommufdBackend *backend, const char *device) {
        char path[KERNEL_PATH_MAX], name[16];
        uint32_t group;
        dev_t number;

        if (kernel_path(path, /* reterr= */ NULL, "%s/iommu_group", device) < 0 ||
            readlink_name_at(AT_FDCWD, path, name, sizeof(name)) < 0 || parse_u32(name, &group) < 0 ||
            vfio_group_number(backend, group, &number) < 0)
                return 0;

        return number;
}

int device_holders_find(const IommufdBackend *backend, const char *device, const VfioNode *node, pid_t pid,
                        Holders *ret, KernelFailure *reterr) {
        char syspath[PATH_MAX];
        HeldDevice held = {
                .syspath = syspath,
                .node = node->number,
                .group = find_group_number(backend, device),
        };

        fdinfo_make_syspath(backend, device, syspath);
        return holders_find(backend, &held, pid, ret, reterr);
}

void device_holders_add_mapped(
        const IommufdBackend *backend, const VfioNode *node, pid_t pid, Holders *holders) {
        Holders mapped;

        if (holders_find_mapped(backend, node->name, pid, &mapped, /* reterr= */ NULL) < 0)
                return;

        for (unsigned i = 0; i < mapped.n_items && holders->n_items < HOLDERS_MAX; i++) {
                bool known = false;

                for (unsigned j = 0; j < holders->n_items; j++)
                        known = known || holders->items[j].pid == mapped.items[i].pid;
                if (!known)
                        holders->items[holders->n_items++] = mapped.items[i];
        }
}
