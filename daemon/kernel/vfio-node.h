/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The character device that VFIO makes for a device. Its name means nothing: numbers are used again as soon
 * as they are free. So it is looked up anew each time, and what was opened by it is proved.
 */

#include "kernel/iommufd-backend.h"

typedef struct VfioNode {
        char name[16];                       /* "vfio3" */
        dev_t number;
} VfioNode;

/*
 * The node of the device whose directory in sysfs is @device. -ENODEV when it has none: it is on no VFIO
 * driver.
 */
int vfio_node_find(const char *device, VfioNode *ret, KernelFailure *reterr) _must_check_;

/*
 * Opens the node and proves that it is this device's. The caller owns *ret_fd, which is bound to nothing
 * yet.
 */
int vfio_node_open(const IommufdBackend *backend, const char *device, VfioNode *ret_node, int *ret_fd,
                   KernelFailure *reterr) _must_check_;

/*
 * Whether a device that is on a VFIO driver has its node in /dev too. The kernel goes on without one when it
 * has no memory for it, and makes it only at the next bind. Returns 0, also when it is on no such driver, or
 * -ENOENT.
 */
int vfio_node_check_made(
        const IommufdBackend *backend, const char *device, KernelFailure *reterr) _must_check_;

/* Proves of a descriptor from elsewhere that it is the device's, whose node is @node. -ENODEV: it is not. */
int vfio_node_prove(const IommufdBackend *backend, int fd, const char *device, const VfioNode *node,
                    KernelFailure *reterr) _must_check_;

/*
 * The same where the device has no node any more, and its number may be another's: only what the kernel says
 * of the descriptor counts, since Linux 6.18. *ret is what the node was.
 */
int vfio_node_prove_leaving(const IommufdBackend *backend, int fd, const char *device, VfioNode *ret,
                            KernelFailure *reterr) _must_check_;

/*
 * Binds the device to an iommufd context, which takes DMA ownership of its group. The errno tells who is in
 * the way:
 * -EINVAL: somebody else has the device open, -EPERM: another context or a driver owns the group, -EBUSY:
 *          the group is
 * open in the old way, or in a reset. -EAGAIN has been waited for.
 * *ret_id is what the context calls the device; NULL for who does not care.
 */
int vfio_node_bind(
        int fd, const VfioNode *node, int iommufd, uint32_t *ret_id, KernelFailure *reterr) _must_check_;

/* Whether the device is bound to any context: only then it says what it is. */
int vfio_node_check_bound(int fd, const VfioNode *node, KernelFailure *reterr) _must_check_;

/*
 * Resets the device. -EINVAL, -ENOTTY: there is no reset that works for it, or not in this driver. -EAGAIN
 * has been waited for.
 */
int vfio_node_reset(int fd, const VfioNode *node, KernelFailure *reterr) _must_check_;
