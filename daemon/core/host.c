/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "core/host.h"

static const char *const host_use_table[] = {
        [HOST_USE_UNKNOWN] = "unknown",
        [HOST_USE_DISK] = "disk",
        [HOST_USE_NETWORK] = "network",
        [HOST_USE_MEDIATED] = "mediated",
        [HOST_USE_DISPLAY] = "display",
        [HOST_USE_CONSOLE] = "console",
        [HOST_USE_OPEN] = "open",
};

DEFINE_STRING_TABLE(host_use, HostUse, _HOST_USE_MAX);
