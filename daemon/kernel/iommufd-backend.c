/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/fault.h"
#include "base/fd.h"
#include "kernel/driver.h"
#include "kernel/iommufd.h"
#include "kernel/parked.h"
#include "kernel/path.h"
#include "kernel/prove.h"
#include "kernel/vfio-group.h"
#include "kernel/vfio-node.h"

static int backend_open_context(void *userdata, Accounting accounting, int *ret_fd, KernelFailure *reterr) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = iommufd_open(userdata, &fd, reterr);
        if (r < 0)
                return r;

        r = iommufd_set_accounting(fd, accounting, reterr);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int backend_open_device(void *userdata, const char *subsystem, const char *name, int *ret_fd,
                               KernelFailure *reterr) {
        char device[KERNEL_PATH_MAX];
        VfioNode node;
        int r;

        r = kernel_device_path(userdata, subsystem, name, device, reterr);
        if (r < 0)
                return r;

        return vfio_node_open(userdata, device, &node, ret_fd, reterr);
}

static int backend_read_driver(void *userdata, const char *subsystem, const char *name, char *ret_driver,
                               char *ret_override, KernelFailure *reterr) {
        return driver_read(userdata, subsystem, name, ret_driver, ret_override, reterr);
}

static int backend_probe_group(void *userdata, uint32_t group, KernelFailure *reterr) {
        return vfio_group_probe(userdata, group, reterr);
}

static int backend_set_driver(void *userdata, const char *subsystem, const char *name, const char *driver,
                              const char *override, KernelFailure *reterr) {
        return driver_set(userdata, subsystem, name, driver, override, reterr);
}

static int backend_prove_free(void *userdata, const char *subsystem, const char *name, Holders *ret_holders,
                              KernelFailure *reterr) {
        return prove_free(userdata, subsystem, name, ret_holders, reterr);
}

static int backend_check_parked(void *userdata, const char *subsystem, const char *name, int device,
                                int iommufd, KernelFailure *reterr) {
        return parked_check(userdata, subsystem, name, device, iommufd, reterr);
}

static int backend_bind_device(void *userdata, const char *subsystem, const char *name, int device,
                               int iommufd, uint32_t *ret_id, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX];
        VfioNode node;
        int r;

        r = kernel_device_path(userdata, subsystem, name, path, reterr);
        if (r < 0)
                return r;

        r = vfio_node_find(path, &node, reterr);
        if (r < 0)
                return r;

        return vfio_node_bind(device, &node, iommufd, ret_id, reterr);
}

static void backend_close_device(void *userdata, const char *subsystem, const char *name, int device) {
        (void) fault_point();                /* a test can only kill */
        (void) close_fd(device);
}

static const KernelOps backend_ops = {
        .open_context = backend_open_context,
        .open_device = backend_open_device,
        .read_driver = backend_read_driver,
        .probe_group = backend_probe_group,
        .check_parked = backend_check_parked,
        .set_driver = backend_set_driver,
        .prove_free = backend_prove_free,
        .bind_device = backend_bind_device,
        .close_device = backend_close_device,
};

Kernel iommufd_backend_kernel(const IommufdBackend *backend) {
        return (Kernel) { .ops = &backend_ops, .userdata = (void *) backend };
}
