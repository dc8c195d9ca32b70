/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Operations on what is mapped.
 */

#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memfd.h"
#include "core/domain.h"
#include "core/ioas.h"
#include "core/lease-charge.h"
#include "core/lease-private.h"
#include "core/manager.h"
#include "core/operation-run.h"

#define PAGE_SIZE_MIN UINT64_C(4096)

/* ---- mapping: the kernel checks neither how a file was opened nor its seals, devices write to all */

static int check_memory(Operation *operation) {
        const FileMapping *map = &operation->map;
        MemfdInfo info;
        uint64_t end;
        int r;

        r = memfd_read_info(map->fd, &info);
        if (r < 0)
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                              "The memory is not of memfd_create(2), or not open for reading");

        if (info.can_shrink)
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                              "The memory could be cut off under the device: seal it with F_SEAL_SHRINK");

        if (map->writable && !info.writable)
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                              "The memory is open for reading only, or sealed against writing: map it with "
                              "\"write\" false");

        if (__builtin_add_overflow(map->offset, map->length, &end) || end > info.size)
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                        "%" PRIu64 " bytes at %" PRIu64
                        " are beyond the end of the memory, which has %" PRIu64,
                        map->length, map->offset, info.size);

        return 0;
}

static int check_sizes(Operation *operation, uint64_t alignment) {
        const FileMapping *map = &operation->map;

        if (alignment < PAGE_SIZE_MIN)
                alignment = PAGE_SIZE_MIN;

        if (!map->readable && !map->writable)
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                              "Nothing could be done with what is neither \"read\" nor \"write\"");

        if (map->length == 0 || map->length % alignment != 0 || map->offset % alignment != 0 ||
            (map->fixed && map->iova % alignment != 0))
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                              "Offset, length and address must be multiples of %" PRIu64
                              ", and the length not 0",
                              alignment);

        return 0;
}

static bool ranges_have(const IovaRanges *ranges, uint64_t iova, uint64_t length) {
        uint64_t last;

        if (__builtin_add_overflow(iova, length - 1, &last))
                return false;

        for (unsigned i = 0; i < ranges->n_items; i++)
                if (ranges->items[i].first <= iova && last <= ranges->items[i].last)
                        return true;

        return false;
}

static int check_address(Operation *operation, const Ioas *ioas, const IovaRanges *ranges) {
        const FileMapping *map = &operation->map;
        size_t first, n;
        int r;

        if (!ioas_allows(ioas, map->iova, map->length))
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                        "0x%" PRIx64 " and %" PRIu64
                        " bytes from there are not in one window of IOAS %" PRIu64,
                        map->iova, map->length, ioas->handle);

        if (!ranges_have(ranges, map->iova, map->length))
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                        "0x%" PRIx64 " and %" PRIu64 " bytes from there are not in one of the IovaRanges",
                        map->iova, map->length);

        r = ioas_find_mappings(ioas, map->iova, map->length, &first, &n);
        if (r < 0 || n > 0)
                return refuse(&operation->refusal, OUTCOME_IN_USE,
                              "Something is mapped at 0x%" PRIx64 " or up to %" PRIu64 " bytes behind it",
                              map->iova, map->length);

        return 0;
}

/* Where big pages fit, they are used. */
static uint64_t best_alignment(const FileMapping *map, uint64_t alignment) {
        static const uint64_t sizes[] = { UINT64_C(1) << 30, UINT64_C(2) << 20 };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++)
                if (map->length >= sizes[i] && map->offset % sizes[i] == 0)
                        return sizes[i];

        return alignment > PAGE_SIZE_MIN ? alignment : PAGE_SIZE_MIN;
}

static int operation_choose_address(Operation *operation, const Ioas *ioas, const IovaRanges *ranges) {
        FileMapping *map = &operation->map;

        if (map->fixed)
                return check_address(operation, ioas, ranges);

        for (unsigned i = 0; i < ranges->n_items; i++)
                if (ioas_find_room(ioas, &ranges->items[i], map->length,
                                   best_alignment(map, ranges->alignment), &map->iova)) {
                        /* what is on record before it is done can be undone by its address */
                        map->fixed = true;
                        return 0;
                }

        return refuse(&operation->refusal, OUTCOME_QUOTA,
                      "There is no room for %" PRIu64 " bytes in IOAS %" PRIu64, map->length, ioas->handle);
}

/* The lease has its own limits, and its user those of the policy. */
static int operation_charge_mapping(Lease *lease, Operation *operation) {
        int r;

        if (context_count_mappings(lease->context) >= LIMIT_LEASE_MAPPINGS)
                return refuse(&operation->refusal, OUTCOME_QUOTA,
                              "Lease %" PRIu64 " has %u mappings: unmap some first, or map more at once",
                              lease->id, LIMIT_LEASE_MAPPINGS);

        r = lease_charge(lease, ACCOUNT_MAPPINGS, 1, &operation->refusal);
        if (r > 0)
                return r;

        r = lease_charge(lease, ACCOUNT_PINNED_BYTES, operation->map.length, &operation->refusal);
        if (r > 0)
                lease_refund(lease, ACCOUNT_MAPPINGS, 1);
        return r;
}

