/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A domain of a context: one translation that devices can be attached to, made of an IOAS or nested on
 * another domain.
 */

#include "core/dma.h"
#include "core/forward.h"

typedef struct Ioas Ioas;
typedef struct Virtual Virtual;

typedef struct Domain {
        uint64_t handle;                     /* iommud's number of it, never used again in its context */
        uint32_t id;                         /* the kernel's */
        DomainOptions options;
        char iommu[32];                      /* the instance of the device that it was made for */
        Ioas *ioas;                          /* at the bottom; it counts us as a user */
        struct Domain *parent;               /* of a nested one, which it counts in n_users; else NULL */
        Virtual *viommu;                     /* that it is nested on instead, and counts it; else NULL */
        uint32_t fault_queue;                /* the kernel's number of it; 0: none */
        int fault_fd;                        /* to be handed over; owned until then */
        /* attached devices and PASIDs, and domains nested on it, virtual IOMMUs among them */
        unsigned n_users;
        bool tracking;                       /* dirty tracking is on */
} Domain;

/* @iommu is copied. */
int domain_new(uint64_t handle, uint32_t id, const DomainOptions *options, const char *iommu, Ioas *ioas,
               Domain *parent, Domain **ret) _must_check_;
/* It is nested on that, not on a domain. */
void domain_set_viommu(Domain *domain, Virtual *viommu);
/* It must have no users. */
Domain *domain_free(Domain *domain);
DEFINE_CLEANUP_FUNC(Domain, domain_free);
