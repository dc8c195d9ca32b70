/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "core/context.h"
#include "core/domain.h"
#include "core/ioas.h"
#include "core/virtual.h"

int context_new(Context **ret) {
        Context *context;

        context = calloc(1, sizeof(*context));
        if (!context)
                return -ENOMEM;

        *ret = context;
        return 0;
}

Context *context_free(Context *context) {
        if (!context)
                return NULL;

        context_clear(context);
        ptr_array_done(&context->ioases);
        ptr_array_done(&context->domains);
        ptr_array_done(&context->virtuals);
        free(context);
        return NULL;
}

static int ioas_compare(const void *key, const void *item) {
        const uint64_t *handle = key;
        const Ioas *ioas = item;

        return *handle < ioas->handle ? -1 : *handle > ioas->handle;
}

static int domain_compare(const void *key, const void *item) {
        const uint64_t *handle = key;
        const Domain *domain = item;

        return *handle < domain->handle ? -1 : *handle > domain->handle;
}

static int virtual_compare(const void *key, const void *item) {
        const uint64_t *handle = key;
        const Virtual *virtual = item;

        return *handle < virtual->handle ? -1 : *handle > virtual->handle;
}

static void context_use_handle(Context *context, uint64_t handle) {
        if (context->last_handle < handle)
                context->last_handle = handle;
}

int context_add_ioas(
        Context *context, uint64_t handle, uint32_t id, const IoasOptions *options, Ioas **ret) {
        _cleanup_(ioas_freep) Ioas *ioas = NULL;
        int r;

        r = ioas_new(handle, id, options, &ioas);
        if (r < 0)
                return r;

        r = ptr_array_insert(&context->ioases, &ioas->handle, ioas, ioas_compare);
        if (r < 0)
                return r;

        context_use_handle(context, handle);
        *ret = TAKE_PTR(ioas);
        return 0;
}

int context_add_domain(Context *context, uint64_t handle, uint32_t id, const DomainOptions *options,
                       const char *iommu, Ioas *ioas, Domain *parent, Domain **ret) {
        _cleanup_(domain_freep) Domain *domain = NULL;
        int r;

        r = domain_new(handle, id, options, iommu, ioas, parent, &domain);
        if (r < 0)
                return r;

        r = ptr_array_insert(&context->domains, &domain->handle, domain, domain_compare);
        if (r < 0)
                return r;

        context_use_handle(context, handle);
        *ret = TAKE_PTR(domain);
        return 0;
}

int context_add_virtual(
        Context *context, uint64_t handle, uint32_t id, const Virtual *from, Virtual **ret) {
        _cleanup_(virtual_freep) Virtual *virtual = NULL;
        int r;

        r = virtual_new(from, &virtual);
        if (r < 0)
                return r;

        virtual->handle = handle;
        virtual->id = id;
        r = ptr_array_insert(&context->virtuals, &virtual->handle, virtual, virtual_compare);
        if (r < 0)
                return r;

        context_use_handle(context, handle);
        *ret = TAKE_PTR(virtual);
        return 0;
}

Ioas *context_find_ioas(const Context *context, uint64_t handle) {
        return ptr_array_find(&context->ioases, &handle, ioas_compare);
}

Domain *context_find_domain(const Context *context, uint64_t handle) {
        return ptr_array_find(&context->domains, &handle, domain_compare);
}

Virtual *context_find_virtual(const Context *context, uint64_t handle) {
        return ptr_array_find(&context->virtuals, &handle, virtual_compare);
}

void context_remove_ioas(Context *context, Ioas *ioas) {
        assert(ioas->n_users == 0);

        ptr_array_remove(&context->ioases, ioas);
        ioas_free(ioas);
}

void context_remove_domain(Context *context, Domain *domain) {
        ptr_array_remove(&context->domains, domain);
        domain_free(domain);
}

void context_remove_virtual(Context *context, Virtual *virtual) {
        ptr_array_remove(&context->virtuals, virtual);
        virtual_free(virtual);
}

