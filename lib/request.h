/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "base/macro.h"
#include "client.h"

struct iommud_request {
        char **selectors;
        char *mode;                     /* NULL: iommud's default */
        char *accounting;               /* NULL: iommud's default */
        iommud_domain_options *domain;  /* NULL: nothing special */
        int holder;                     /* owned; -EBADF: none, there will be a lifeline */
        uint64_t timeout_usec;
        /* of plans alone */
        bool explain;
        uint64_t ram;                   /* bytes; 0: not said */
        uid_t as;                       /* (uid_t) -1: nobody else */
        gid_t *as_gids;
        size_t n_as_gids;
};

/* The call of Acquire or Plan for @request. */
int request_prepare(
                iommud_client *client,
                const iommud_request *request,
                const char *member,
                sd_bus_message **ret) _must_check_;
