/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who asks: made once, at the edge, from credentials that the transport vouches for, and plain data from
 * there on.
 */

#include "core/forward.h"

/* Callers in more groups are refused. */
#define SUBJECT_GIDS_MAX 256

/* Unit names are at most 255 bytes; of longer labels and paths it is said that they are not known. */
#define SUBJECT_UNIT_MAX 256
#define SUBJECT_CGROUP_MAX 512
#define SUBJECT_LABEL_MAX 256

/* What is known of a subject, besides its uid. What is not known is never what an allowing rule wants. */
typedef enum SubjectFacts {
        SUBJECT_KNOWS_GIDS = 1 << 0,         /* all of them */
        SUBJECT_KNOWS_USERNS = 1 << 1,       /* whether its user namespace is ours */
        SUBJECT_KNOWS_CGROUP = 1 << 2,       /* with its unit and slice, which may be "": it is in none */
        SUBJECT_KNOWS_LABEL = 1 << 3,
        SUBJECT_KNOWS_ENFORCED = 1 << 4,     /* that who has a label is let have it */
} SubjectFacts;

struct Subject {
        uid_t uid;
        unsigned known;                      /* of SubjectFacts */
        /* all groups of the caller at the time it connected, the primary one among them */
        gid_t gids[SUBJECT_GIDS_MAX];
        unsigned n_gids;
        pid_t pid;                           /* for the journal only: numbers are reused; 0 when unknown */
        /*
         * The caller was proved to be in our own user namespace. Without that proof uid 0 is nobody special:
         * root inside a container is uid 0 on the bus too.
         */
        bool own_userns;
        char unit[SUBJECT_UNIT_MAX];         /* of the system's service manager: "libvirtd.service" */
        char slice[SUBJECT_UNIT_MAX];        /* the innermost: "machine-lab.slice" */
        char cgroup[SUBJECT_CGROUP_MAX];     /* from the root of the hierarchy: "/system.slice/…" */
        char label[SUBJECT_LABEL_MAX];       /* of the LSM, as the transport gives it */
};

#define SUBJECT_INIT { .uid = (uid_t) -1 }

/* The administrator of this host: uid 0 in our own user namespace, proved. */
bool subject_is_root(const Subject *subject);

/* Why uid 0 is not the administrator, as the end of a sentence that refuses something; "" of all others. */
const char *subject_root_doubt(const Subject *subject);

bool subject_has_gid(const Subject *subject, gid_t gid);
