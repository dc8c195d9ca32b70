/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A domain of a client of ../mock-iommu, and the memory that is mapped in it.
 */

#include "dma-client.h"
#include "mock-iommu/registers.h"

typedef struct MockDomain {
        const DmaClient *client;
        char name[16];
        uint32_t ioas;
        uint32_t id;             /* of the domain; the IOAS's where the kernel has made one for it */
        uint64_t iova;           /* of the memory */
        unsigned char *memory;   /* NULL: of a nested one, which has its parent's */
        size_t size;
        int faults;              /* queue of its page faults; -EBADF: it has none */
        int events;              /* of a virtual IOMMU: queue of its events */
} MockDomain;

/* Options of a domain, as in mock-dma. */
typedef enum MockDomainOption {
        MOCK_DOMAIN_EMPTY = 1 << 0,      /* its memory is not mapped */
        MOCK_DOMAIN_DIRTY = 1 << 1,
        MOCK_DOMAIN_PASID = 1 << 2,
        MOCK_DOMAIN_NEST = 1 << 3,
        MOCK_DOMAIN_FAULT = 1 << 4,
} MockDomainOption;

/* With memory of its own, of the size that the client has. */
int mock_domain_create(const DmaClient *client, const char *name, unsigned options,
                       MockDomain *ret) _must_check_;

/* Nested on another one, or on a virtual IOMMU. */
int mock_domain_nest(const MockDomain *parent, const char *name, const struct mock_window *window,
                     MockDomain *ret) _must_check_;

/* A virtual IOMMU on a domain, with the device in it as @virt_id and a queue for what happens there. */
int mock_domain_virtualize(const MockDomain *parent, const char *name, uint64_t virt_id,
                           MockDomain *ret) _must_check_;

int mock_domain_unmap(const MockDomain *domain, uint64_t iova, uint64_t length) _must_check_;

/* Where the memory is that is at an IOVA; NULL where there is none of @length bytes. */
unsigned char *mock_domain_at(const MockDomain *domain, uint64_t iova, uint64_t length);

int mock_domain_track(const MockDomain *domain, bool on) _must_check_;

/* One bit for each page; which then are clean. The caller frees *ret. */
int mock_domain_read_dirty(const MockDomain *domain, uint64_t iova, uint64_t length,
                           uint64_t **ret) _must_check_;

/* An entry of IOMMU_HWPT_INVALIDATE. */
int mock_domain_invalidate(const MockDomain *domain, uint64_t first, uint64_t last) _must_check_;
