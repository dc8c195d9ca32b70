/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/iommufd-backend.h"

/* See KernelOps.prove_free. */
int prove_free(const IommufdBackend *backend, const char *subsystem, const char *name, Holders *ret_holders,
               HwInfo *ret_info, KernelFailure *reterr) _must_check_;
