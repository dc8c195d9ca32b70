/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whether a device is bound to a context: the kernel does not tell. But only in the device's own context
 * does it keep an address space from being destroyed.
 */

#include "kernel/attach.h"
#include "kernel/ioas.h"
#include "kernel/ioctl.h"
#include "kernel/parked.h"
#include "kernel/path.h"
#include "kernel/uapi.h"
#include "kernel/vfio-node.h"

/* Not device_attach(): that waits for a reset in the group, and this is called in the event loop. */
static int attach_now(int device, const VfioNode *node, uint32_t id, KernelFailure *reterr) {
        struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach), .pt_id = id };
        int r;

        r = ioctl_retry(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl VFIO_DEVICE_ATTACH_IOMMUFD_PT on %s", node->name);
        return 0;
}

/* Whether @device, attached to the address space @id of its own context, is so to that of this one. */
static int check_attached(
        int device, const VfioNode *node, int iommufd, uint32_t id, KernelFailure *reterr) {
        int r, q;

        r = attach_now(device, node, id, reterr);
        if (r < 0)
                return r;

        r = context_destroy(iommufd, id, reterr);
        if (r == -EBUSY)
                return device_detach(device, PASID_NONE, reterr);

        if (r >= 0)
                r = kernel_failure(reterr, -EXDEV, "%s is bound to another iommufd", node->name);

        /* the first failure counts */
        q = device_detach(device, PASID_NONE, /* reterr= */ NULL);
        (void) q;
        return r;
}

int parked_check(const IommufdBackend *backend, const char *subsystem, const char *name, int device,
                 int iommufd, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX];
        VfioNode node;
        uint32_t id = 0;
        int r;

        r = kernel_device_find(backend, subsystem, name, path, reterr);
        if (r < 0)
                return r;

        r = vfio_node_find(path, &node, reterr);
        if (r < 0)
                return r;

        r = vfio_node_prove(backend, device, path, &node, reterr);
        if (r < 0)
                return r;

        r = ioas_alloc(iommufd, &(IoasOptions) {}, &id, reterr);
        if (r < 0)
                return r;

        r = check_attached(device, &node, iommufd, id, reterr);
        if (r < 0) {
                /* it is gone, or of no use to anybody */
                (void) context_destroy(iommufd, id, /* reterr= */ NULL);
                return r;
        }

        return context_destroy(iommufd, id, reterr);
}
