/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A lease: what a client holds after Acquire. It reserves its groups from birth to the end, owns every
 * device fd until that is handed over, and remembers what each device has to be given back to.
 *
 *   preparing --> active --> draining --> restoring --> ended
 *        |                       (held)^      |
 *        +------- failed ---> restoring       +--> stuck (tried again on an administrator's word)
 *
 * It never waits: it puts tasks into the manager's queue and goes on when it is told of their results.
 */

#include "core/account.h"
#include "core/context.h"
#include "core/dma-job.h"
#include "core/forward.h"
#include "core/kernel.h"
#include "core/limits.h"
#include "core/refusal.h"
#include "core/subject.h"

typedef enum LeaseState {
        LEASE_PREPARING,                     /* devices are being given to the VFIO driver */
        LEASE_ACTIVE,                        /* handed over */
        /* the holder is gone; waiting until nobody has the devices open */
        LEASE_DRAINING,
        LEASE_RESTORING,                     /* devices go back to their drivers */
        LEASE_STUCK,                         /* a device could not be given back */
        LEASE_ENDED,                         /* nothing is left of it but the news */
        _LEASE_STATE_MAX,
        _LEASE_STATE_INVALID = -EINVAL,
} LeaseState;

DECLARE_STRING_TABLE(lease_state, LeaseState);

/* A device of a lease. By name: the Device may be unplugged while the lease goes on. */
struct LeaseDevice {
        char subsystem[16];
        char name[KERNEL_NAME_MAX];
        char driver[KERNEL_NAME_MAX];        /* what it had, and gets back */
        char driver_override[KERNEL_NAME_MAX];
        PowerControl power;                  /* likewise; what it has meanwhile is its driver's affair */
        /* the VFIO driver that it is given; "": it stays on the one it has */
        char target[KERNEL_NAME_MAX];
        uint32_t group;
        bool given;                          /* asked for, and handed out; else a companion */
        /* a fd of it went out, and nobody has proved since that it was closed */
        bool handed;
        /* a fd of it went out: only an unbind proves that none is left */
        bool recycle;
        /* its driver was touched, or a fd of it went out: to be given back */
        bool dirty;
        bool restoring;                      /* its task, if any, is the one that gives it back */
        bool overdue;                        /* its task has passed its deadline and can't be ended */
        bool failed;                         /* it could not be given back */
        bool gone;                           /* it was unplugged: what has its name now is another device */
        unsigned n_tries;                    /* how often it was found held */
        Holders holders;                     /* by whom, when it was last tried */
        pid_t told[HOLDERS_MAX];             /* of these, those that were told to end */
        unsigned n_told;
        uint64_t task;                       /* that is under way for it; 0: none */
        /* open, until it is handed over; to the end where iommud has bound it; owned */
        int fd;
        Attachments dma;                     /* where iommud has bound it: its part in the context */
        bool charged;                        /* to the lease's charges */
        Account *rule;                       /* what was granted by the same rule, if that has limits */
};

/* What a lease that is being prepared is at; those but the first only where iommud binds the devices. */
typedef enum LeaseStep {
        LEASE_STEP_DRIVERS,
        LEASE_STEP_BIND,
        LEASE_STEP_ATTACH,
        LEASE_STEP_DONE,
} LeaseStep;

struct Lease {
        Manager *manager;                    /* owns the lease */
        uint64_t id;
        LeaseState state;
        LeaseStep step;                      /* of LEASE_PREPARING */
        Mode mode;
        Accounting accounting;
        Subject subject;                     /* who asked */
        char client[CLIENT_MAX];             /* how to reach them; "": in no way */
        /* what they were asked last: to release it, by when (CLOCK_MONOTONIC, 0: no deadline) */
        char request_reason[128];
        uint64_t request_deadline_usec;
        bool noticed;                        /* and that the policy ends it soon */
        bool kill;                           /* who has a device of it open is to be ended */
        uint64_t since_usec;                 /* CLOCK_REALTIME */

        uint32_t groups[LIMIT_LEASE_DEVICES];
        unsigned n_groups;
        LeaseDevice *devices;                /* the given ones first, in the order of the request; owned */
        unsigned n_devices, n_given;

        bool adopting;                       /* its record was read, and it does not go on yet */
        bool answered;                       /* the caller of Acquire has its answer */
        Refusal refusal;                     /* the answer, when it is no */
        char reason[256];                    /* for the administrator: what it waits for, or what failed */
        char end_cause[64];                  /* why it ended: "its lifeline was closed" */
        uid_t ended_by;                      /* who released it; (uid_t) -1: it ended by itself */

        /* our end of the pipe, or the holder's pidfd, to the end; owned */
        int lifeline;
        bool lifeline_is_pidfd;
        bool lifeline_kept;                  /* the service manager has it already: core/next-lease.h */
        /* by which it is known again: the pipe's inode, the holder's pid */
        uint64_t lifeline_id;
        int lifeline_client;                 /* to be handed over, with the devices' fds; owned until then */
        int iommufd;                         /* the same; to the end where iommud has bound devices to it */

        /* Where iommud makes the domains: what is in the iommufd. NULL: the client does. Owned. */
        Context *context;
        IoasOptions ioas_options;            /* of the first IOAS and the first domains */
        DomainOptions domain_options;
        DmaJob job;                          /* of its own, not of an operation */
        uint64_t job_task;                   /* that runs it or an operation's; 0: none */
        bool job_overdue;
        bool cut;                            /* everything was detached for the last time */
        Operation *operations;               /* the oldest first; owned */

        Charge charge;                       /* to all that the user has */
        /* to what he has by each rule with limits that has granted a device of it */
        Charge rule_charges[LIMIT_LEASE_DEVICES];
        unsigned n_rule_charges;

        unsigned features;                   /* 1 << DomainFeature of those that may be used */
        /* up to which its client's limit of locked memory is raised with the answer; 0: it isn't */
        uint64_t memlock;
        uint64_t max_usec;                   /* it ends that long after it was asked for; 0: it need not */
        uint64_t until_usec;                 /* CLOCK_BOOTTIME: when that is; 0: never */
};

/*
 * Makes the lease @id that @plan stands for, which must be possible. Reserves the groups, charges the
 * account; the holder of the request, a pidfd or -EBADF, is duplicated. Returns 0, or a negative errno with
 * nothing changed.
 */
int lease_new(Manager *manager, uint64_t id, const Plan *plan, const Subject *subject,
        const Request *request, Lease **ret) _must_check_;

/*
 * An empty lease, and its way into the manager's table: for the two that make leases. -EEXIST: its id is
 * there already.
 */
int lease_alloc(Manager *manager, Lease **ret) _must_check_;
int manager_add_lease(Manager *manager, Lease *lease) _must_check_;

/*
 * Closes and frees everything at once, without giving anything back: for the end of the program and
 * half-made leases.
 */
Lease *lease_free(Lease *lease);
DEFINE_CLEANUP_FUNC(Lease, lease_free);

/* Begins: rebinds what has to be rebound, opens at once when nothing has. */
void lease_start(Lease *lease, ChangeSet *changes);

/*
 * Goes on with all leases, of which the records were read (core/lease-record.h) into a manager that has made
 * none yet. @take_lifeline gives the descriptor that was kept for a lease, the caller's then, or -EBADF. A
 * lease that was active goes on if that is really its lifeline; anything else is brought to its end.
 */
typedef int (*TakeLifelineFunc)(void *userdata, uint64_t lease);

/* The same for any other that was kept, by its name. */
typedef int (*TakeFdFunc)(void *userdata, const char *name);

void manager_adopt_leases(Manager *manager, TakeLifelineFunc take_lifeline, TakeFdFunc take_fd,
        void *userdata, ChangeSet *changes);

/*
 * Tells the holders of these leases what they have missed, or may have: which devices went meanwhile, which
 * are going, and what they were asked for, again. To be called when they can know who speaks to them.
 */
void manager_remind_holders(Manager *manager, ChangeSet *changes);

/*
 * The end of an active lease, for the reason @cause. A lease that is being prepared is undone instead; one
 * that is stuck is tried again; in the other states this changes nothing.
 */
void lease_end(Lease *lease, const char *cause, ChangeSet *changes);

/* A claim on a group of it has let go of that. One that is being prepared waits for this of all groups. */
void lease_claim_lent(Lease *lease, ChangeSet *changes);

/* It will not come in time: the caller has waited long enough. The lease ends when it does come. */
void lease_give_up(Lease *lease, const KernelFailure *failure, ChangeSet *changes);

/* The result of a task of this lease. */
void lease_task_done(Lease *lease, LeaseDevice *device, const Task *task, const TaskResult *result,
                     ChangeSet *changes);

/* A task of this lease has passed its deadline and can't be ended. Its result may come later, or never. */
void lease_task_overdue(Lease *lease, LeaseDevice *device, const Task *task, ChangeSet *changes);

/*
 * The node of a device is being taken away: it is being unplugged, or its driver is. The kernel waits for
 * whoever has it open: the holder is asked to let go of it, and asked nothing more than that.
 */
void lease_device_leaves(Lease *lease, LeaseDevice *device, ChangeSet *changes);

/*
 * A device of the lease was unplugged. The kernel removes a device when nobody has it open any more, so that
 * nothing of it is left to be proved or given back. A lease that has lost all that was handed out ends.
 */
void lease_device_gone(Lease *lease, LeaseDevice *device, ChangeSet *changes);

/*
 * Tells the holders of a device that they have to end, who were not told yet: CHANGE_LEASE_KILL for each.
 */
void lease_kill_holders(Lease *lease, LeaseDevice *device, ChangeSet *changes);

/* The device of the lease that is known by this name, or for which this task was made; NULL: none. */
LeaseDevice *lease_find_device(const Lease *lease, const char *name);
LeaseDevice *lease_find_task(const Lease *lease, uint64_t task);

/* Whether any task of it is under way. */
bool lease_has_task(const Lease *lease);

/* Closes what is the client's: to be called when it has been handed over, or will not be. */
void lease_close(Lease *lease);

/* Gives up the groups, so that others can have them, and refunds the account. */
void lease_unreserve(Lease *lease, ChangeSet *changes);

/*
 * Reserves the groups of its devices as they are now, and charges the account, for a lease that had both
 * before.
 */
void lease_reserve(Lease *lease, ChangeSet *changes);
