/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What makes a virtual IOMMU in a context, where the kernel's IOMMU driver has such things: the virtual
 * IOMMU itself, on a domain that others can be nested on; the devices that it has, by the numbers that its
 * user knows them by; and queues of its events. All of its data is the driver's and passes through.
 */

#include "core/dma.h"
#include "core/forward.h"

typedef struct Domain Domain;

typedef struct Virtual {
        uint64_t handle;                     /* iommud's number of it, never used again in its context */
        uint32_t id;                         /* the kernel's */
        VirtualKind kind;
        uint32_t type;                       /* of a virtual IOMMU, or a queue: the driver's */
        uint64_t virt_id;                    /* of a device: its number on the virtual IOMMU */
        char device[KERNEL_NAME_MAX];        /* that it was made for; "" for a queue */
        char iommu[32];                      /* the instance behind it */
        Domain *domain;                      /* below a virtual IOMMU, and counts it as a user; else NULL */
        struct Virtual *viommu;              /* of all others, and counts them as users; else NULL */
        unsigned n_users;                    /* devices, queues, and domains nested on it */
} Virtual;

/*
 * @virtual->domain or @virtual->viommu, kind, names and numbers are as given in @from, whose n_users is 0.
 */
int virtual_new(const Virtual *from, Virtual **ret) _must_check_;
/* It must have no users. */
Virtual *virtual_free(Virtual *virtual);
DEFINE_CLEANUP_FUNC(Virtual, virtual_free);

/* The address space at the bottom of it. */
Ioas *virtual_ioas(const Virtual *virtual);
