/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The node of a group, VFIO's old way in. It is the only thing that tells of the ownership of a group
 * without taking it.
 */

#include "kernel/iommufd-backend.h"

/*
 * The number of the group's node. -ENOENT when it has none: the kernel makes none, or no device of it is on
 * VFIO.
 */
int vfio_group_number(const IommufdBackend *backend, uint32_t group, dev_t *ret) _must_check_;

/* See KernelOps.probe_group. Without a node there is nothing to ask, and the answer is that it's free. */
int vfio_group_probe(const IommufdBackend *backend, uint32_t group, KernelFailure *reterr) _must_check_;
