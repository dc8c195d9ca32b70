/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Domains in an iommufd context, which the kernel calls hardware page tables. See DmaOps of core/dma.h.
 */

#include "core/dma.h"

int domain_alloc(int context, const DomainSpec *spec, uint32_t *ret, KernelFailure *reterr) _must_check_;
int domain_set_dirty_tracking(int context, uint32_t domain, bool on, KernelFailure *reterr) _must_check_;
int domain_read_dirty(int context, uint32_t domain, const DirtyRange *range, uint64_t *bitmap,
                      KernelFailure *reterr) _must_check_;
int fault_queue_alloc(int context, uint32_t *ret, int *ret_fd, KernelFailure *reterr) _must_check_;