static void operation_refund_mapping(Lease *lease, const Operation *operation) {
        lease_refund(lease, ACCOUNT_MAPPINGS, 1);
        lease_refund(lease, ACCOUNT_PINNED_BYTES, operation->map.length);
}

static void forget_mapping(Ioas *ioas, uint64_t iova, uint64_t length) {
        size_t first, n;
        int r;

        r = ioas_find_mappings(ioas, iova, length, &first, &n);
        assert(r == 0);
        (void) ioas_remove_mappings(ioas, first, n);
}

/* It is on record before it is mapped: what is pinned must be known of, whatever becomes of us. */
static int operation_start_map(Lease *lease, Operation *operation, Ioas *ioas) {
        const FileMapping *map = &operation->map;
        KernelFailure failure;
        int r;

        r = ioas_add_mapping(ioas, map->iova, map->length);
        if (r < 0) {
                operation_refund_mapping(lease, operation);
                kernel_failure(&failure, r, "remembering a mapping");
                return refuse_kernel(&operation->refusal, &failure);
        }

        r = lease_save(lease, &failure);
        if (r < 0) {
                forget_mapping(ioas, map->iova, map->length);
                operation_refund_mapping(lease, operation);
                return refuse_kernel(&operation->refusal, &failure);
        }
        operation->on_record = true;

        operation->job = (DmaJob) { .kind = DMA_JOB_MAP, .id = ioas->id, .map = *map };
        return operation_run(lease, operation, &map->fd, 1, map->length <= LIMIT_MAP_AT_ONCE);
}

int operation_begin_map(Lease *lease, Operation *operation) {
        const Kernel *kernel = lease->manager->kernel;
        KernelFailure failure;
        IovaRanges ranges;
        Ioas *ioas;
        int r;

        if (lease->mode != MODE_CONFINED)
                return refuse(&operation->refusal, OUTCOME_NOT_SUPPORTED,
                        "The client of lease %" PRIu64
                        " has the iommufd itself (mode %s): it maps with that, "
                        "and the kernel charges it",
                        lease->id, mode_to_string(lease->mode));

        ioas = operation_find_ioas(lease, operation, operation->handle);
        if (!ioas)
                return operation->refusal.outcome;

        r = kernel->dma->read_iova_ranges(kernel->userdata, lease->iommufd, ioas->id, &ranges, &failure);
        if (r < 0)
                return refuse_kernel(&operation->refusal, &failure);

        r = check_sizes(operation, ranges.alignment);
        if (r == 0)
                r = check_memory(operation);
        if (r == 0)
                r = operation_choose_address(operation, ioas, &ranges);
        if (r == 0)
                r = operation_charge_mapping(lease, operation);

        return r > 0 ? r : operation_start_map(lease, operation, ioas);
}

int operation_finish_map(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                         const KernelFailure *failure) {
        const FileMapping *map = &operation->map;
        Ioas *ioas = context_find_ioas(lease->context, operation->handle);

        if (result >= 0 && operation->job.kind == DMA_JOB_MAP) {
                assert(dma->iova == map->iova);
                return 0;
        }

        /* A child that was lost may have done it: it is taken back, which has no effect if it had not. */
        if (operation->job.kind == DMA_JOB_MAP)
                (void) refuse_kernel(&operation->refusal, failure);
        if (operation->job.kind == DMA_JOB_MAP && map->length > LIMIT_MAP_AT_ONCE) {
                operation->job = (DmaJob) {
                        .kind = DMA_JOB_UNMAP, .id = ioas->id, .iova = map->iova, .length = map->length,
                };
                return operation_run(lease, operation, /* fds= */ NULL, 0, /* at_once= */ false);
        }

        operation->on_record = false;
        forget_mapping(ioas, map->iova, map->length);
        operation_refund_mapping(lease, operation);
        return operation->refusal.outcome;
}

int operation_begin_unmap(Lease *lease, Operation *operation) {
        uint64_t bytes = 0;
        size_t first, n;
        Ioas *ioas;
        int r;

        if (lease->mode != MODE_CONFINED)
                return refuse(&operation->refusal, OUTCOME_NOT_SUPPORTED,
                              "The client of lease %" PRIu64 " has the iommufd itself (mode %s), and unmaps "
                              "with that what it has mapped",
                              lease->id, mode_to_string(lease->mode));

        ioas = operation_find_ioas(lease, operation, operation->handle);
        if (!ioas)
                return operation->refusal.outcome;

        r = ioas_find_mappings(ioas, operation->map.iova, operation->length, &first, &n);
        if (r < 0)
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                              "%" PRIu64 " bytes at 0x%" PRIx64 " cut a mapping, or are no range: what was "
                              "mapped at once is unmapped at once",
                              operation->length, operation->map.iova);
        if (n == 0)
                return refuse(&operation->refusal, OUTCOME_NO_SUCH_OBJECT,
                              "Nothing is mapped in %" PRIu64 " bytes at 0x%" PRIx64, operation->length,
                              operation->map.iova);

        for (size_t i = first; i < first + n; i++)
                bytes += ioas->mappings[i].length;

        operation->job = (DmaJob) {
                .kind = DMA_JOB_UNMAP,
                .id = ioas->id,
                .iova = operation->map.iova,
                .length = operation->length,
        };
        return operation_run(lease, operation, /* fds= */ NULL, 0, bytes <= LIMIT_UNMAP_AT_ONCE);
}

