/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files share that make a Claim go from state to state. For nobody else.
 */

#include "core/claim.h"
#include "core/kernel.h"

/* News for the world, if they are any. A reason may quote what others have written. */
void claim_set_state(Claim *claim, ClaimState state, ChangeSet *changes);
void claim_set_reason(Claim *claim, const char *reason, ChangeSet *changes);
void claim_explain_failure(
        Claim *claim, const ClaimDevice *device, const KernelFailure *failure, ChangeSet *changes);

/* The caller of Claim or Release gets the answer, whatever claim->refusal says now. Once. */
void claim_answer(Claim *claim, ChangeSet *changes);

/*
 * It can't be parked, or not be given back. What was never parked is undone, and its caller is told when
 * that is; the rest stays where it is, out of the kernel's reach.
 */
void claim_fail(Claim *claim, const Refusal *refusal, ChangeSet *changes);
void claim_fail_kernel(Claim *claim, const KernelFailure *failure, ChangeSet *changes);

/* Writes it down before the host is changed. Returns 0, or a negative errno and then nothing may be. */
int claim_save(const Claim *claim, KernelFailure *reterr) _must_check_;

bool claim_has_task(const Claim *claim);

/* Queues a task for a device of the claim, which has none. Returns 0 or -ENOMEM. */
int claim_queue(Claim *claim, ClaimDevice *device, Task *task) _must_check_;
int claim_queue_set_driver(Claim *claim, ClaimDevice *device, const char *driver, const char *override,
                           PowerControl power) _must_check_;

/* What the device has now, which is told to the Device too. Returns 0 or a negative errno. */
int claim_read_driver(Claim *claim, const ClaimDevice *device, char *ret_driver, char *ret_override,
                      ChangeSet *changes);

/* Takes what came back of its descriptors from where they were kept. */
void claim_take_fds(Claim *claim, TakeFdFunc take_fd, void *userdata);

/*
 * Gives a descriptor to the service manager, or takes it back; @kept says whether it has it. A @device of
 * NULL is the context.
 */
int claim_keep_fd(Claim *claim, const ClaimDevice *device, int fd, bool *kept,
                  KernelFailure *reterr) _must_check_;
void claim_drop_fd(Claim *claim, const ClaimDevice *device, bool *kept);

/* Closes a device that has no task, for the last time, which is done in a child. */
void claim_close_device(Claim *claim, ClaimDevice *device, ChangeSet *changes);

/* The result of what gives the device back, or of the way there, which is being undone. */
void claim_restore_done(Claim *claim, ClaimDevice *device, const Task *task, const TaskResult *result,
                        ChangeSet *changes);

/* Closes all that is open. True: that is still going on. */
bool claim_let_go(Claim *claim, ChangeSet *changes);

/* The next step of CLAIM_PARKING and of CLAIM_RELEASING, while no task is under way. */
void claim_park(Claim *claim, ChangeSet *changes);
void claim_give_back(Claim *claim, ChangeSet *changes);
