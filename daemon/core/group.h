/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An IOMMU group: the smallest thing that can be isolated, and what DMA ownership belongs to.
 */

#include "core/forward.h"

typedef enum DmaOwner {
        DMA_OWNER_NONE,
        DMA_OWNER_KERNEL,
        DMA_OWNER_PARKED,
        DMA_OWNER_LEASED,
        DMA_OWNER_FOREIGN,
        _DMA_OWNER_MAX,
        _DMA_OWNER_INVALID = -EINVAL,
} DmaOwner;

DECLARE_STRING_TABLE(dma_owner, DmaOwner);

/*
 * A range of I/O virtual addresses, last one included, that can't be mapped, and its kind in the kernel's
 * word.
 */
typedef struct ReservedRegion {
        uint64_t first, last;
        char kind[24];                       /* "direct", "direct-relaxable", "reserved", "msi" */
} ReservedRegion;

#define RESERVED_REGIONS_MAX 8

struct GroupFacts {
        uint32_t id;
        uint32_t n_regions;
        ReservedRegion regions[RESERVED_REGIONS_MAX];
        char type[16];                       /* of the default domain: "DMA-FQ" */
        /* has a reserved region that must stay mapped 1:1: never to be owned by userspace */
        bool direct;
};

struct Group {
        GroupFacts facts;
        Manager *manager;                    /* owns the group */
        Device *devices;                     /* ordered by name; owned */
        Lease *lease;                        /* that the group is part of, or NULL; not owned */
        Claim *claim;                        /* on this group, or NULL; not owned */
        bool foreign;                        /* another userspace had it when the kernel was last asked */
};

int group_new(Manager *manager, const GroupFacts *facts, Group **ret) _must_check_;
Group *group_free(Group *group);
DEFINE_CLEANUP_FUNC(Group, group_free);

/* Whose it is, from what is known now. */
DmaOwner group_dma_owner(const Group *group);

/* No device of it is bound to a driver that owns DMA for the kernel. */
bool group_is_viable(const Group *group);

/*
 * Asks the kernel whether userspace could own the group now. Returns 0, or an Outcome with *reterr:
 * OUTCOME_TAKEN when another program has it, OUTCOME_NOT_VIABLE, OUTCOME_KERNEL_FAILED.
 */
int group_probe(Group *group, Refusal *reterr, ChangeSet *changes) _must_check_;
