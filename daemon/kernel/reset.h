/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The reset between two tenants.
 */

#include "kernel/vfio-node.h"

/* Outcomes of reset_device(). */
enum {
        _RESET_DONE,
        RESET_FAILED,                        /* or it did not do what a reset does; *reterr says which */
        RESET_IMPOSSIBLE,                    /* there is no way to reset this device */
};

/*
 * Resets the device whose directory in sysfs is @device and on which @fd is bound, and looks whether it is
 * there afterwards and does no DMA. See the outcomes above; a negative errno: that could not be found out.
 */
int reset_device(const char *subsystem, const char *device, int fd, const VfioNode *node,
                 KernelFailure *reterr) _must_check_;
