/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The Host port on this host: what it uses its devices for, as sysfs and /proc say. Today that is block
 * devices.
 */

#include "core/host.h"

/*
 * Directories: /sys and /proc on a host, made trees in tests. Borrowed: they stay open as long as the port
 * is used.
 */
typedef struct LocalHost {
        int sysfs;
        int proc;
} LocalHost;

/* The port; it borrows @host. */
Host local_host_port(const LocalHost *host);
