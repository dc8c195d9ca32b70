/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kernel/uapi.h"
#include "mock-dma.h"

int mock_set(Mock *mock, char **words) {
        const MockDomain *domain = mock_find_domain(mock, words[0]);
        uint64_t v[3]; /* iova, length, pattern */
        unsigned char *memory;

        if (!domain || mock_parse(words + 1, 3, v) < 0)
                return -EINVAL;
        memory = mock_domain_at(domain, v[0], v[1]);
        if (!memory)
                return -ERANGE;

        for (uint64_t i = 0; i + sizeof(v[2]) <= v[1]; i += sizeof(v[2]))
                memcpy(memory + i, &v[2], sizeof(v[2]));
        puts("done");
        return 0;
}

int mock_expect(Mock *mock, char **words) {
        const MockDomain *domain = mock_find_domain(mock, words[0]);
        uint64_t v[3], value; /* iova, length, pattern */
        const unsigned char *memory;

        if (!domain || mock_parse(words + 1, 3, v) < 0)
                return -EINVAL;
        memory = mock_domain_at(domain, v[0], v[1]);
        if (!memory)
                return -ERANGE;

        for (uint64_t i = 0; i + sizeof(value) <= v[1]; i += sizeof(value)) {
                memcpy(&value, memory + i, sizeof(value));
                if (value != v[2]) {
                        printf("differs 0x%" PRIx64 " 0x%" PRIx64 "\n", v[0] + i, value);
                        return 0;
                }
        }

        puts("same");
        return 0;
}

static int add_domain(Mock *mock, const MockDomain *domain) {
        if (mock->n_domains == MOCK_DOMAINS_MAX)
                return -ENOSPC;

        mock->domains[mock->n_domains++] = *domain;
        printf("%" PRIu32 "\n", domain->id);
        return 0;
}

int mock_parse_options(char **words, unsigned *ret) {
        static const struct {
                const char *name;
                unsigned option;
        } options[] = {
                { "empty", MOCK_DOMAIN_EMPTY },
                { "dirty", MOCK_DOMAIN_DIRTY },
                { "pasid", MOCK_DOMAIN_PASID },
                { "nest", MOCK_DOMAIN_NEST },
                { "fault", MOCK_DOMAIN_FAULT },
        };
        unsigned wanted = 0;

        for (; *words; words++) {
                size_t i;

                for (i = 0; i < ELEMENTSOF(options) && strcmp(*words, options[i].name) != 0; i++)
                        ;
                if (i == ELEMENTSOF(options))
                        return -EINVAL;
                wanted |= options[i].option;
        }

        *ret = wanted;
        return 0;
}

int mock_domain(Mock *mock, char **words) {
        MockDomain domain;
        unsigned wanted;
        int r;

        r = mock_parse_options(words + 1, &wanted);
        if (r < 0)
                return r;
        r = mock_domain_create(&mock->client, words[0], wanted, &domain);
        return r < 0 ? r : add_domain(mock, &domain);
}

int mock_nested(Mock *mock, char **words) {
        const MockDomain *parent = mock_find_domain(mock, words[1]);
        struct mock_window window;
        MockDomain domain;
        uint64_t v[3];
        int r;

        if (!parent || mock_parse(words + 2, 3, v) < 0)
                return -EINVAL;

        window = (struct mock_window) { .first = v[0], .last = v[1], .base = v[2] };
        r = mock_domain_nest(parent, words[0], &window, &domain);
        return r < 0 ? r : add_domain(mock, &domain);
}

int mock_virtual(Mock *mock, char **words) {
        const MockDomain *parent = mock_find_domain(mock, words[1]);
        MockDomain domain;
        uint64_t id;
        int r;

        if (!parent || dma_client_parse(words[2], &id) < 0)
                return -EINVAL;

        r = mock_domain_virtualize(parent, words[0], id, &domain);
        return r < 0 ? r : add_domain(mock, &domain);
}

int mock_event(Mock *mock, char **words) {
        const MockDomain *domain = mock_find_domain(mock, words[0]);
        struct {
                struct iommufd_vevent_header header;
                struct mock_event event;
        } event;

        if (!domain || domain->events < 0)
                return -EINVAL;
        if (read(domain->events, &event, sizeof(event)) != (ssize_t) sizeof(event))
                return errno > 0 ? -errno : -EIO;

        printf("event %" PRIu64 " 0x%" PRIx64 "\n", (uint64_t) event.event.virt_id,
               (uint64_t) event.event.iova);
        return 0;
}

