/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Virtual IOMMUs, their devices and their queues in an iommufd context. See DmaOps of core/dma.h.
 */

#include "core/dma.h"

int viommu_alloc(int context, const VirtualSpec *spec, uint32_t *ret, void *data,
                 KernelFailure *reterr) _must_check_;
int vdevice_alloc(int context, const VirtualSpec *spec, uint32_t *ret, KernelFailure *reterr) _must_check_;
int veventq_alloc(int context, const VirtualSpec *spec, uint32_t *ret, int *ret_fd,
                  KernelFailure *reterr) _must_check_;
