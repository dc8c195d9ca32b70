/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which domain a bound device uses. See DmaOps of core/dma.h.
 */

#include "core/dma.h"

int device_attach(int device, uint32_t pasid, uint32_t target, KernelFailure *reterr) _must_check_;
int device_detach(int device, uint32_t pasid, KernelFailure *reterr) _must_check_;
