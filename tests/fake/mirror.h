/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A picture of the manager's objects that is kept from changes alone, as a client of the bus keeps one from
 * signals. Where it differs from the manager, a change was not announced.
 */

#include "core/change.h"

typedef struct MirrorEntry {
        char key[KERNEL_NAME_MAX + 8];       /* "device 0000:01:00.0" */
        char state[1024];                    /* every property that changes */
} MirrorEntry;

typedef struct Mirror {
        MirrorEntry *entries;                /* owned */
        size_t n_entries;
} Mirror;

/* Takes over the changes; stops the test when the picture is not right then. */
void mirror_apply(Mirror *mirror, const Manager *manager, const ChangeSet *changes);
void mirror_done(Mirror *mirror);
