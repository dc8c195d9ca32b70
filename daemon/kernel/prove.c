/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fault.h"
#include "base/fd.h"
#include "core/dma.h"
#include "kernel/device-holders.h"
#include "kernel/hw-info.h"
#include "kernel/iommufd.h"
#include "kernel/path.h"
#include "kernel/prove.h"
#include "kernel/reset.h"
#include "kernel/retry.h"
#include "kernel/vfio-node.h"

/* A bind that says that somebody else has the device, or its group. */
static bool error_is_held(int error) {
        return error == -EINVAL || error == -EPERM || error == -EBUSY;
}

/* Whether it does DMA for the host; all that make nodes, and these, leave that to who has the group. */
static bool is_native(const char *devices, const char *name, char *ret_driver) {
        static const char *const managed[] = { "vfio-pci", "pci-stub", "pcieport" };
        char path[KERNEL_PATH_MAX];

        if (kernel_path(path, /* reterr= */ NULL, "%s/%s/driver", devices, name) < 0 ||
            readlink_name_at(AT_FDCWD, path, ret_driver, KERNEL_NAME_MAX) < 0)
                return false;

        for (size_t i = 0; i < ELEMENTSOF(managed); i++)
                if (strcmp(ret_driver, managed[i]) == 0)
                        return false;

        return kernel_path(path, /* reterr= */ NULL, "%s/%s/vfio-dev", devices, name) >= 0 &&
               access(path, F_OK) < 0;
}

/*
 * The group is not somebody's but a driver's: a device has appeared in it, and was bound before the client
 * had begun. Nobody can be asked to close anything then. Returns -EPERM with *reterr, or 0: it is not so.
 */
static int check_siblings(const char *device, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX], driver[KERNEL_NAME_MAX];
        _cleanup_dir_ Dir *devices = NULL;
        const char *name;

        if (kernel_path(path, /* reterr= */ NULL, "%s/iommu_group/devices", device) < 0 ||
            dir_open_at(AT_FDCWD, path, &devices) < 0)
                return 0;

        while (dir_next(devices, &name) == DIR_ENTRY)
                if (is_native(path, name, driver))
                        return kernel_failure(reterr, -EPERM,
                                              "%s, of the same group, has the driver %s: unbind it", name,
                                              driver);

        return 0;
}

/*
 * Takes the device and gives it back. Nobody can have it then, and closing it for the last time resets it.
 * EPERM and EBUSY are waited with: that can be ourselves, at another device of the same group.
 */
static int try_device(const IommufdBackend *backend, const char *subsystem, const char *device,
                      HwInfo *ret_info, KernelFailure *reterr) {
        FAULT_SPAN;                          /* with the last close */
        _cleanup_close_ int iommufd = -EBADF, fd = -EBADF;
        Retry retry = RETRY_INIT;
        VfioNode node;
        HwInfo info;
        uint32_t id;
        int r;

        r = iommufd_open(backend, &iommufd, reterr);
        if (r < 0)
                return r;

        r = vfio_node_open(backend, device, &node, &fd, reterr);
        if (r < 0)
                return r;

        do
                r = vfio_node_bind(fd, &node, iommufd, &id, reterr);
        while ((r == -EPERM || r == -EBUSY) && retry_again(&retry));
        if (r == -EPERM && check_siblings(device, reterr) < 0)
                return r;
        if (error_is_held(r))
                return PROVE_HELD;
        if (r < 0)
                return r;

        if (ret_info && hw_info_read(iommufd, id, &info, /* reterr= */ NULL) >= 0) {
                hw_info_probe(iommufd, id, fd, &info);
                *ret_info = info;
        }

        /* before the close, which resets too but doesn't say how it went */
        r = reset_device(subsystem, device, fd, &node, reterr);
        if (r < 0)
                return r;

        return r == RESET_FAILED ? PROVE_RESET_FAILED : r == RESET_IMPOSSIBLE ? PROVE_NO_RESET : _PROVE_FREE;
}

static int prove_device(const IommufdBackend *backend, const char *subsystem, const char *device,
                        Holders *ret_holders, HwInfo *ret_info, KernelFailure *reterr) {
        Holders holders = {};
        VfioNode node = {};
        bool has_node;
        int r;

        r = vfio_node_find(device, &node, reterr);
        if (r < 0 && r != -ENODEV)
                return r;
        has_node = r >= 0;

        r = device_holders_find(backend, device, &node, /* pid= */ 0, &holders, reterr);
        if (r < 0)
                return r;

        if (holders.n_items == 0) {
                /* on no VFIO driver, and nobody is left from when it was */
                if (!has_node)
                        return _PROVE_FREE;

                /* held? It may be mapped; or on its way through a socket, where nobody can see it */
                r = try_device(backend, subsystem, device, ret_info, reterr);
                if (r != PROVE_HELD)
                        return r;
        }

        if (has_node)
                device_holders_add_mapped(backend, &node, /* pid= */ 0, &holders);
        *ret_holders = holders;
        return PROVE_HELD;
}

int prove_free(const IommufdBackend *backend, const char *subsystem, const char *name, Holders *ret_holders,
               HwInfo *ret_info, KernelFailure *reterr) {
        char device[KERNEL_PATH_MAX];
        int r;

        r = kernel_device_find(backend, subsystem, name, device, reterr);
        if (r == -ENODEV)
                return PROVE_GONE;
        if (r < 0)
                return r;

        r = prove_device(backend, subsystem, device, ret_holders, ret_info, reterr);
        if ((r < 0 || r == PROVE_RESET_FAILED) &&
            kernel_device_find(backend, subsystem, name, device, /* reterr= */ NULL) == -ENODEV)
                return PROVE_GONE; /* meanwhile, and that is why it failed */
        return r;
}
