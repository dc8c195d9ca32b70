/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "core/kernel.h"
#include "kernel/ioctl.h"
#include "kernel/uapi.h"
#include "kernel/viommu.h"

int viommu_alloc(
        int context, const VirtualSpec *spec, uint32_t *ret, void *data, KernelFailure *reterr) {
        struct iommu_viommu_alloc alloc = {
                .size = sizeof(alloc),
                .type = spec->type,
                .dev_id = spec->device,
                .hwpt_id = spec->parent,
                .data_len = spec->data_length,
                .data_uptr = spec->data_length > 0 ? (uintptr_t) data : 0,
        };
        int r;

        /* the driver answers where it was asked */
        memcpy(data, spec->data, spec->data_length);
        r = ioctl_retry(context, IOMMU_VIOMMU_ALLOC, &alloc);
        if (r < 0)
                return kernel_failure(reterr, r,
                                      "ioctl IOMMU_VIOMMU_ALLOC of type 0x%x with %u bytes of data",
                                      spec->type, spec->data_length);

        *ret = alloc.out_viommu_id;
        return 0;
}

int vdevice_alloc(int context, const VirtualSpec *spec, uint32_t *ret, KernelFailure *reterr) {
        struct iommu_vdevice_alloc alloc = {
                .size = sizeof(alloc),
                .viommu_id = spec->parent,
                .dev_id = spec->device,
                .virt_id = spec->virt_id,
        };
        int r;

        r = ioctl_retry(context, IOMMU_VDEVICE_ALLOC, &alloc);
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl IOMMU_VDEVICE_ALLOC");

        *ret = alloc.out_vdevice_id;
        return 0;
}

int veventq_alloc(
        int context, const VirtualSpec *spec, uint32_t *ret, int *ret_fd, KernelFailure *reterr) {
        struct iommu_veventq_alloc alloc = {
                .size = sizeof(alloc),
                .viommu_id = spec->parent,
                .type = spec->type,
                .veventq_depth = spec->depth,
        };
        int r;

        r = ioctl_retry(context, IOMMU_VEVENTQ_ALLOC, &alloc);
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl IOMMU_VEVENTQ_ALLOC of type 0x%x", spec->type);

        *ret = alloc.out_veventq_id;
        *ret_fd = (int) alloc.out_veventq_fd;        /* close-on-exec, the kernel makes it so */
        return 0;
}
