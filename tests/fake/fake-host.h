/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the host says that it uses: one device, with the answer that is wanted.
 */

#include "core/host.h"

typedef struct FakeHost {
        const char *device;                  /* that it has something to say about; NULL: all are free */
        const char *use;                     /* what for; NULL: it can't tell, @error says why */
        HostUse kind;                        /* of that use */
        int error;                           /* negative errno */
        unsigned n_calls;
        HostFacts facts;                     /* what is round every device */
        int describe_error;                  /* negative errno; 0: that can be told */
} FakeHost;

Host fake_host_port(FakeHost *host);
