/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The root of the state: all groups, devices, leases and accounts, the policy, and the queue of tasks. It
 * knows neither the bus nor a clock nor the kernel but through its ports.
 */

#include "base/ptr-array.h"
#include "core/change.h"
#include "core/forward.h"
#include "core/next-lease.h"

struct Manager {
        const Kernel *kernel;                /* borrowed */
        const Host *host;                    /* borrowed */
        const Store *store;                  /* borrowed; NULL: nothing survives the process */
        /* owned; NULL: none is loaded, everything is denied but to root */
        Policy *policy;
        Quarantine *quarantine;              /* owned */
        Approved *approved;                  /* owned */
        PtrArray groups;                     /* by id; owned */
        PtrArray devices;                    /* by name; owned by their groups */
        PtrArray leases;                     /* by id; owned */
        PtrArray claims;                     /* by id; owned */
        PtrArray accounts;                   /* by uid and rule; owned */
        size_t accounts_max;                 /* with more, those that say nothing are forgotten */
        PtrArray iommus;                     /* of the host, by name; owned */
        Task *tasks;                         /* to be started, oldest first; owned */
        size_t n_tasks;
        uint64_t last_lease, last_claim, last_task, last_device, last_operation;
        uint64_t saved_lease;                /* the last number of a lease that we have put on record */
        NextLease next;
};

int manager_new(const Kernel *kernel, const Host *host, Manager **ret) _must_check_;
Manager *manager_free(Manager *manager);
DEFINE_CLEANUP_FUNC(Manager, manager_free);

/* What is to survive the process goes there from now on. */
void manager_set_store(Manager *manager, const Store *store);

/* Puts a policy into force and frees the one before. */
void manager_set_policy_consume(Manager *manager, Policy *policy);

/*
 * News of the host's devices. A device that changes its group is removed and added; a group without devices
 * goes. Devices are called by their names alone, in policies too: of two that have the same on different
 * buses only the first is known.
 */
int manager_update_group(Manager *manager, const GroupFacts *facts, ChangeSet *changes) _must_check_;
int manager_update_device(Manager *manager, const DeviceFacts *facts, ChangeSet *changes) _must_check_;
void manager_remove_device(
        Manager *manager, const char *subsystem, const char *name, ChangeSet *changes);

/* NULL: there is none. Borrowed. */
Device *manager_find_device(const Manager *manager, const char *name);
Group *manager_find_group(const Manager *manager, uint32_t id);
Lease *manager_find_lease(const Manager *manager, uint64_t id);
Claim *manager_find_claim(const Manager *manager, uint64_t id);

/* Whether the selector names the device, by the names of the policy in force too. */
bool manager_selects(const Manager *manager, const Selector *selector, const Device *device);

/* The account of all that a uid has, or of what it has by @rule, made on first use. */
int manager_get_account(Manager *manager, uid_t uid, const char *rule, Account **ret) _must_check_;

/*
 * Forgets those that would be made again as they are, once there are many: how many users have ever asked
 * is not what the daemon's size depends on. Accounts to which nothing is charged must not be kept over this.
 */
void manager_forget_accounts(Manager *manager, uint64_t now_usec);

/*
 * Acquire: returns 0 and the id of the new lease, whose answer is due with CHANGE_LEASE_ANSWERED, in
 * @changes already when nothing had to be waited for; or a positive Outcome with *reterr, or a negative
 * errno, and nothing is changed.
 */
int manager_acquire(Manager *manager, const Subject *subject, const Request *request, uint64_t *ret_lease,
                    Refusal *reterr, ChangeSet *changes) _must_check_;

/*
 * Ends a lease on the word of @subject. Returns 0, or an Outcome with *reterr when it is not this subject's
 * to end.
 */
int manager_release(Manager *manager, const Subject *subject, uint64_t lease, Refusal *reterr,
        ChangeSet *changes) _must_check_;

/*
 * Whether this subject can have the holder of a lease asked to release it: it may, and there is somebody who
 * acquired it over the bus. Returns 0, or an Outcome with *reterr. Nothing is changed.
 */
int manager_check_request(Manager *manager, const Subject *subject, uint64_t lease,
        Refusal *reterr) _must_check_;

