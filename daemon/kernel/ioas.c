/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>

#include "core/kernel.h"
#include "kernel/ioas.h"
#include "kernel/ioctl.h"
#include "kernel/uapi.h"

int context_destroy(int context, uint32_t id, KernelFailure *reterr) {
        struct iommu_destroy destroy = { .size = sizeof(destroy), .id = id };
        int r;

        r = ioctl_retry(context, IOMMU_DESTROY, &destroy);
        return r < 0 ? kernel_failure(reterr, r, "ioctl IOMMU_DESTROY of %u", id) : 0;
}

static int ioas_set_small_pages(int context, uint32_t ioas, KernelFailure *reterr) {
        struct iommu_option option = {
                .size = sizeof(option),
                .option_id = IOMMU_OPTION_HUGE_PAGES,
                .op = IOMMU_OPTION_OP_SET,
                .object_id = ioas,
                .val64 = 0,
        };
        int r;

        r = ioctl_retry(context, IOMMU_OPTION, &option);
        return r < 0 ? kernel_failure(reterr, r, "ioctl IOMMU_OPTION HUGE_PAGES") : 0;
}

static int ioas_allow(int context, uint32_t ioas, const IoasOptions *options, KernelFailure *reterr) {
        struct iommu_iova_range ranges[IOVA_WINDOWS_MAX];
        struct iommu_ioas_allow_iovas allow = {
                .size = sizeof(allow),
                .ioas_id = ioas,
                .num_iovas = options->n_windows,
                .allowed_iovas = (uintptr_t) ranges,
        };
        int r;

        for (unsigned i = 0; i < options->n_windows; i++)
                ranges[i] = (struct iommu_iova_range) {
                        .start = options->windows[i].first,
                        .last = options->windows[i].last,
                };

        r = ioctl_retry(context, IOMMU_IOAS_ALLOW_IOVAS, &allow);
        return r < 0 ? kernel_failure(reterr, r, "ioctl IOMMU_IOAS_ALLOW_IOVAS") : 0;
}

int ioas_alloc(int context, const IoasOptions *options, uint32_t *ret, KernelFailure *reterr) {
        struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
        int r;

        r = ioctl_retry(context, IOMMU_IOAS_ALLOC, &alloc);
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl IOMMU_IOAS_ALLOC");

        if (options->small_pages)
                r = ioas_set_small_pages(context, alloc.out_ioas_id, reterr);
        if (r >= 0 && options->n_windows > 0)
                r = ioas_allow(context, alloc.out_ioas_id, options, reterr);
        if (r < 0) {
                /* nothing uses it yet */
                (void) context_destroy(context, alloc.out_ioas_id, /* reterr= */ NULL);
                return r;
        }

        *ret = alloc.out_ioas_id;
        return 0;
}

int ioas_read_ranges(int context, uint32_t ioas, IovaRanges *ret, KernelFailure *reterr) {
        struct iommu_iova_range ranges[IOVA_RANGES_MAX];
        struct iommu_ioas_iova_ranges query = {
                .size = sizeof(query),
                .ioas_id = ioas,
                .num_iovas = ELEMENTSOF(ranges),
                .allowed_iovas = (uintptr_t) ranges,
        };
        int r;

        r = ioctl_retry(context, IOMMU_IOAS_IOVA_RANGES, &query);
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl IOMMU_IOAS_IOVA_RANGES");

        *ret = (IovaRanges) { .n_items = query.num_iovas, .alignment = query.out_iova_alignment };
        for (unsigned i = 0; i < ret->n_items; i++)
                ret->items[i] = (IovaRange) { .first = ranges[i].start, .last = ranges[i].last };
        return 0;
}

int ioas_map_file(
        int context, uint32_t ioas, const FileMapping *mapping, uint64_t *ret_iova, KernelFailure *reterr) {
        struct iommu_ioas_map_file map = {
                .size = sizeof(map),
                .flags = (mapping->fixed ? (uint32_t) IOMMU_IOAS_MAP_FIXED_IOVA : 0) |
                         (mapping->writable ? (uint32_t) IOMMU_IOAS_MAP_WRITEABLE : 0) |
                         (mapping->readable ? (uint32_t) IOMMU_IOAS_MAP_READABLE : 0),
                .ioas_id = ioas,
                .fd = mapping->fd,
                .start = mapping->offset,
                .length = mapping->length,
                .iova = mapping->iova,
        };
        int r;

        r = ioctl_retry(context, IOMMU_IOAS_MAP_FILE, &map);
        if (r < 0)
                return kernel_failure(reterr, r,
                        "ioctl IOMMU_IOAS_MAP_FILE of %" PRIu64 " bytes at 0x%" PRIx64, mapping->length,
                        mapping->iova);

        *ret_iova = map.iova;
        return 0;
}

int ioas_unmap(int context, uint32_t ioas, uint64_t iova, uint64_t length, KernelFailure *reterr) {
        struct iommu_ioas_unmap unmap = {
                .size = sizeof(unmap),
                .ioas_id = ioas,
                .iova = iova,
                .length = length,
        };
        int r;

        r = ioctl_retry(context, IOMMU_IOAS_UNMAP, &unmap);
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl IOMMU_IOAS_UNMAP of %" PRIu64 " bytes at 0x%" PRIx64,
                                      length, iova);
        return 0;
}
