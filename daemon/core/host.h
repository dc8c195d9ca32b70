/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The port to what the host itself uses its devices for: mounted file systems, swap, network addresses.
 */

#include "core/forward.h"

/* Outcomes of in_use(). */
enum {
        _HOST_USE_NONE,
        HOST_USE_FOUND,
};

typedef struct HostOps {
        /*
         * Whether the host needs the device. On HOST_USE_FOUND @ret_use, of @size bytes, says for what: "/
         * is on nvme0n1p1". A negative errno means that it can't be told, and nothing is taken then.
         */
        int (*in_use)(void *userdata, const char *subsystem, const char *name, char *ret_use, size_t size);
} HostOps;

struct Host {
        const HostOps *ops;
        void *userdata;
};