/*
 * Asks the holder of an active lease, for this subject, to release it: @reason is for people, "" for none;
 * @deadline_usec is CLOCK_MONOTONIC, 0 for none, and nothing happens by itself when it has passed. Returns
 * 0, with CHANGE_LEASE_REQUESTED, or an Outcome with *reterr.
 */
int manager_request_release(Manager *manager, const Subject *subject, uint64_t lease, const char *reason,
        uint64_t deadline_usec, Refusal *reterr, ChangeSet *changes) _must_check_;

/*
 * Ends a lease, and then whoever is found to have a device of it open, until it is over: on root's word
 * alone. CHANGE_LEASE_KILL follows for each process; the edge ends its unit, or it with
 * manager_kill_process(), which queues a task whose result nobody here waits for. Returns 0, or an Outcome
 * with *reterr.
 */
int manager_kill_holders(Manager *manager, const Subject *subject, uint64_t lease, Refusal *reterr,
        ChangeSet *changes) _must_check_;
int manager_kill_process(
        Manager *manager, const Lease *lease, const LeaseDevice *device, pid_t pid) _must_check_;

/* The lifeline was closed, or the holder has ended: @cause says which. No such lease: nothing. */
void manager_hangup(Manager *manager, uint64_t lease, const char *cause, ChangeSet *changes);

/*
 * Ends the leases whose time is up at @now_usec (CLOCK_BOOTTIME), and asks the holders of those for which
 * that comes soon: CHANGE_LEASE_EXPIRES. To be called at manager_next_expiry(), which is UINT64_MAX while
 * there is no such lease.
 */
void manager_expire(Manager *manager, uint64_t now_usec, ChangeSet *changes);
uint64_t manager_next_expiry(const Manager *manager);

/*
 * Takes the devices that a selector names out of quarantine, on the word of @subject, who must be root.
 * Returns 0; an Outcome with *reterr; or a negative errno; in the latter two cases nothing is changed.
 */
int manager_clear_quarantine(Manager *manager, const Subject *subject, const char *selector, Refusal *reterr,
        ChangeSet *changes) _must_check_;

/*
 * The lease in whose context @subject may work, borrowed. Returns 0, or an Outcome with *reterr: there is no
 * such lease, it is another user's, of a mode in which the client has the context, or not active.
 */
int manager_find_context(const Manager *manager, const Subject *subject, uint64_t lease, Lease **ret,
                         Refusal *reterr) _must_check_;

/*
 * Has an operation done. Returns 0 and has taken it over: its answer is due with CHANGE_OPERATION_DONE and
 * the number that it has got, in @changes already when nothing had to be waited for. Or an Outcome, and the
 * caller still has it.
 */
int manager_operate_take(Manager *manager, const Subject *subject, uint64_t lease, Operation *operation,
                         Refusal *reterr, ChangeSet *changes) _must_check_;

/* An operation that is done, which the caller frees; NULL: there is none of that number. */
Operation *manager_take_operation(const Manager *manager, uint64_t id);

/* Takes the oldest task out of the queue, with its descriptors. False: there is none. */
bool manager_next_task(Manager *manager, Task *ret);

/* A task has ended. */
void manager_task_done(Manager *manager, const Task *task, const TaskResult *result, ChangeSet *changes);

/*
 * A task has passed its deadline and can't be ended; it is still under way, and manager_task_done() follows
 * if it ever is.
 */
void manager_task_overdue(Manager *manager, const Task *task, ChangeSet *changes);

/* Frees the leases and claims that have ended: to be called when their end has been published. */
void manager_reap(Manager *manager);

/*
 * For leases: queues a task, filling in its id. Returns 0, and the queue has its descriptors, or -ENOMEM and
 * the caller still has them.
 */
int manager_queue_task(Manager *manager, Task *task) _must_check_;

/*
 * Has a descriptor closed, which it takes over, of which nobody knows what it is, and so not how long that
 * takes: @name is what it is called. Out of memory: it stays open, which is better than to wait for it here.
 */
void manager_close_stray_consume(Manager *manager, const char *name, int fd);
