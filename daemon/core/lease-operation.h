/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The operations of a lease: one is under way at a time, and each has its answer.
 */

#include "core/lease.h"
#include "core/operation.h"

/*
 * Begins an operation, as soon as those before it are done. Returns 0 and has taken it over; that it is done
 * is CHANGE_OPERATION_DONE, in @changes already when nothing had to be waited for. Or an Outcome, and the
 * caller still has it.
 */
int lease_operate_take(Lease *lease, Operation *operation, Refusal *reterr, ChangeSet *changes) _must_check_;

/* Takes an operation that is done out of the lease: the caller frees it. NULL: there is none. */
Operation *lease_take_operation(Lease *lease, uint64_t id);

/* Whether a job of an operation is under way; what came of it; and then the next. */
bool lease_has_operation(const Lease *lease);
void lease_operation_done(Lease *lease, const TaskResult *result, ChangeSet *changes);
void lease_next_operation(Lease *lease, ChangeSet *changes);

/*
 * After a restart: what was to be taken back is, if that had only begun. Its caller has gone, and has no
 * answer.
 */
void lease_go_on_revoking(Lease *lease, ChangeSet *changes);

/* The same for what was being attached or detached: it is as before then, or attached to nothing. */
void lease_go_on_switching(Lease *lease, ChangeSet *changes);

/* The lease ends: what has not begun will not. */
void lease_refuse_operations(Lease *lease, ChangeSet *changes);
