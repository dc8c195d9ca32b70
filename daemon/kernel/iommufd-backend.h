/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The Kernel port on a kernel with iommufd and VFIO character devices.
 */

#include "core/kernel.h"

/*
 * Where the kernel's files are: "/sys", "/dev" and "/proc" on a host, made trees in tests. The strings are
 * borrowed and outlive the port. Names, not descriptors: the slow verbs run in child processes that have
 * closed everything.
 */
typedef struct IommufdBackend {
        const char *sysfs;
        const char *dev;
        const char *proc;
} IommufdBackend;

/*
 * The port; it borrows @backend. Nothing is opened before a verb is called, and nothing is kept open
 * afterwards.
 */
Kernel iommufd_backend_kernel(const IommufdBackend *backend);
