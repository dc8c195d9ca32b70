/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What iommud has written into the journal, see iommud(8). Only entries that journald vouches for: everybody
 * can write the same fields into entries of his own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

/* Which entries: all of what is set must be so. */
typedef struct JournalFilter {
        const char *const *devices;          /* any of these, ends with NULL; NULL: all */
        const char *lease;                   /* NULL: all */
        const char *uid;                     /* NULL: all */
        uint64_t since_usec;                 /* CLOCK_REALTIME; 0: all that there is */
} JournalFilter;

/* The fields of an entry without their prefix, made fit for a terminal; "" for what it has not. */
typedef struct JournalEntry {
        uint64_t time_usec;
        char *event, *message, *lease, *mode, *uid, *pid, *by_uid, *refusal;
        char **devices, **groups;            /* end with NULL */
} JournalEntry;

typedef void (*JournalFunc)(const JournalEntry *entry, void *userdata);

/*
 * Calls @func for each entry, the oldest first. Returns 0 or a negative errno: -EACCES when there is a
 * journal, but this user may not read it.
 */
int journal_visit(const JournalFilter *filter, JournalFunc func, void *userdata) _must_check_;
