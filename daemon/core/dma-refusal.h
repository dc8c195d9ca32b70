/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the kernel says no to when it is asked for a domain, in the words of the client who has asked for it.
 */

#include "core/dma.h"
#include "core/kernel.h"
#include "core/refusal.h"

typedef struct Domain Domain;

/* Whether all that is wanted of a domain (1 << DomainFeature) is in @features. Returns 0 or OUTCOME_DENIED.
 */
int check_domain_features(const DomainOptions *options, unsigned features, Refusal *reterr);

/*
 * Whether the IOMMU has for a device what is wanted of its domain, as far as that is known: @info may be
 * NULL. Returns 0 or OUTCOME_NOT_SUPPORTED.
 */
int check_hw_features(
        const char *device, const HwInfo *info, const DomainOptions *options, Refusal *reterr);

/* A domain of these options could not be made for the device. */
int refuse_domain(Refusal *reterr, const char *device, const HwInfo *info, const KernelFailure *failure);

/* Whether something can be nested on a domain for this device. Returns 0 or OUTCOME_INVALID_OPTION. */
int check_nest_parent(const Domain *parent, const LeaseDevice *device, Refusal *reterr);

/* A virtual IOMMU, or what it has, could not be made for the device. */
int refuse_virtual(Refusal *reterr, const char *device, const HwInfo *info, const VirtualSpec *spec,
                   const KernelFailure *failure);

/* The device could not be attached. */
int refuse_attach(Refusal *reterr, const char *device, const KernelFailure *failure);
