/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whether there is room for it: on the accounts of the subject, and in one context.
 */

#include "core/account.h"
#include "core/device.h"
#include "core/group.h"
#include "core/lease-charge.h"
#include "core/manager.h"
#include "core/plan-private.h"
#include "core/policy.h"
#include "core/subject.h"

/* One more lease of @n_devices on the account of all that the user has, or of what he has by @rule. */
static int planner_check_account(Planner *p, const char *rule, unsigned n_devices) {
        Account *account;
        Refusal refusal;
        int r;

        r = manager_get_account(p->manager, p->subject->uid, rule, &account);
        if (r < 0)
                return r;

        if (manager_check_quota(p->manager, account, p->subject, ACCOUNT_LEASES, 1, &refusal) == 0 &&
            manager_check_quota(p->manager, account, p->subject, ACCOUNT_DEVICES, n_devices, &refusal) == 0)
                return 0;

        return plan_block(p->plan, /* device= */ NULL, &refusal);
}

/*
 * Each request counts once for each rule by which it would be granted: not again when polkit has been asked,
 * and not what root wants to know about another user.
 */
static int planner_admit(Planner *p, const PolicyRule *rule) {
        const Request *request = p->request;
        Refusal refusal;
        int r;

        if (request->as || (request->permits && request->permits->n_devices > 0))
                return 0;

        r = manager_admit_by_rule(p->manager, p->subject, rule, request->boottime_usec, &refusal);
        return r > 0 ? plan_block(p->plan, /* device= */ NULL, &refusal) : r;
}

int planner_check_quota(Planner *p) {
        const Plan *plan = p->plan;
        int r;

        r = planner_check_account(p, /* rule= */ NULL, plan->n_devices);
        for (unsigned i = 0; r >= 0 && i < plan->n_devices; i++) {
                const PolicyRule *rule = plan->rules[i];
                unsigned n;

                if (!rule || rule->limits.set == 0 || !plan_count_by_rule(plan, i, &n))
                        continue;
                r = planner_admit(p, rule);
                if (r >= 0)
                        r = planner_check_account(p, rule->origin, n);
        }

        return r;
}

/* Where iommud binds them, all devices of the groups that can be bound are part of one context. */
int planner_check_context(Planner *p) {
        Refusal refusal;
        unsigned n = 0;

        if (p->request->mode == MODE_VMM)
                return 0;

        for (unsigned i = 0; i < p->plan->n_groups; i++)
                for (const Device *device = p->plan->groups[i]->devices; device; device = device->next)
                        n += !device->facts.bridge;

        if (n <= LIMIT_CONTEXT_DEVICES)
                return 0;

        refuse(&refusal, OUTCOME_NOT_SUPPORTED,
                "The groups have %u devices, and iommud binds %u at most: use mode vmm, or fewer groups", n,
                LIMIT_CONTEXT_DEVICES);
        return plan_block(p->plan, /* device= */ NULL, &refusal);
}
