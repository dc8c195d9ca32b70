/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What an Acquire would do, and what stands in its way. Acquire itself begins with the same plan, so that
 * the dry run can't say anything else than the real one.
 */

#include "core/dma.h"
#include "core/fact.h"
#include "core/forward.h"
#include "core/limits.h"
#include "core/policy.h"
#include "core/refusal.h"

/* The devices that a request may have where the policy wants somebody to be asked, by their ids. */
struct Permits {
        uint64_t devices[LIMIT_REQUEST_QUESTIONS];
        unsigned n_devices;
};

/* How much memory the client may lock, as it is now. */
typedef struct Memlock {
        bool known;
        uint64_t limit;                      /* bytes; UINT64_MAX: any amount */
        pid_t pid;                           /* the process whose limit it is */
} Memlock;

/* What is asked for. */
struct Request {
        const char *const *selectors;        /* borrowed */
        size_t n_selectors;
        Mode mode;
        Accounting accounting;
        IoasOptions ioas;                    /* of the first IOAS and the first domain, but for MODE_VMM */
        DomainOptions domain;
        bool has_accounting, has_domain;     /* they were asked for */
        /* pidfd of the holder, borrowed; -EBADF: a lifeline is wanted */
        int holder;
        /* for a plan only: as if this subject had asked; borrowed; NULL: who really did */
        const Subject *as;
        /* given for this very request and no other; borrowed; NULL: none */
        const Permits *permits;
        char client[CLIENT_MAX];             /* how to reach the caller; "": in no way */
        bool explain;                        /* for a plan only: with what speaks for and against it */
        uint64_t ram;                        /* that the client will map for the devices; 0: not said */
        Memlock memlock;                     /* of the one who will map it; for a plan with @ram only */
        uint64_t now_usec;                   /* CLOCK_REALTIME */
        uint64_t boottime_usec;              /* CLOCK_BOOTTIME */
};

typedef enum PlanAction {
        PLAN_BLOCKED,
        PLAN_REBIND,
        PLAN_OPEN,
        PLAN_KEEP,                           /* a companion that is left as it is */
        PLAN_FACT,                           /* nothing that is done */
        _PLAN_ACTION_MAX,
        _PLAN_ACTION_INVALID = -EINVAL,
} PlanAction;

DECLARE_STRING_TABLE(plan_action, PlanAction);

typedef struct PlanStep {
        PlanAction action;
        char device[KERNEL_NAME_MAX];        /* "" where it is about no device that is known */
        char driver[KERNEL_NAME_MAX];        /* that it has now */
        char target[KERNEL_NAME_MAX];        /* that it would be given; "" but for PLAN_REBIND */
        Refusal refusal;                     /* of PLAN_BLOCKED */
        Fact fact;                           /* of PLAN_FACT */
} PlanStep;

struct Plan {
        PlanStep *steps;                     /* in order; owned */
        size_t n_steps;
        /* asked for, each once, in the order of the request; borrowed */
        const Device *devices[LIMIT_LEASE_DEVICES];
        unsigned n_devices;
        /* by which each of them is granted, borrowed from the policy; NULL: root needs none */
        const PolicyRule *rules[LIMIT_LEASE_DEVICES];
        Group *groups[LIMIT_LEASE_DEVICES];  /* of those devices, each once; borrowed */
        unsigned n_groups;
};

/*
 * Makes the plan. Asks the kernel for the drivers of this moment and whether the groups are free, changes
 * nothing. Returns 0 or a negative errno; what stands in the way is in the plan.
 */
int plan_make(Manager *manager, const Subject *subject, const Request *request, Plan *ret,
        ChangeSet *changes) _must_check_;

/*
 * The first thing that stands in the way: what Acquire answers. That somebody has to be asked comes after
 * all else: nobody is asked about what can't be had anyway. NULL: nothing does.
 */
const Refusal *plan_refusal(const Plan *plan);

/* Appends a fact; @device may be NULL. */
int plan_append_fact(Plan *plan, const Device *device, const Fact *fact) _must_check_;

/* What the policy says of one device of the plan. */
PolicyAnswer plan_ask_policy(const Manager *manager, const Subject *subject, const Request *request,
        const Plan *plan, const Device *device);

/*
 * The questions that everybody has to answer who takes a group from the host; each returns 0 or an Outcome
 * with *reterr. Whether the host can do without the device: OUTCOME_HOST_IN_USE; whether it is of a kind
 * that can be handed out: OUTCOME_NOT_SUPPORTED; whether the group is with no lease: OUTCOME_TAKEN or
 * OUTCOME_DRAINING.
 */
int plan_check_host(const Manager *manager, const Device *device, Refusal *reterr) _must_check_;
int plan_check_kind(const Device *device, Refusal *reterr) _must_check_;
int plan_check_free(const Group *group, Refusal *reterr) _must_check_;

/*
 * How many devices are granted by the rule that grants the one at @index; false when an earlier one is
 * granted by it too, so that each rule is counted once.
 */
bool plan_count_by_rule(const Plan *plan, unsigned index, unsigned *ret);

bool plan_has_device(const Plan *plan, const Device *device);

void plan_done(Plan *plan);
