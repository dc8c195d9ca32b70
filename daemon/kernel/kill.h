/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/iommufd-backend.h"

/* See KernelOps.kill_holder. */
int kill_holder(const IommufdBackend *backend, const char *subsystem, const char *name, pid_t pid,
                KernelFailure *reterr) _must_check_;
