/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the IOMMU says of itself, and what has to be tried. See DmaOps of core/dma.h.
 */

#include "core/dma.h"

int hw_info_read(int context, uint32_t device, HwInfo *ret, KernelFailure *reterr) _must_check_;

/*
 * Tries what the kernel doesn't tell of a device that is bound as @id; @device is its descriptor, which is
 * attached to a domain for a moment to find out whether it can report page faults: -EBADF where that must
 * not be, and then it may stay unknown.
 */
void hw_info_probe(int context, uint32_t id, int device, HwInfo *info);
