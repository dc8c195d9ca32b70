/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An IOMMU of the host, as far as it is known without a device that is bound.
 */

#include "core/dma.h"
#include "core/forward.h"

typedef struct IommuFacts {
        char name[32];                       /* the instance, as devices have it: "dmar0" */
        IommuDriver driver;
        unsigned lacks;                      /* 1 << IommuFeature: the hardware has not got it */
        bool no_pasids;
} IommuFacts;

/* Remembers what is known of an IOMMU, once. Returns 0 or -ENOMEM. */
int manager_add_iommu(Manager *manager, const IommuFacts *facts) _must_check_;

/*
 * All that is known of what the IOMMU has for a device: what the kernel has said of it, or else what its
 * IOMMU is known to lack.
 */
HwInfo device_known_info(const Device *device);
