/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A lease that this process holds: what is known of it and its fds. It knows nothing of the connection. */

#include "base/macro.h"
#include "record.h"

typedef struct Handout {
        char *role;
        int fd;                         /* -EBADF once it has been taken */
} Handout;

struct iommud_lease {
        uint64_t id;
        char *path;
        char *mode;
        char *accounting;
        Numbers groups;
        char **devices;
        char **companions;
        uint64_t ioas;
        uint32_t ioas_id;
        NamedNumbers domains, domain_ids, device_ids;
        Handout *handouts;              /* in the order of roles */
        size_t n_handouts;
        const char **roles;             /* of the handouts, ends with NULL; the strings are theirs */
};

DEFINE_CLEANUP_FUNC(iommud_lease, iommud_lease_free);

/* What was handed out for @role, or NULL. */
Handout *lease_find(const iommud_lease *lease, const char *role);

/* The reply to Acquire. @holder says whether the request named one, which a lease without lifeline needs. */
int lease_read(sd_bus_message *reply, bool holder, iommud_lease **ret) _must_check_;
