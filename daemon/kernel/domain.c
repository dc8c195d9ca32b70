/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "core/kernel.h"
#include "kernel/domain.h"
#include "kernel/ioctl.h"
#include "kernel/uapi.h"

int domain_alloc(int context, const DomainSpec *spec, uint32_t *ret, KernelFailure *reterr) {
        const DomainOptions *options = spec->options;
        struct iommu_hwpt_alloc alloc = {
                .size = sizeof(alloc),
                .flags =
                        (options->kind == DOMAIN_NEST_PARENT ? (uint32_t) IOMMU_HWPT_ALLOC_NEST_PARENT : 0) |
                        (options->dirty_tracking ? (uint32_t) IOMMU_HWPT_ALLOC_DIRTY_TRACKING : 0) |
                        (options->pasid ? (uint32_t) IOMMU_HWPT_ALLOC_PASID : 0) |
                        (options->fault_queue ? (uint32_t) IOMMU_HWPT_FAULT_ID_VALID : 0),
                .dev_id = spec->device,
                .pt_id = spec->parent,
                .fault_id = options->fault_queue ? spec->fault_queue : 0,
        };
        int r;

        if (options->kind == DOMAIN_NESTED) {
                alloc.data_type = options->data_type;
                alloc.data_len = options->data_length;
                alloc.data_uptr = (uintptr_t) options->data;
        }

        r = ioctl_retry(context, IOMMU_HWPT_ALLOC, &alloc);
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl IOMMU_HWPT_ALLOC with flags 0x%x", alloc.flags);

        *ret = alloc.out_hwpt_id;
        return 0;
}

int domain_set_dirty_tracking(int context, uint32_t domain, bool on, KernelFailure *reterr) {
        struct iommu_hwpt_set_dirty_tracking set = {
                .size = sizeof(set),
                .flags = on ? (uint32_t) IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0,
                .hwpt_id = domain,
        };
        int r;

        r = ioctl_retry(context, IOMMU_HWPT_SET_DIRTY_TRACKING, &set);
        return r < 0 ? kernel_failure(reterr, r, "ioctl IOMMU_HWPT_SET_DIRTY_TRACKING") : 0;
}

int domain_read_dirty(
        int context, uint32_t domain, const DirtyRange *range, uint64_t *bitmap, KernelFailure *reterr) {
        struct iommu_hwpt_get_dirty_bitmap get = {
                .size = sizeof(get),
                .hwpt_id = domain,
                .flags = range->keep ? (uint32_t) IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR : 0,
                .iova = range->iova,
                .length = range->length,
                .page_size = range->page_size,
                .data = (uintptr_t) bitmap,
        };
        int r;

        r = ioctl_retry(context, IOMMU_HWPT_GET_DIRTY_BITMAP, &get);
        return r < 0 ? kernel_failure(reterr, r, "ioctl IOMMU_HWPT_GET_DIRTY_BITMAP") : 0;
}

int fault_queue_alloc(int context, uint32_t *ret, int *ret_fd, KernelFailure *reterr) {
        struct iommu_fault_alloc alloc = { .size = sizeof(alloc) };
        int r;

        r = ioctl_retry(context, IOMMU_FAULT_QUEUE_ALLOC, &alloc);
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl IOMMU_FAULT_QUEUE_ALLOC");

        *ret = alloc.out_fault_id;
        *ret_fd = (int) alloc.out_fault_fd;  /* close-on-exec, the kernel makes it so */
        return 0;
}
