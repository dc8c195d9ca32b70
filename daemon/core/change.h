/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a call into the core has changed, for the edge to publish. The core announces nothing by itself, so
 * that a test sees an announcement as data. Names and ids, no pointers: a change may outlive what it speaks
 * of.
 */

#include "core/forward.h"

typedef enum ChangeKind {
        CHANGE_DEVICE_ADDED,
        CHANGE_DEVICE_CHANGED,
        CHANGE_DEVICE_QUARANTINED,           /* it need not be there any more */
        CHANGE_DEVICE_CLEARED,               /* out of quarantine; nor need this one */
        /* after the tenant of the lease @id; nothing that is to be seen of it has changed */
        CHANGE_DEVICE_RESET,
        CHANGE_DEVICE_REMOVED,
        CHANGE_GROUP_ADDED,
        CHANGE_GROUP_CHANGED,
        CHANGE_GROUP_REMOVED,
        CHANGE_LEASE_ADDED,
        CHANGE_LEASE_CHANGED,
        /* the caller of Acquire gets its answer now: active, or refused */
        CHANGE_LEASE_ANSWERED,
        CHANGE_LEASE_ENDING,                 /* one that was active is over; what it had is not back yet */
        /* everything is given back; the lease is there until manager_reap() */
        CHANGE_LEASE_ENDED,
        /*
         * What has happened to a lease, with the device that it is about: for its holder and the journal.
         * None of them changes what there is to be seen of the lease.
         */
        CHANGE_LEASE_STALE,                  /* its record had a device that another lease has */
        CHANGE_LEASE_REQUESTED,              /* its holder is asked to release it */
        CHANGE_LEASE_EXPIRES,                /* likewise, since the policy ends it soon */
        CHANGE_LEASE_DEVICE_GONE,            /* a device that was handed out was unplugged */
        CHANGE_LEASE_GROUP_GREW,             /* a device has appeared in a group of it */
        CHANGE_LEASE_KILL,                   /* the process @pid, who has the device, is to be ended */
        CHANGE_CLAIM_CHANGED,                /* its state; for the journal, its group tells the world */
        CHANGE_CLAIM_ANSWERED,               /* the caller of Claim or Release gets its answer now */
        CHANGE_CLAIM_ENDED,                  /* as for leases */
        CHANGE_OPERATION_DONE,               /* its caller gets its answer now */
        _CHANGE_KIND_MAX,
} ChangeKind;

struct Change {
        ChangeKind kind;
        uint64_t id;                         /* of the lease, the claim, the group or the operation */
        char name[KERNEL_NAME_MAX];          /* of the device */
        pid_t pid;                           /* of CHANGE_LEASE_KILL */
};

struct ChangeSet {
        Change *items;
        size_t n_items;
        bool lost;                           /* memory ran out: not all is in here */
};

/*
 * Append a change; one that is in the set already is not added again, unless its object has come or gone
 * since. A set of NULL drops it, for callers that have nobody to tell. Running out of memory sets @lost: the
 * state is right all the same, only somebody may not hear of it.
 */
void change_set_device(ChangeSet *set, ChangeKind kind, const char *name);
void change_set_reset(ChangeSet *set, const char *name, uint64_t lease);
void change_set_group(ChangeSet *set, ChangeKind kind, uint32_t id);
void change_set_lease(ChangeSet *set, ChangeKind kind, uint64_t id);
void change_set_lease_device(ChangeSet *set, ChangeKind kind, uint64_t id, const char *name);
void change_set_kill(ChangeSet *set, uint64_t id, const char *name, pid_t pid);
void change_set_claim(ChangeSet *set, ChangeKind kind, uint64_t id);

void change_set_operation(ChangeSet *set, uint64_t id);

/* Whether the object of the @i-th change has come by one before it, and has not gone since. */
bool change_set_has_come(const ChangeSet *set, size_t i);

void change_set_done(ChangeSet *set);