/* What is made of another thing came later than that, and has the higher handle. */
void context_get_last(const Context *context, size_t n_domains, size_t n_virtuals, Domain **ret_domain,
                      Virtual **ret_virtual) {
        Domain *domain = n_domains > 0 ? context->domains.items[n_domains - 1] : NULL;
        Virtual *virtual = n_virtuals > 0 ? context->virtuals.items[n_virtuals - 1] : NULL;

        if (domain && virtual && domain->handle > virtual->handle)
                virtual = NULL;
        *ret_domain = virtual ? NULL : domain;
        *ret_virtual = virtual;
}

void context_clear(Context *context) {
        Domain *domain;
        Virtual *virtual;

        for (;;) {
                context_get_last(
                        context, context->domains.n_items, context->virtuals.n_items, &domain, &virtual);
                if (domain)
                        context_remove_domain(context, domain);
                else if (virtual)
                        context_remove_virtual(context, virtual);
                else
                        break;
        }
        while (context->ioases.n_items > 0)
                context_remove_ioas(context, context->ioases.items[context->ioases.n_items - 1]);
}

size_t context_count_mappings(const Context *context) {
        size_t n = 0;

        for (size_t i = 0; i < context->ioases.n_items; i++)
                n += ((const Ioas *) context->ioases.items[i])->n_mappings;

        return n;
}

uint64_t context_count_pinned(const Context *context) {
        uint64_t n = 0;

        for (size_t i = 0; i < context->ioases.n_items; i++)
                n += ((const Ioas *) context->ioases.items[i])->pinned;

        return n;
}

/* Where the PASID is, or would be. */
static size_t attachments_index(const Attachments *attachments, uint32_t pasid) {
        size_t i = 0;

        while (i < attachments->n_pasids && attachments->pasids[i].pasid < pasid)
                i++;

        return i;
}

static bool attachments_has(const Attachments *attachments, size_t i, uint32_t pasid) {
        return i < attachments->n_pasids && attachments->pasids[i].pasid == pasid;
}

Domain *attachments_find(const Attachments *attachments, uint32_t pasid) {
        size_t i;

        if (pasid == PASID_NONE)
                return attachments->domain;

        i = attachments_index(attachments, pasid);
        return attachments_has(attachments, i, pasid) ? attachments->pasids[i].domain : NULL;
}

int attachments_make_room(Attachments *attachments) {
        PasidAttachment *pasids;

        pasids = reallocarray(attachments->pasids, attachments->n_pasids + 1, sizeof(*pasids));
        if (!pasids)
                return -ENOMEM;

        attachments->pasids = pasids;
        return 0;
}

static void attachments_set_pasid(Attachments *attachments, uint32_t pasid, Domain *domain) {
        size_t i = attachments_index(attachments, pasid);
        PasidAttachment *at = attachments->pasids + i;

        if (attachments_has(attachments, i, pasid)) {
                at->domain->n_users--;
                at->domain = domain;
                if (domain)
                        return;
                attachments->n_pasids--;
                memmove(at, at + 1, (attachments->n_pasids - i) * sizeof(*at));
                return;
        }

        if (!domain)
                return;
        memmove(at + 1, at, (attachments->n_pasids - i) * sizeof(*at));
        *at = (PasidAttachment) { .pasid = pasid, .domain = domain };
        attachments->n_pasids++;
}

void attachments_set(Attachments *attachments, uint32_t pasid, Domain *domain, Ioas *ioas) {
        if (domain)
                domain->n_users++;

        if (pasid != PASID_NONE) {
                assert(!ioas);
                attachments_set_pasid(attachments, pasid, domain);
                return;
        }

        if (ioas)
                ioas->n_users++;
        if (attachments->domain)
                attachments->domain->n_users--;
        if (attachments->ioas)
                attachments->ioas->n_users--;
        attachments->domain = domain;
        attachments->ioas = ioas;
}

void attachments_clear(Attachments *attachments) {
        attachments_set(attachments, PASID_NONE, /* domain= */ NULL, /* ioas= */ NULL);
        while (attachments->n_pasids > 0)
                attachments_set(attachments, attachments->pasids[attachments->n_pasids - 1].pasid,
                                /* domain= */ NULL, /* ioas= */ NULL);

        free(attachments->pasids);
        attachments->pasids = NULL;
}
