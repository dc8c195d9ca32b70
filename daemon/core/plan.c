/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "core/device.h"
#include "core/plan-private.h"

static const char *const plan_action_table[] = {
        [PLAN_BLOCKED] = "blocked",
        [PLAN_REBIND] = "rebind",
        [PLAN_OPEN] = "open",
        [PLAN_KEEP] = "keep",
        [PLAN_FACT] = "fact",
};

DEFINE_STRING_TABLE(plan_action, PlanAction, _PLAN_ACTION_MAX);

int plan_append(Plan *plan, PlanAction action, const Device *device, PlanStep **ret) {
        PlanStep *steps, *step;

        steps = reallocarray(plan->steps, plan->n_steps + 1, sizeof(*steps));
        if (!steps)
                return -ENOMEM;

        plan->steps = steps;
        step = &steps[plan->n_steps++];
        *step = (PlanStep) { .action = action };
        if (device) {
                strcpy(step->device, device->facts.name);
                strcpy(step->driver, device->facts.driver);
        }

        if (ret)
                *ret = step;
        return 0;
}

int plan_block(Plan *plan, const Device *device, const Refusal *refusal) {
        PlanStep *step;
        int r;

        r = plan_append(plan, PLAN_BLOCKED, device, &step);
        if (r < 0)
                return r;

        step->refusal = *refusal;
        return 0;
}

int plan_append_fact(Plan *plan, const Device *device, const Fact *fact) {
        PlanStep *step;
        int r;

        r = plan_append(plan, PLAN_FACT, device, &step);
        if (r < 0)
                return r;

        step->fact = *fact;
        return 0;
}

const Refusal *plan_refusal(const Plan *plan) {
        const Refusal *question = NULL;

        for (size_t i = 0; i < plan->n_steps; i++) {
                if (plan->steps[i].action != PLAN_BLOCKED)
                        continue;
                if (plan->steps[i].refusal.outcome != OUTCOME_AUTHORIZATION_REQUIRED)
                        return &plan->steps[i].refusal;
                question = question ?: &plan->steps[i].refusal;
        }

        return question;
}

bool plan_wants_permit(const Plan *plan) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].refusal.outcome == OUTCOME_AUTHORIZATION_REQUIRED)
                        return true;

        return false;
}

bool plan_has_device(const Plan *plan, const Device *device) {
        for (unsigned i = 0; i < plan->n_devices; i++)
                if (plan->devices[i] == device)
                        return true;

        return false;
}

bool plan_count_by_rule(const Plan *plan, unsigned index, unsigned *ret) {
        unsigned n = 0;

        for (unsigned i = 0; i < plan->n_devices; i++)
                if (plan->rules[i] == plan->rules[index]) {
                        if (i < index)
                                return false;
                        n++;
                }

        *ret = n;
        return true;
}

void plan_done(Plan *plan) {
        free(plan->steps);
        *plan = (Plan) {};
}
