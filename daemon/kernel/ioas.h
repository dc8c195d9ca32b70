/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * I/O address spaces in an iommufd context. See DmaOps of core/dma.h.
 */

#include "core/dma.h"

int ioas_alloc(int context, const IoasOptions *options, uint32_t *ret, KernelFailure *reterr) _must_check_;
int ioas_read_ranges(int context, uint32_t ioas, IovaRanges *ret, KernelFailure *reterr) _must_check_;
int ioas_map_file(int context, uint32_t ioas, const FileMapping *mapping, uint64_t *ret_iova,
                  KernelFailure *reterr) _must_check_;
int ioas_unmap(int context, uint32_t ioas, uint64_t iova, uint64_t length,
               KernelFailure *reterr) _must_check_;

/* Destroys an object of any kind. */
int context_destroy(int context, uint32_t id, KernelFailure *reterr);