int mock_invalidate(Mock *mock, char **words) {
        const MockDomain *domain = mock_find_domain(mock, words[0]);
        uint64_t v[2], n;
        int r;

        if (!domain || mock_parse(words + 1, 2, v) < 0)
                return -EINVAL;
        r = mock_domain_invalidate(domain, v[0], v[1]);
        if (r < 0)
                return r;
        r = mock_engine_read(&mock->engine, MOCK_REG_INVALIDATIONS, &n);
        if (r < 0)
                return r;

        printf("%" PRIu64 "\n", n);
        return 0;
}

int mock_map(Mock *mock, char **words) {
        const MockDomain *domain = mock_find_domain(mock, words[0]);
        const unsigned char *memory;
        uint64_t v[2]; /* iova, length */
        int r;

        if (!domain || mock_parse(words + 1, 2, v) < 0)
                return -EINVAL;
        memory = mock_domain_at(domain, v[0], v[1]);
        if (!memory)
                return -ERANGE;

        r = dma_client_map(&mock->client, domain->ioas, v[0], memory, v[1]);
        if (r >= 0)
                puts("done");
        return r;
}

int mock_unmap(Mock *mock, char **words) {
        const MockDomain *domain = mock_find_domain(mock, words[0]);
        uint64_t v[2]; /* iova, length */
        int r;

        if (!domain || mock_parse(words + 1, 2, v) < 0)
                return -EINVAL;
        r = mock_domain_unmap(domain, v[0], v[1]);
        if (r >= 0)
                puts("done");
        return r;
}

int mock_track(Mock *mock, char **words) {
        const MockDomain *domain = mock_find_domain(mock, words[0]);
        int r;

        if (!domain)
                return -EINVAL;
        r = mock_domain_track(domain, strcmp(words[1], "on") == 0);
        if (r >= 0)
                puts("done");
        return r;
}

int mock_dirty(Mock *mock, char **words) {
        const MockDomain *domain = mock_find_domain(mock, words[0]);
        _cleanup_free_ uint64_t *bitmap = NULL;
        uint64_t v[2]; /* iova, length */
        int r;

        if (!domain || mock_parse(words + 1, 2, v) < 0)
                return -EINVAL;
        r = mock_domain_read_dirty(domain, v[0], v[1], &bitmap);
        if (r < 0)
                return r;

        printf("dirty");
        for (uint64_t i = 0; i < v[1] / DMA_CLIENT_PAGE; i++)
                if (bitmap[i / 64] & UINT64_C(1) << i % 64)
                        printf(" 0x%" PRIx64, v[0] + i * DMA_CLIENT_PAGE);
        puts("");
        return 0;
}

static int attach(const Mock *mock, uint32_t id, bool has_pasid, uint64_t pasid) {
        struct vfio_device_attach_iommufd_pt attach = {
                .argsz = sizeof(attach),
                .flags = has_pasid ? VFIO_DEVICE_ATTACH_PASID : 0,
                .pt_id = id,
                .pasid = (uint32_t) pasid,
        };

        return ioctl(mock->client.device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) < 0 ? -errno : 0;
}

int mock_attach(Mock *mock, char **words) {
        const MockDomain *domain = mock_find_domain(mock, words[0]);
        uint64_t id, pasid;
        int r;

        if (!domain && dma_client_parse(words[0], &id) < 0)
                return -EINVAL;
        if (mock_parse(words + 1, 1, &pasid) < 0)
                return -EINVAL;

        r = attach(mock, domain ? domain->id : (uint32_t) id, words[1], pasid);
        if (r >= 0)
                puts("done");
        return r;
}

int mock_sweep(Mock *mock, char **words) {
        uint64_t v[2]; /* n, pasid */
        unsigned n = 0;

        if (mock_parse(words, 2, v) < 0)
                return -EINVAL;

        for (uint32_t id = 0; id < v[0]; id++)
                n += attach(mock, id, words[1], v[1]) >= 0;
        printf("attached %u\n", n);
        return 0;
}

int mock_huge_pages(Mock *mock, char **words) {
        struct iommu_option option = {
                .size = sizeof(option),
                .option_id = IOMMU_OPTION_HUGE_PAGES,
                .op = IOMMU_OPTION_OP_GET,
        };
        uint64_t ioas;

        if (mock_parse(words, 1, &ioas) < 0)
                return -EINVAL;

        option.object_id = (uint32_t) ioas;
        if (ioctl(mock->client.iommufd, IOMMU_OPTION, &option) < 0)
                return -errno;

        printf("%" PRIu64 "\n", (uint64_t) option.val64);
        return 0;
}

int mock_detach(Mock *mock, char **words) {
        struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };
        uint64_t pasid;

        if (mock_parse(words, 1, &pasid) < 0)
                return -EINVAL;

        if (words[0]) {
                detach.flags = VFIO_DEVICE_DETACH_PASID;
                detach.pasid = (uint32_t) pasid;
        }
        if (ioctl(mock->client.device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach) < 0)
                return -errno;

        puts("done");
        return 0;
}
