/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The Host port on this host: what it uses its devices for, as sysfs, /proc and rtnetlink say. Each kind of
 * use has a file of its own, host-*.c. What can't be told is a use: nothing is taken on a guess.
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
