/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What VFIO says in /proc/PID/fdinfo: which device an open node is.
 */

#include <limits.h>

#include "kernel/iommufd-backend.h"

/*
 * The directory in sysfs of the device that a descriptor is open on, "/sys/devices/…". @path is its fdinfo
 * file below @dir, @ret is of PATH_MAX bytes. -EOPNOTSUPP when the kernel doesn't say: it does since Linux
 * 6.18, and for VFIO's nodes only.
 */
int fdinfo_read_syspath(int dir, const char *path, char *ret) _must_check_;

/* The same of the device whose directory is @device, see kernel_device_find(). */
void fdinfo_make_syspath(const IommufdBackend *backend, const char *device, char *ret);
