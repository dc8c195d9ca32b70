/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which sizes of pages the tables of an IOMMU have. The kernel says the smallest alone; what registers and
 * drivers leave no doubt about can be told beyond that.
 */

#include "core/dma.h"

/*
 * The sum of all sizes that a domain of kind "paging" is known to have, of an IOMMU whose smallest is known;
 * 0: which they are is not known. That the kernel's command line forbids all but the smallest
 * (intel_iommu=sp_off) is not seen here.
 */
uint64_t page_sizes_of(const HwInfo *info);
