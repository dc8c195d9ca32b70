/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files share that make a Lease go from state to state. For nobody else.
 */

#include "core/lease.h"

/* News for the world, if they are any. A reason may quote what others have written. */
void lease_set_state(Lease *lease, LeaseState state, ChangeSet *changes);
void lease_set_reason(Lease *lease, const char *reason, ChangeSet *changes);
void lease_explain_failure(
        Lease *lease, const char *device, const KernelFailure *failure, ChangeSet *changes);

/* The caller of Acquire gets its answer, whatever lease->refusal says now. Once. */
void lease_answer(Lease *lease, ChangeSet *changes);

/*
 * Remembers the first thing that went wrong: it is what the caller is told. One that went wrong since the
 * device has been unplugged, which the monitor need not have heard of yet, is no failure of the kernel.
 */
void lease_fail(Lease *lease, const KernelFailure *failure);
void lease_fail_device(Lease *lease, const LeaseDevice *device, const KernelFailure *failure);

/* Where it was when it was looked for last; NULL: the manager does not know it (any more). */
const char *lease_device_syspath(const Lease *lease, const LeaseDevice *device);

/* ENODEV alone does not say that: a driver that does not want a device answers with it too. */
bool lease_device_exists(const Lease *lease, const LeaseDevice *device);

/*
 * Writes the lease down before the host is changed. Returns 0, or a negative errno and then nothing may be
 * changed.
 */
int lease_save(const Lease *lease, KernelFailure *reterr) _must_check_;

/*
 * The same for what need not be known to go on: an older record makes us do something again that is done
 * already.
 */
void lease_save_progress(Lease *lease, ChangeSet *changes);

/* Queues a task for a device of the lease, which has none. Returns 0 or -ENOMEM. */
int lease_queue(Lease *lease, LeaseDevice *device, Task *task) _must_check_;
int lease_queue_set_driver(Lease *lease, LeaseDevice *device, const char *driver, const char *override,
                           PowerControl power) _must_check_;

/* Its reason says that somebody wants an active lease back. */
void lease_explain_request(Lease *lease, ChangeSet *changes);

/* All drivers are as they should be, or one could not be made so. */
void lease_prepared(Lease *lease, ChangeSet *changes);

/*
 * One step closer to the end, whatever the state was before: nothing is left of a lease that has neither
 * devices to drain nor any to restore.
 */
void lease_wind_down(Lease *lease, ChangeSet *changes);

/* True: there are devices that still have to be proved free. */
bool lease_drain(Lease *lease, ChangeSet *changes);
void lease_drain_done(Lease *lease, LeaseDevice *device, const TaskResult *result, ChangeSet *changes);

/* Who has the device, if that is news. */
void lease_set_holders(Lease *lease, LeaseDevice *device, const Holders *holders, ChangeSet *changes);

/* True: there are devices that still have to be given back, or that could not be. */
bool lease_restore(Lease *lease, ChangeSet *changes);

/* @overdue: whether the task had passed its deadline. */
void lease_restore_done(Lease *lease, LeaseDevice *device, bool overdue, const Task *task,
                        const TaskResult *result, ChangeSet *changes);
