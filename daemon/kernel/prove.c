/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "kernel/fdinfo.h"
#include "kernel/holders.h"
#include "kernel/iommufd.h"
#include "kernel/path.h"
#include "kernel/prove.h"
#include "kernel/reset.h"
#include "kernel/retry.h"
#include "kernel/vfio-group.h"
#include "kernel/vfio-node.h"

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

static int find_holders(const IommufdBackend *backend, const char *device, dev_t node, Holders *ret,
                        KernelFailure *reterr) {
        char syspath[PATH_MAX];
        HeldDevice held = { .syspath = syspath, .node = node, .group = find_group_number(backend, device) };
        int r;

        r = fdinfo_make_syspath(backend, device, syspath);
        if (r < 0)
                return kernel_failure(reterr, r, "resolve %s", device);

        return holders_find(backend, &held, ret, reterr);
}

/* A bind that says that somebody else has the device, or its group. */
static bool error_is_held(int error) {
        return error == -EINVAL || error == -EPERM || error == -EBUSY;
}

/*
 * Takes the device and gives it back. Nobody can have it then, and closing it for the last time resets it.
 * EPERM and EBUSY are waited with: that can be ourselves, at another device of the same group.
 */
static int try_device(const IommufdBackend *backend, const char *subsystem, const char *device,
                      KernelFailure *reterr) {
        _cleanup_close_ int iommufd = -EBADF, fd = -EBADF;
        Retry retry = RETRY_INIT;
        VfioNode node;
        int r;

        r = iommufd_open(backend, &iommufd, reterr);
        if (r < 0)
                return r;

        r = vfio_node_open(backend, device, &node, &fd, reterr);
        if (r < 0)
                return r;

        do
                r = vfio_node_bind(fd, &node, iommufd, /* ret_id= */ NULL, reterr);
        while ((r == -EPERM || r == -EBUSY) && retry_again(&retry));
        if (error_is_held(r))
                return PROVE_HELD;
        if (r < 0)
                return r;

        /* before the close, which resets too but doesn't say how it went */
        r = reset_device(subsystem, device, fd, &node, reterr);
        if (r < 0)
                return r;

        return r == RESET_FAILED ? PROVE_RESET_FAILED : r == RESET_IMPOSSIBLE ? PROVE_NO_RESET : _PROVE_FREE;
}

/*
 * Who has it mapped has it too, and need not be among those who have it open. Where the maps can't be
 * read, what is known already is said.
 */
static void add_mapped(const IommufdBackend *backend, const VfioNode *node, Holders *holders) {
        Holders mapped;

        if (holders_find_mapped(backend, node->name, &mapped, /* reterr= */ NULL) < 0)
                return;

        for (unsigned i = 0; i < mapped.n_items && holders->n_items < HOLDERS_MAX; i++) {
                bool known = false;

                for (unsigned j = 0; j < holders->n_items; j++)
                        known = known || holders->items[j].pid == mapped.items[i].pid;
                if (!known)
                        holders->items[holders->n_items++] = mapped.items[i];
        }
}

static int prove_device(const IommufdBackend *backend, const char *subsystem, const char *device,
                        Holders *ret_holders, KernelFailure *reterr) {
        Holders holders = {};
        VfioNode node = {};
        bool has_node;
        int r;

        r = vfio_node_find(device, &node, reterr);
        if (r < 0 && r != -ENODEV)
                return r;
        has_node = r >= 0;

        r = find_holders(backend, device, node.number, &holders, reterr);
        if (r < 0)
                return r;

        if (holders.n_items == 0) {
                /* on no VFIO driver, and nobody is left from when it was */
                if (!has_node)
                        return _PROVE_FREE;

                /* held? It may be mapped; or on its way through a socket, where nobody can see it */
                r = try_device(backend, subsystem, device, reterr);
                if (r != PROVE_HELD)
                        return r;
        }

        if (has_node)
                add_mapped(backend, &node, &holders);
        *ret_holders = holders;
        return PROVE_HELD;
}

int prove_free(const IommufdBackend *backend, const char *subsystem, const char *name, Holders *ret_holders,
               KernelFailure *reterr) {
        char device[KERNEL_PATH_MAX];
        int r;

        r = kernel_device_path(backend, subsystem, name, device, reterr);
        if (r == -ENODEV)
                return PROVE_GONE;
        if (r < 0)
                return r;

        r = prove_device(backend, subsystem, device, ret_holders, reterr);
        if ((r < 0 || r == PROVE_RESET_FAILED) && access(device, F_OK) < 0 && errno == ENOENT)
                return PROVE_GONE; /* meanwhile, and that is why it failed */
        return r;
}
