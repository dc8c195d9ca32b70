/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/ioctl.h>

#include "base/parse.h"
#include "kernel/uapi.h"
#include "mock-domain.h"

#define EVENTS_MAX 16

static int domain_init(MockDomain *domain, const DmaClient *client, const char *name) {
        *domain = (MockDomain) { .client = client, .faults = -EBADF, .events = -EBADF };
        return copy_string(domain->name, sizeof(domain->name), name);
}

static int domain_open_faults(MockDomain *domain, uint32_t *ret_id) {
        struct iommu_fault_alloc fault = { .size = sizeof(fault) };

        if (ioctl(domain->client->iommufd, IOMMU_FAULT_QUEUE_ALLOC, &fault) < 0)
                return -errno;

        domain->faults = (int) fault.out_fault_fd;
        *ret_id = fault.out_fault_id;
        return 0;
}

static int domain_allocate(MockDomain *domain, unsigned options) {
        static const struct {
                unsigned option;
                uint32_t flag;
        } flags[] = {
                { MOCK_DOMAIN_DIRTY, IOMMU_HWPT_ALLOC_DIRTY_TRACKING },
                { MOCK_DOMAIN_PASID, IOMMU_HWPT_ALLOC_PASID },
                { MOCK_DOMAIN_NEST, IOMMU_HWPT_ALLOC_NEST_PARENT },
                { MOCK_DOMAIN_FAULT, IOMMU_HWPT_FAULT_ID_VALID },
        };
        struct iommu_hwpt_alloc hwpt = {
                .size = sizeof(hwpt),
                .dev_id = domain->client->device_id,
                .pt_id = domain->ioas,
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(flags); i++)
                if (options & flags[i].option)
                        hwpt.flags |= flags[i].flag;
        if (options & MOCK_DOMAIN_FAULT) {
                r = domain_open_faults(domain, &hwpt.fault_id);
                if (r < 0)
                        return r;
        }

        if (ioctl(domain->client->iommufd, IOMMU_HWPT_ALLOC, &hwpt) < 0)
                return -errno;

        domain->id = hwpt.out_hwpt_id;
        return 0;
}

int mock_domain_create(const DmaClient *client, const char *name, unsigned options, MockDomain *ret) {
        struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
        MockDomain domain;
        int r;

        r = domain_init(&domain, client, name);
        if (r < 0)
                return r;

        if (ioctl(client->iommufd, IOMMU_IOAS_ALLOC, &ioas) < 0)
                return -errno;
        domain.ioas = ioas.out_ioas_id;

        r = domain_allocate(&domain, options);
        if (r < 0)
                return r;

        r = dma_client_allocate(client->size, &domain.memory);
        if (r < 0)
                return r;
        domain.iova = client->iova;
        domain.size = client->size;

        if (!(options & MOCK_DOMAIN_EMPTY)) {
                r = dma_client_map(client, domain.ioas, domain.iova, domain.memory, domain.size);
                if (r < 0)
                        return r;
        }

        *ret = domain;
        return 0;
}

int mock_domain_nest(const MockDomain *parent, const char *name, const struct mock_window *window,
                     MockDomain *ret) {
        struct iommu_hwpt_alloc hwpt = {
                .size = sizeof(hwpt),
                .dev_id = parent->client->device_id,
                .pt_id = parent->id,
                .data_type = MOCK_HWPT_DATA_WINDOW,
                .data_len = sizeof(*window),
                .data_uptr = (uintptr_t) window,
        };
        MockDomain domain;
        int r;

        r = domain_init(&domain, parent->client, name);
        if (r < 0)
                return r;
        if (ioctl(parent->client->iommufd, IOMMU_HWPT_ALLOC, &hwpt) < 0)
                return -errno;

        domain.id = hwpt.out_hwpt_id;
        *ret = domain;
        return 0;
}

