/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The leases that an argument names: by its number, or by devices that are in them. */

#include "cli.h"

typedef struct LeaseIds {
        uint64_t *items;
        size_t n_items;
} LeaseIds;

void lease_ids_done(LeaseIds *ids);

/*
 * @what is to be done with @lease, a number or a selector. Has complained when the result is not STATUS_OK.
 */
Status lease_ids_find(iommud_client *client, const char *what, const char *lease, LeaseIds *ret);
