/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files share that make a Plan, stage by stage. For nobody else.
 */

#include "core/plan.h"

/* Everything that the stages of making a plan share. */
typedef struct Planner {
        Manager *manager;
        const Subject *subject;
        const Request *request;
        Plan *plan;
        ChangeSet *changes;
        /* it is explained to somebody who may not have it: nothing is asked of the kernel and the host */
        bool reserved;
} Planner;

/* Each of these returns 0 or a negative errno; what stands in the way is in the plan. */

/* A step of the plan; @device may be NULL, and @ret, which is borrowed until the next one. */
int plan_append(Plan *plan, PlanAction action, const Device *device, PlanStep **ret) _must_check_;
int plan_block(Plan *plan, const Device *device, const Refusal *refusal) _must_check_;

/* Whether somebody has to be asked about a device of it. */
bool plan_wants_permit(const Plan *plan);

/* The stages, in their order: which devices are meant; */
int planner_select_all(Planner *p) _must_check_;

/*
 * whether the subject may have them: who may not have a device learns nothing else, and nothing is asked of
 * the kernel;
 */
int planner_authorize_all(Planner *p) _must_check_;

/* whether there is room for it; */
int planner_check_quota(Planner *p) _must_check_;
int planner_check_context(Planner *p) _must_check_;

/* and, for each group, what becomes of its devices. */
int planner_add_group(Planner *p, Group *group) _must_check_;

/*
 * Whether the policy lets the subject have the device. Returns 0 and the rule that does, if it takes one;
 * OUTCOME_DENIED; or OUTCOME_AUTHORIZATION_REQUIRED.
 */
int planner_authorize(
        Planner *p, const Device *device, const PolicyRule **ret_rule, Refusal *reterr) _must_check_;

/* Whether an administrator has said that it may be taken from the host, whatever that does with it. */
bool planner_overrides_host(const Planner *p, const Device *device);
