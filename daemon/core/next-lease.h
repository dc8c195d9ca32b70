/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the lease that is granted next will have in any case, made while nobody waits: its number, on record,
 * and its lifeline, with the service manager. Whoever is killed meanwhile leaves a lifeline behind that has
 * hung up.
 */

#include "core/forward.h"

typedef struct NextLease {
        uint64_t id;                         /* 0: nothing is ready */
        int lifeline, lifeline_client;       /* owned */
        uint64_t lifeline_id;
} NextLease;

#define NEXT_LEASE_NULL { .lifeline = -EBADF, .lifeline_client = -EBADF }

/* Closes what there is. */
void next_lease_done(NextLease *next);

/* Whether there is something to be made ready. */
bool manager_wants_next_lease(const Manager *manager);

/* Makes it ready. What fails is tried again for the lease itself, whose caller is told if it fails then. */
void manager_prepare_next_lease(Manager *manager);

/* There will be no other lease: nothing of it stays with the service manager. */
void manager_drop_next_lease(Manager *manager);

/* A number that no lease had and none will have: it is on record before it is used. */
int manager_take_lease_id(Manager *manager, uint64_t *ret, KernelFailure *reterr) _must_check_;

/* The lease that has got this number has its lifeline from here on, unless it has a holder instead. */
void lease_take_next_lifeline(Lease *lease);

/* Makes one for a lease that has none yet. Returns 0 or a negative errno. */
int lease_open_lifeline(Lease *lease) _must_check_;
