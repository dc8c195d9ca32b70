/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What iommud has made in the iommufd context of a lease, and which device is attached to what. The kernel's
 * numbers in here are only of use together with the descriptor of that context, which the lease owns.
 *
 * Handles count up over all kinds of things, from 1, and are never used again: who keeps one for too long
 * is told so, and does not get something else.
 */

#include "base/ptr-array.h"
#include "core/dma.h"
#include "core/forward.h"

typedef struct Domain Domain;
typedef struct Ioas Ioas;
typedef struct Virtual Virtual;

typedef struct PasidAttachment {
        uint32_t pasid;
        Domain *domain;                      /* counts us as a user */
} PasidAttachment;

/* A device in its context. */
typedef struct Attachments {
        bool bound;
        uint32_t id;                         /* the kernel's number of it */
        char iommu[32];                      /* the instance that translates for it */
        HwInfo info;
        Domain *domain;                      /* that the device itself is attached to; NULL: none */
        Ioas *ioas;                          /* the same of an emulated device */
        PasidAttachment *pasids;             /* ordered by PASID; owned */
        size_t n_pasids;
} Attachments;

/* A device, or a PASID of it, whose attach or detach is under way: nobody knows where it is. */
typedef struct Switching {
        char device[KERNEL_NAME_MAX];        /* "": none is */
        uint32_t pasid;
} Switching;

struct Context {
        PtrArray ioases, domains, virtuals;  /* by handle; owned */
        uint64_t last_handle;
        Switching switching;
        bool revoked;                        /* taken back: there will be nothing in it any more */
};

int context_new(Context **ret) _must_check_;

/* All attachments must be gone. */
Context *context_free(Context *context);
DEFINE_CLEANUP_FUNC(Context, context_free);

/* Of the things that the kernel has made: they are in the context, or a negative errno and they are not. */
int context_add_ioas(Context *context, uint64_t handle, uint32_t id, const IoasOptions *options,
                     Ioas **ret) _must_check_;
int context_add_domain(Context *context, uint64_t handle, uint32_t id, const DomainOptions *options,
                       const char *iommu, Ioas *ioas, Domain *parent, Domain **ret) _must_check_;

/* @from has all but the numbers, as virtual_new() wants it. */
int context_add_virtual(Context *context, uint64_t handle, uint32_t id, const Virtual *from,
                        Virtual **ret) _must_check_;

/* NULL: there is none. Borrowed. */
Ioas *context_find_ioas(const Context *context, uint64_t handle);
Domain *context_find_domain(const Context *context, uint64_t handle);
Virtual *context_find_virtual(const Context *context, uint64_t handle);

/* Nothing may use them any more. */
void context_remove_ioas(Context *context, Ioas *ioas);
void context_remove_domain(Context *context, Domain *domain);
void context_remove_virtual(Context *context, Virtual *virtual);

/*
 * What was made last of the domains and virtual IOMMUs, with all that these have: it is made of nothing that
 * is not in here still, and nothing is made of it. @n_domains and @n_virtuals of them are left to be looked
 * at; one of the results is set, and the other NULL; both are when nothing is left.
 */
void context_get_last(const Context *context, size_t n_domains, size_t n_virtuals, Domain **ret_domain,
                      Virtual **ret_virtual);

/* Everything at once, in the order in which it can go. All attachments must be gone. */
void context_clear(Context *context);

size_t context_count_mappings(const Context *context);
uint64_t context_count_pinned(const Context *context);

/*
 * Which domain, or IOAS, a device or a PASID of it is attached to from now on; both NULL: none. The PASID
 * must have been made room for.
 */
void attachments_set(Attachments *attachments, uint32_t pasid, Domain *domain, Ioas *ioas);
int attachments_make_room(Attachments *attachments) _must_check_;
Domain *attachments_find(const Attachments *attachments, uint32_t pasid);

/* None of it is attached any more. Keeps what the device is. */
void attachments_clear(Attachments *attachments);
