/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who has this device open or mapped, in whatever way its node can be told: kernel/holders.h, for a device
 * that is named by its directory in sysfs.
 */

#include "kernel/iommufd-backend.h"
#include "kernel/vfio-node.h"

/*
 * The processes that have it open. @node is the device's, or all zero when it has none any more. @pid: only
 * this process is looked into; 0: all. Returns 0 or a negative errno.
 */
int device_holders_find(const IommufdBackend *backend, const char *device, const VfioNode *node, pid_t pid,
                        Holders *ret, KernelFailure *reterr) _must_check_;

/*
 * Who has it mapped has it too, and need not be among those who have it open. Where the maps can't be read,
 * what is known already stays.
 */
void device_holders_add_mapped(
        const IommufdBackend *backend, const VfioNode *node, pid_t pid, Holders *holders);
