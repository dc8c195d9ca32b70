/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whether a device is bound to a context: the kernel does not tell. But only in the device's own context
 * does it keep an address space from being destroyed.
 */

#include "kernel/ioctl.h"
#include "kernel/parked.h"
#include "kernel/path.h"
#include "kernel/uapi.h"
#include "kernel/vfio-node.h"

static int ioas_alloc(int iommufd, uint32_t *ret, KernelFailure *reterr) {
        struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
        int r;

        r = ioctl_retry(iommufd, IOMMU_IOAS_ALLOC, &alloc);
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl IOMMU_IOAS_ALLOC");

        *ret = alloc.out_ioas_id;
        return 0;
}

static int object_destroy(int iommufd, uint32_t id, KernelFailure *reterr) {
        struct iommu_destroy destroy = { .size = sizeof(destroy), .id = id };
        int r;

        r = ioctl_retry(iommufd, IOMMU_DESTROY, &destroy);
        return r < 0 ? kernel_failure(reterr, r, "ioctl IOMMU_DESTROY") : 0;
}

static int device_attach(int device, const VfioNode *node, uint32_t id, KernelFailure *reterr) {
        struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach), .pt_id = id };
        int r;

        r = ioctl_retry(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl VFIO_DEVICE_ATTACH_IOMMUFD_PT on %s", node->name);
        return 0;
}

static int device_detach(int device, const VfioNode *node, KernelFailure *reterr) {
        struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };
        int r;

        r = ioctl_retry(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl VFIO_DEVICE_DETACH_IOMMUFD_PT on %s", node->name);
        return 0;
}

/* Whether @device, attached to the address space @id of its own context, is so to that of this one. */
static int check_attached(
        int device, const VfioNode *node, int iommufd, uint32_t id, KernelFailure *reterr) {
        int r;

        r = device_attach(device, node, id, reterr);
        if (r < 0)
                return r;

        r = object_destroy(iommufd, id, reterr);
        if (r == -EBUSY)
                return device_detach(device, node, reterr);

        (void) device_detach(device, node, /* reterr= */ NULL);       /* the first failure counts */
        return r < 0 ? r : kernel_failure(reterr, -EXDEV, "%s is bound to another iommufd", node->name);
}

int parked_check(const IommufdBackend *backend, const char *subsystem, const char *name, int device,
                 int iommufd, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX];
        VfioNode node;
        uint32_t id = 0;
        int r;

        r = kernel_device_path(backend, subsystem, name, path, reterr);
        if (r < 0)
                return r;

        r = vfio_node_find(path, &node, reterr);
        if (r < 0)
                return r;

        r = vfio_node_prove(backend, device, path, &node, reterr);
        if (r < 0)
                return r;

        r = ioas_alloc(iommufd, &id, reterr);
        if (r < 0)
                return r;

        r = check_attached(device, &node, iommufd, id, reterr);
        if (r < 0) {
                /* it is gone, or of no use to anybody */
                (void) object_destroy(iommufd, id, /* reterr= */ NULL);
                return r;
        }

        return object_destroy(iommufd, id, reterr);
}
