/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The options of the command line. */

#include "cli.h"

typedef enum Option {
        OPTION_JSON,
        OPTION_DEVICE,
        OPTION_MODE,
        OPTION_ACCOUNTING,
        OPTION_NO_WAIT,
        OPTION_NO_ASK_PASSWORD,
        OPTION_PERSISTENT,
        OPTION_ACCEPT,
        OPTION_TIMEOUT,
        OPTION_AS,
        OPTION_RAM,
        OPTION_SINCE,
        OPTION_LEASE,
        OPTION_UID,
        OPTION_REQUEST,
        OPTION_DEADLINE,
        OPTION_REASON,
        OPTION_KILL,
        OPTION_SUPERVISE,
        OPTION_UNIT,
        OPTION_SLICE,
        OPTION_CGROUP,
        OPTION_LABEL,
        OPTION_USERNS,
        OPTION_KIND,
        OPTION_DIRTY_TRACKING,
        OPTION_PASID_CAPABLE,
        OPTION_DATA,
        OPTION_WINDOW,
        OPTION_SMALL_PAGES,
        OPTION_ANSWER,
        OPTION_DEPTH,
        OPTION_PASID,
        OPTION_OFFSET,
        OPTION_LENGTH,
        OPTION_IOVA,
        OPTION_READ_ONLY,
        OPTION_COPY,
        OPTION_PAGE_SIZE,
        OPTION_KEEP,
        OPTION_HELP,
        OPTION_VERSION,
        _OPTION_MAX,
        _OPTION_INVALID = -EINVAL,
} Option;

/* Sets of them: which a verb has, and which were given. */
#define OPTION_BIT(name) (UINT64_C(1) << OPTION_##name)

/*
 * Reads options into @options, and adds to its field "given" which there were; with @first only up to the
 * first argument, else from between the arguments too. optind is the index of the first argument
 * afterwards. Returns 0, or -EINVAL and has complained.
 */
int options_parse(int argc, char **argv, bool first, Options *options) _must_check_;

/* Whether nothing was given but what is in the set @allowed; else it has complained about @what. */
bool options_check(const Options *options, const char *what, uint64_t allowed);

/* A line for each. */
void options_print_help(void);
