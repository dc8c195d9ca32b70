/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Numbers for the names of users and groups. A table of two functions, so that what reads policies can be
 * tested without the accounts of the host.
 */

#include <sys/types.h>

typedef struct NameLookup {
        /* Return 0, -ESRCH when there is none of that name, or another negative errno */
        int (*user)(const char *name, uid_t *ret);
        int (*group)(const char *name, gid_t *ret);
} NameLookup;

/* Asks the host's name service. May block when that is a server on the network. */
extern const NameLookup name_lookup_system;
