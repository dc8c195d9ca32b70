/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sys/host-block.h"
#include "sys/host.h"

static int local_host_in_use(void *userdata, const char *subsystem, const char *name, char *ret_use,
                             size_t size) {
        return host_block_in_use(userdata, subsystem, name, ret_use, size);
}

static const HostOps local_host_ops = { .in_use = local_host_in_use };

Host local_host_port(const LocalHost *host) {
        return (Host) { .ops = &local_host_ops, .userdata = (void *) host };
}
