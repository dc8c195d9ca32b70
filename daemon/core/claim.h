/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A claim on a group: iommud itself is its DMA owner, on an administrator's word. Every device of it that
 * can be is on the VFIO driver and bound to a context of iommud's own, attached to nothing, so that neither
 * a driver of the kernel's nor another program can have it, and nothing does DMA.
 *
 *   parking --> parked --> lending --> lent
 *      |  ^        |                    |
 *      |  +--------|--------------------+   (its lease has ended)
 *      |           +--> releasing --> ended
 *      +--> failed (tried again on an administrator's word)
 *
 * It is driven by what is: claim_go_on() looks at what there is to do in this state, asks for tasks, and is
 * called again when they are done. So it makes no difference whether a process before us had begun.
 */

#include "core/forward.h"
#include "core/kernel.h"
#include "core/refusal.h"

typedef enum ClaimState {
        CLAIM_PARKING,                       /* devices are given to the VFIO driver, and bound */
        CLAIM_PARKED,
        CLAIM_LENDING,                       /* devices are closed, a lease waits for that */
        CLAIM_LENT,                          /* a lease has the group */
        CLAIM_RELEASING,                     /* devices go back to their drivers */
        CLAIM_FAILED,                        /* could not be parked, or not be given back */
        CLAIM_ENDED,                         /* nothing is left of it but the news */
        _CLAIM_STATE_MAX,
        _CLAIM_STATE_INVALID = -EINVAL,
} ClaimState;

DECLARE_STRING_TABLE(claim_state, ClaimState);

/*
 * A device of a claim. By name, as in a lease. It stays in its place: the name of its descriptor with the
 * service manager has the number.
 */
typedef struct ClaimDevice {
        char subsystem[16];
        char name[KERNEL_NAME_MAX];
        char driver[KERNEL_NAME_MAX];        /* what it had, and gets back */
        char driver_override[KERNEL_NAME_MAX];
        PowerControl power;                  /* likewise */
        char target[KERNEL_NAME_MAX];        /* the VFIO driver that it has while it is claimed */
        /*
         * It was claimed before any driver had it: it gets back what it had when the group was approved;
         * where that is not known, or will not have it, a driver of "" is the kernel's choice.
         */
        bool guessed;
        bool dirty;                          /* its driver or override was touched: to be given back */
        bool failed;                         /* it could not be given back */
        bool gone;                           /* it was unplugged */
        bool kept;                           /* the service manager has a duplicate of fd */
        uint64_t task;                       /* that is under way for it; 0: none */
        int fd;                              /* open, and bound unless a task says otherwise; owned */
} ClaimDevice;

struct Claim {
        Manager *manager;                    /* owns the claim */
        uint64_t id;
        uint32_t group;
        ClaimState state;
        bool persistent;                     /* to be taken again when the host starts */
        bool fresh;                          /* not parked yet since it was asked for: a failure undoes it */
        bool stale;                          /* what came back is not to be trusted: closed first */
        bool approve;                        /* the group as it is now is to be remembered */
        ClaimDevice *devices;                /* owned */
        unsigned n_devices;
        int iommufd;                         /* owned; -EBADF: nothing is bound */
        bool iommufd_kept;

        bool answered;                       /* the caller of Claim or Release has the answer */
        Refusal refusal;                     /* the answer, when it is no */
        char reason[384];                    /* for the administrator: what failed */
};

/*
 * An empty claim on a group that has none, in the manager's table. An @id of 0: the next. -EEXIST: there is
 * such a claim.
 */
int claim_new(Manager *manager, uint64_t id, Claim **ret) _must_check_;

/* Closes and frees everything at once, without giving anything back: as lease_free(). */
Claim *claim_free(Claim *claim);
DEFINE_CLEANUP_FUNC(Claim, claim_free);

/* Ties the claim to its group, which must have none; and loosens that. */
void claim_set_group(Claim *claim, Group *group);
void claim_clear_group(Claim *claim, ChangeSet *changes);

/* Everything of the group is news: to be called when its devices are in the claim. */
void claim_announce(Claim *claim, ChangeSet *changes);

/* Adds a device of its group as it is now, if it is not in it; NULL: memory ran out. */
ClaimDevice *claim_add_device(Claim *claim, const Device *device);

/*
 * The device has just appeared, or the host has just started. One without a driver has it only because we
 * were faster: finds out what it is to be given back to.
 */
void claim_guess_driver(Claim *claim, ClaimDevice *device);

/* Whether the kernel is to choose a driver for it when it is given back. */
bool claim_device_gets_any(const ClaimDevice *device);

ClaimDevice *claim_find_device(const Claim *claim, const char *name);
ClaimDevice *claim_find_task(const Claim *claim, uint64_t task);

/* Does what is to be done next. To be called whenever something has changed. */
void claim_go_on(Claim *claim, ChangeSet *changes);

/*
 * Goes on with all claims, of which the records were read (core/claim-record.h). First they are tied to
 * their groups, so that the leases can be told by them; then leases are gone on with, and then they.
 * @take_fd gives the descriptor of a name that was kept, the caller's then, or -EBADF; each is proved before
 * it is used.
 */
typedef int (*TakeFdFunc)(void *userdata, const char *name);
void manager_attach_claims(Manager *manager, ChangeSet *changes);
void manager_adopt_claims(Manager *manager, TakeFdFunc take_fd, void *userdata, ChangeSet *changes);

/* Whether what a lease has to give this device back to is the claim. */
bool claim_gets_back(const Claim *claim, const LeaseDevice *device);

/* Closes the devices for the lease that the group has now; lease_claim_lent() is called when they are. */
void claim_lend(Claim *claim, ChangeSet *changes);

/* The lease has ended: parks the group again. */
void claim_resume(Claim *claim, ChangeSet *changes);

/* What is in the way of handing the group out. Returns 0, or an Outcome with *reterr. */
int claim_check(const Claim *claim, Refusal *reterr) _must_check_;

/* The result of a task of this claim; it has passed its deadline. */
void claim_task_done(Claim *claim, ClaimDevice *device, const Task *task, const TaskResult *result,
                     ChangeSet *changes);
void claim_task_overdue(Claim *claim, ClaimDevice *device, const Task *task, ChangeSet *changes);

/*
 * News of its group: a device came; the node of one is being taken away, which waits for us to close it; a
 * device was unplugged. The claim may have ended afterwards.
 */
void claim_device_added(Claim *claim, const Device *device, ChangeSet *changes);
void claim_device_leaves(Claim *claim, ClaimDevice *device, ChangeSet *changes);
void claim_device_gone(Claim *claim, const char *name, ChangeSet *changes);

/* What Claim is asked for. */
typedef struct ClaimRequest {
        bool set_persistent, persistent;     /* whether to change it, and to what */
        bool accept;                         /* the group as it is now is approved, whatever it was */
} ClaimRequest;

/*
 * Claim: returns 0 and the claim's id, whose answer is due with CHANGE_CLAIM_ANSWERED, in @changes already
 * when nothing had to be waited for; or an Outcome with *reterr, or a negative errno, and nothing is
 * changed.
 */
int manager_claim(Manager *manager, const Subject *subject, uint32_t group, const ClaimRequest *request,
                  uint64_t *ret_claim, Refusal *reterr, ChangeSet *changes) _must_check_;

/* Release, likewise. */
int manager_unclaim(Manager *manager, const Subject *subject, uint32_t group, uint64_t *ret_claim,
                    Refusal *reterr, ChangeSet *changes) _must_check_;

/*
 * Claims what is to be claimed when the host starts, as far as it is there. One that can't be is there as
 * failed, with the reason.
 */
void manager_claim_persistent(Manager *manager, ChangeSet *changes);

/* The same of one group, which has no claim, when a device of it has come. */
void group_claim_persistent(Group *group, ChangeSet *changes);

/* Whether any claim is on its way to being parked. */
bool manager_is_claiming(const Manager *manager);
