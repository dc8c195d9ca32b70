/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who asks: made once, at the edge, from credentials that the transport vouches for, and plain data from
 * there on.
 */

#include "core/forward.h"

/* Callers in more groups are refused. */
#define SUBJECT_GIDS_MAX 256

struct Subject {
        uid_t uid;
        /* all groups of the caller at the time it connected, the primary one among them */
        gid_t gids[SUBJECT_GIDS_MAX];
        unsigned n_gids;
        pid_t pid;                           /* for the journal only: numbers are reused; 0 when unknown */
        /*
         * The caller was proved to be in our own user namespace. Without that proof uid 0 is nobody special:
         * root inside a container is uid 0 on the bus too.
         */
        bool own_userns;
};

#define SUBJECT_INIT { .uid = (uid_t) -1 }

/* The administrator of this host: uid 0 in our own user namespace, proved. */
bool subject_is_root(const Subject *subject);

bool subject_has_gid(const Subject *subject, gid_t gid);