int operation_finish_unmap(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                           const KernelFailure *failure) {
        Ioas *ioas = context_find_ioas(lease->context, operation->handle);
        size_t first, n;
        int r;

        /* -ENOENT: a child that was lost has done it before */
        if (result < 0 && result != -ENOENT)
                return refuse_kernel(&operation->refusal, failure);

        r = ioas_find_mappings(ioas, operation->map.iova, operation->length, &first, &n);
        assert(r == 0);
        operation->length = ioas_remove_mappings(ioas, first, n);
        lease_refund(lease, ACCOUNT_MAPPINGS, n);
        lease_refund(lease, ACCOUNT_PINNED_BYTES, operation->length);
        return 0;
}

/* ---- what is dirty */

static Domain *operation_find_tracking(Lease *lease, Operation *operation) {
        Domain *domain;

        domain = operation_find_domain(lease, operation, operation->handle);
        if (!domain || domain->options.dirty_tracking)
                return domain;

        (void) refuse(&operation->refusal, OUTCOME_NOT_SUPPORTED,
                      "Domain %" PRIu64 " can't tell which pages are dirty: make one with dirty_tracking",
                      domain->handle);
        return NULL;
}

int operation_begin_set_dirty_tracking(Lease *lease, Operation *operation) {
        Domain *domain;

        domain = operation_find_tracking(lease, operation);
        if (!domain)
                return operation->refusal.outcome;

        operation->job = (DmaJob) {
                .kind = DMA_JOB_SET_DIRTY_TRACKING, .id = domain->id, .on = operation->on,
        };
        /* what is dirty by now is forgotten, in all that is mapped */
        return operation_run(lease, operation, /* fds= */ NULL, 0,
                             lease->mode == MODE_CONFINED && domain->ioas->pinned <= LIMIT_UNMAP_AT_ONCE);
}

int operation_finish_set_dirty_tracking(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                                        const KernelFailure *failure) {
        if (result < 0)
                return refuse_kernel(&operation->refusal, failure);

        context_find_domain(lease->context, operation->handle)->tracking = operation->on;
        return 0;
}

static int check_dirty_range(Operation *operation) {
        const DirtyRange *dirty = &operation->dirty;
        uint64_t last;

        if (dirty->page_size < PAGE_SIZE_MIN || (dirty->page_size & (dirty->page_size - 1)) != 0)
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                              "The page size must be a power of two, from %" PRIu64 " on", PAGE_SIZE_MIN);

        if (dirty->length == 0 || dirty->length % dirty->page_size != 0 ||
            dirty->iova % dirty->page_size != 0 ||
            __builtin_add_overflow(dirty->iova, dirty->length - 1, &last))
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                              "Address and length must be multiples of the page size, and the length not 0");

        if (dirty->length / dirty->page_size > LIMIT_DIRTY_BITMAP * 8)
                return refuse(&operation->refusal, OUTCOME_QUOTA,
                              "The bitmap would have more than %" PRIu64 " bytes: ask for less at once",
                              LIMIT_DIRTY_BITMAP);

        return 0;
}

int operation_begin_read_dirty(Lease *lease, Operation *operation) {
        KernelFailure failure;
        Domain *domain;
        int r;

        domain = operation_find_tracking(lease, operation);
        if (!domain)
                return operation->refusal.outcome;

        r = check_dirty_range(operation);
        if (r > 0)
                return r;

        operation->fd = memfd_create("iommud-dirty-bitmap", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (operation->fd < 0 ||
            ftruncate(operation->fd, (off_t) dirty_range_size(&operation->dirty)) < 0) {
                kernel_failure(&failure, -errno, "making memory for a bitmap");
                return refuse_kernel(&operation->refusal, &failure);
        }

        operation->job = (DmaJob) {
                .kind = DMA_JOB_READ_DIRTY, .id = domain->id, .dirty = operation->dirty,
        };
        return operation_run(
                lease, operation, &operation->fd, 1, operation->dirty.length <= LIMIT_UNMAP_AT_ONCE);
}

int operation_finish_read_dirty(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                                const KernelFailure *failure) {
        return result < 0 ? refuse_kernel(&operation->refusal, failure) : 0;
}
