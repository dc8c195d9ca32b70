/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * iommufd contexts. A context is the border of trust: who has a bound device of it can attach that device to
 * everything in it. So each lease has its own, fresh one.
 */

#include "kernel/iommufd-backend.h"

/* An empty context, charged as the kernel's default has it: by user. Caller owns *ret_fd. */
int iommufd_open(const IommufdBackend *backend, int *ret_fd, KernelFailure *reterr) _must_check_;

/* Whom the memory pinned through the context is charged to. Possible only while nothing is in it. */
int iommufd_set_accounting(int iommufd, Accounting accounting, KernelFailure *reterr) _must_check_;
