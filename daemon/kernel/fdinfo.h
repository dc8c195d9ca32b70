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

/*
 * The same of a device that is named by @device, the link that its bus has to it in sysfs. -ENODEV when it
 * has gone.
 */
int fdinfo_make_syspath(const char *device, char *ret) _must_check_;
