/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which driver a device is bound to: the verbs read_driver and set_driver of the port.
 */

#include "kernel/iommufd-backend.h"

/* Of the device whose directory is @device. -ENODEV: it has gone. */
int driver_read(const char *device, char *ret_driver, char *ret_override,
                KernelFailure *reterr) _must_check_;

/*
 * Whatever step fails, the device is left in a state from which another call can bring it where that call
 * says: nothing is remembered in between, everything is read again.
 */
int driver_set(const IommufdBackend *backend, const char *subsystem, const char *name, const char *driver,
               const char *override, PowerControl power, KernelFailure *reterr) _must_check_;