int mock_domain_virtualize(const MockDomain *parent, const char *name, uint64_t virt_id, MockDomain *ret) {
        struct iommu_viommu_alloc viommu = {
                .size = sizeof(viommu),
                .type = MOCK_VIOMMU_TYPE,
                .dev_id = parent->client->device_id,
                .hwpt_id = parent->id,
        };
        struct iommu_vdevice_alloc device = {
                .size = sizeof(device),
                .dev_id = parent->client->device_id,
                .virt_id = virt_id,
        };
        struct iommu_veventq_alloc events = {
                .size = sizeof(events),
                .type = MOCK_VEVENTQ_TYPE,
                .veventq_depth = EVENTS_MAX,
        };
        MockDomain domain;
        int r;

        r = domain_init(&domain, parent->client, name);
        if (r < 0)
                return r;

        if (ioctl(parent->client->iommufd, IOMMU_VIOMMU_ALLOC, &viommu) < 0)
                return -errno;
        device.viommu_id = events.viommu_id = viommu.out_viommu_id;
        if (ioctl(parent->client->iommufd, IOMMU_VDEVICE_ALLOC, &device) < 0 ||
            ioctl(parent->client->iommufd, IOMMU_VEVENTQ_ALLOC, &events) < 0)
                return -errno;

        domain.id = viommu.out_viommu_id;
        domain.events = (int) events.out_veventq_fd;
        *ret = domain;
        return 0;
}

int mock_domain_unmap(const MockDomain *domain, uint64_t iova, uint64_t length) {
        struct iommu_ioas_unmap unmap = {
                .size = sizeof(unmap),
                .ioas_id = domain->ioas,
                .iova = iova,
                .length = length,
        };

        return ioctl(domain->client->iommufd, IOMMU_IOAS_UNMAP, &unmap) < 0 ? -errno : 0;
}

unsigned char *mock_domain_at(const MockDomain *domain, uint64_t iova, uint64_t length) {
        if (!domain->memory || iova < domain->iova || length > domain->size ||
            iova - domain->iova > domain->size - length)
                return NULL;

        return domain->memory + (iova - domain->iova);
}

int mock_domain_track(const MockDomain *domain, bool on) {
        struct iommu_hwpt_set_dirty_tracking tracking = {
                .size = sizeof(tracking),
                .flags = on ? IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0,
                .hwpt_id = domain->id,
        };

        return ioctl(domain->client->iommufd, IOMMU_HWPT_SET_DIRTY_TRACKING, &tracking) < 0 ? -errno : 0;
}

int mock_domain_read_dirty(const MockDomain *domain, uint64_t iova, uint64_t length, uint64_t **ret) {
        _cleanup_free_ uint64_t *bitmap = NULL;
        struct iommu_hwpt_get_dirty_bitmap get = {
                .size = sizeof(get),
                .hwpt_id = domain->id,
                .iova = iova,
                .length = length,
                .page_size = DMA_CLIENT_PAGE,
        };

        bitmap = calloc(length / DMA_CLIENT_PAGE / 64 + 1, sizeof(*bitmap));
        if (!bitmap)
                return -ENOMEM;

        get.data = (uintptr_t) bitmap;
        if (ioctl(domain->client->iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, &get) < 0)
                return -errno;

        *ret = TAKE_PTR(bitmap);
        return 0;
}

int mock_domain_invalidate(const MockDomain *domain, uint64_t first, uint64_t last) {
        const struct mock_invalidate entry = { .first = first, .last = last };
        struct iommu_hwpt_invalidate invalidate = {
                .size = sizeof(invalidate),
                .hwpt_id = domain->id,
                .data_uptr = (uintptr_t) &entry,
                .data_type = MOCK_INVALIDATE_DATA,
                .entry_len = sizeof(entry),
                .entry_num = 1,
        };

        return ioctl(domain->client->iommufd, IOMMU_HWPT_INVALIDATE, &invalidate) < 0 ? -errno : 0;
}
