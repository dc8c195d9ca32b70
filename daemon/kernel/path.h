/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The names of the kernel's files. A name that is no single component of a path, or makes one that is too
 * long, never gets to the kernel.
 */

#include "kernel/iommufd-backend.h"

#define KERNEL_PATH_MAX 512

/* @ret is of KERNEL_PATH_MAX bytes. Returns 0 or -ENAMETOOLONG. */
int kernel_path(char *ret, KernelFailure *reterr, const char *format, ...) _printf_(3, 4) _must_check_;

/*
 * The directory of a device in sysfs. Not the link on its bus that leads there: to follow that costs the
 * kernel as much as the rest of a call. Returns 0; -EINVAL for names that are none; -ENODEV when there is no
 * such device.
 */
int kernel_device_find(const IommufdBackend *backend, const char *subsystem, const char *name, char *ret,
                       KernelFailure *reterr) _must_check_;

/*
 * The same when it is known where the device was, which need not be looked up then; NULL or "": it is not
 * known. It is not looked whether it is still there.
 */
int kernel_device_locate(const IommufdBackend *backend, const char *subsystem, const char *name,
                         const char *syspath, char *ret, KernelFailure *reterr) _must_check_;

/* Whether @name can be one component of a path. */
bool kernel_name_is_valid(const char *name);
