/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/iommufd-backend.h"

/* See KernelOps.check_parked. */
int parked_check(const IommufdBackend *backend, const char *subsystem, const char *name, int device,
                 int iommufd, KernelFailure *reterr) _must_check_;
