/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "fake/fake-host.h"

static int fake_in_use(void *userdata, const char *subsystem, const char *name, HostUse *ret_use,
                       char *ret_text, size_t size) {
        FakeHost *host = userdata;

        host->n_calls++;
        if (!host->device || strcmp(host->device, name) != 0)
                return 0;
        if (!host->use)
                return host->error;

        *ret_use = host->kind;
        snprintf(ret_text, size, "%s", host->use);
        return HOST_USE_FOUND;
}

static int fake_describe(void *userdata, const char *subsystem, const char *name, const char *driver,
                         HostFacts *ret) {
        FakeHost *host = userdata;

        if (host->describe_error < 0)
                return host->describe_error;

        *ret = host->facts;
        return 0;
}

Host fake_host_port(FakeHost *host) {
        static const HostOps ops = { .in_use = fake_in_use, .describe = fake_describe };

        return (Host) { .ops = &ops, .userdata = host };
}
