/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Commands that have iommud make domains in the client's lease.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "iommud.h"
#include "mock-dma.h"

DEFINE_CLEANUP_FUNC(iommud_domain_options, iommud_domain_options_free);

static int domain_options_new(const char *kind, unsigned wanted, iommud_domain_options **ret) {
        _cleanup_(iommud_domain_options_freep) iommud_domain_options *options = NULL;
        int r;

        if (wanted & MOCK_DOMAIN_NEST)
                kind = "nest-parent";

        r = iommud_domain_options_new(&options);
        if (r >= 0)
                r = iommud_domain_options_set_kind(options, kind);
        if (r >= 0)
                r = iommud_domain_options_set_dirty_tracking(options, wanted & MOCK_DOMAIN_DIRTY);
        if (r >= 0)
                r = iommud_domain_options_set_pasid(options, wanted & MOCK_DOMAIN_PASID);
        if (r >= 0)
                r = iommud_domain_options_set_fault_queue(options, wanted & MOCK_DOMAIN_FAULT);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(options);
        return 0;
}

static int domain_init(MockDomain *domain, const DmaClient *client, const char *name) {
        *domain = (MockDomain) { .client = client, .faults = -EBADF, .events = -EBADF };
        return copy_string(domain->name, sizeof(domain->name), name);
}

/* Of a new address space, as `domain` does. Who has no iommufd has its memory mapped by iommud. */
static int domain_add_memory(MockDomain *domain, unsigned wanted) {
        const DmaClient *client = domain->client;
        int r;

        if (client->iommufd < 0)
                return 0;

        r = dma_client_allocate(client->size, &domain->memory);
        if (r < 0)
                return r;

        domain->iova = client->iova;
        domain->size = client->size;
        return wanted & MOCK_DOMAIN_EMPTY
                       ? 0
                       : dma_client_map(client, domain->ioas, domain->iova, domain->memory, domain->size);
}

/* A refusal of iommud is an answer too. */
static int lease_answer(const Mock *mock, const char *command, int r) {
        if (r > 0)
                printf("%s: %s: %s\n", command, iommud_error_name(r), iommud_error_text(mock->iommud));
        return r;
}

/* The first words of these commands: NAME LEASE DEVICE HANDLE */
static int lease_begin(Mock *mock, char **words, MockDomain *domain, uint64_t *ret_lease,
                       uint64_t *ret_handle) {
        int r;

        if (mock->n_domains == MOCK_DOMAINS_MAX)
                return -ENOSPC;
        r = domain_init(domain, &mock->client, words[0]);
        if (r < 0)
                return r;
        if (dma_client_parse(words[1], ret_lease) < 0 || dma_client_parse(words[3], ret_handle) < 0)
                return -EINVAL;

        return mock->iommud ? 0 : iommud_connect(/* address= */ NULL, &mock->iommud);
}

int mock_made(Mock *mock, char **words) {
        _cleanup_(iommud_domain_options_freep) iommud_domain_options *options = NULL;
        uint64_t lease, ioas, handle;
        unsigned wanted;
        MockDomain domain;
        bool anew;
        int r;

        r = lease_begin(mock, words, &domain, &lease, &ioas);
        if (r >= 0)
                r = mock_parse_options(words + 4, &wanted);
        if (r >= 0)
                r = domain_options_new("paging", wanted, &options);
        if (r < 0)
                return r;

        anew = ioas == 0;
        if (anew) {
                r = iommud_alloc_ioas(mock->iommud, lease, /* options= */ NULL, &ioas, &domain.ioas);
                if (r != 0)
                        return lease_answer(mock, "made", r);
        }

        r = iommud_alloc_domain(
                mock->iommud, lease, words[2], ioas, options, &handle, &domain.id, &domain.faults);
        if (r != 0)
                return lease_answer(mock, "made", r);
        if (anew) {
                r = domain_add_memory(&domain, wanted);
                if (r < 0)
                        return r;
        }

        mock->domains[mock->n_domains++] = domain;
        printf("%" PRIu64 " %" PRIu64 "\n", handle, ioas);
        return 0;
}

int mock_made_nested(Mock *mock, char **words) {
        _cleanup_(iommud_domain_options_freep) iommud_domain_options *options = NULL;
        uint64_t lease, parent, handle, v[3];
        struct mock_window window;
        MockDomain domain;
        int r;

        r = lease_begin(mock, words, &domain, &lease, &parent);
        if (r >= 0)
                r = mock_parse(words + 4, ELEMENTSOF(v), v);
        if (r >= 0)
                r = domain_options_new("nested", /* wanted= */ 0, &options);
        if (r < 0)
                return r;

        window = (struct mock_window) { .first = v[0], .last = v[1], .base = v[2] };
        r = iommud_domain_options_set_data(options, MOCK_HWPT_DATA_WINDOW, &window, sizeof(window));
        if (r < 0)
                return r;

        r = iommud_alloc_domain(mock->iommud, lease, words[2], parent, options, &handle, &domain.id,
                                /* ret_fault_queue= */ NULL);
        if (r != 0)
                return lease_answer(mock, "made-nested", r);

        mock->domains[mock->n_domains++] = domain;
        printf("%" PRIu64 "\n", handle);
        return 0;
}
