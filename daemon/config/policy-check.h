/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Looks for mistakes in policy files before they are in force, as whoever runs it: "iommud --check-policy".
 */

#include <stdbool.h>

#include "base/macro.h"

typedef struct PolicyPaths {
        const char *names;                   /* iommud.json; need not exist */
        const char *const *dirs;             /* NULL-terminated, the administrator's first */
} PolicyPaths;

/*
 * Checks each of @paths (NULL-terminated): a directory like one of the policy, a file on its own; without
 * any what is in @installed, in just the way that the daemon reads it. Files are read whoever they belong
 * to: they may be drafts. One that is called iommud.json has names, all others rules, with the installed
 * names.
 *
 * Prints what is wrong, one line each, or with @json an array of objects. Returns 0; -EBADMSG when anything
 * is wrong; or another negative errno.
 */
int policy_check(const PolicyPaths *installed, char *const *paths, bool json) _must_check_;
