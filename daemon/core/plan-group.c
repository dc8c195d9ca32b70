/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What becomes of the devices of a group, and what stands in the way.
 */

#include <string.h>

#include "core/claim.h"
#include "core/device.h"
#include "core/dma-refusal.h"
#include "core/group.h"
#include "core/kernel.h"
#include "core/manager.h"
#include "core/plan-private.h"
#include "core/quarantine.h"

static int planner_check_host(Planner *p, const Device *device, Refusal *reterr) {
        if (p->reserved || planner_overrides_host(p, device))
                return 0;

        return plan_check_host(p->manager, device, reterr);
}

/*
 * Whether what was left in the device concerns the subject. What its group can reach, it can: that it is
 * not asked for makes no difference. Returns 0, or OUTCOME_QUARANTINED.
 */
static int planner_check_quarantine(Planner *p, const Device *device, Refusal *reterr) {
        const QuarantineEntry *entry;

        if (device->facts.bridge)
                return 0;                    /* it never had a tenant */

        entry = quarantine_find(p->manager->quarantine, device->facts.name);
        if (!entry || quarantine_entry_admits(entry, p->subject))
                return 0;

        return refuse(reterr, OUTCOME_QUARANTINED,
                "%s is in quarantine: %s. When it is safe, root can say so: \"iommuctl quarantine clear "
                "%s\"",
                device->facts.name, entry->reason, device->facts.name);
}

static int planner_refresh(Planner *p, Group *group) {
        Refusal refusal;
        int r;

        for (Device *device = group->devices; device; device = device->next) {
                if (device_refresh(device, &refusal, p->changes) == 0)
                        continue;

                r = plan_block(p->plan, device, &refusal);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int plan_rebind(Plan *plan, const Device *device) {
        PlanStep *step;
        int r;

        r = plan_append(plan, PLAN_REBIND, device, &step);
        if (r < 0)
                return r;

        strcpy(step->target, device_facts_vfio_driver(&device->facts));
        return 0;
}

/* What a check of a device says, in the order in which Acquire answers with it. */
typedef int (*DeviceCheck)(Planner *p, const Device *device, Refusal *reterr);

static int planner_check_kind(Planner *p, const Device *device, Refusal *reterr) {
        int r;

        r = plan_check_kind(device, reterr);
        if (r > 0 || p->request->mode == MODE_VMM)
                return r;

        /* what is known not to be there is refused before anything is touched */
        return check_hw_features(device->facts.name, device->info, &p->request->domain, reterr);
}

/*
 * All that stands in the way of a device, and not the first thing alone: whoever mends that wants to know
 * what comes next. Returns how many of these there are beside a permit, or a negative errno.
 */
static int planner_block_device(Planner *p, const Device *device, const DeviceCheck *checks, size_t n) {
        int n_blocked = 0;

        for (size_t i = 0; i < n; i++) {
                Refusal refusal;
                int r;

                if (checks[i](p, device, &refusal) == 0)
                        continue;

                r = plan_block(p->plan, device, &refusal);
                if (r < 0)
                        return r;
                /* when it is permitted, the rest of the plan is as it is now */
                if (refusal.outcome != OUTCOME_AUTHORIZATION_REQUIRED)
                        n_blocked++;
        }

        return n_blocked;
}

static int planner_add_device(Planner *p, const Device *device) {
        static const DeviceCheck checks[] = {
                planner_check_kind,
                planner_check_host,
                planner_check_quarantine,
        };
        int r;

        r = planner_block_device(p, device, checks, ELEMENTSOF(checks));
        if (r != 0)
                return r < 0 ? r : 0;

        if (!device_facts_on_vfio(&device->facts)) {
                r = plan_rebind(p->plan, device);
                if (r < 0)
                        return r;
        }

        return plan_append(p->plan, PLAN_OPEN, device, /* ret= */ NULL);
}

/* Whether a companion can be taken from its driver, which does DMA for the kernel. */
static int planner_check_companion(Planner *p, const Device *device, Refusal *reterr) {
        const PolicyRule *rule;
        Refusal why;

        if (!device_facts_own_dma(&device->facts))
                return 0;
        if (plan_check_kind(device, &why) == 0) {
                if (planner_authorize(p, device, &rule, &why) == 0)
                        return 0;
                if (why.outcome == OUTCOME_AUTHORIZATION_REQUIRED) {
                        *reterr = why;
                        return why.outcome;
                }
        }

        return refuse(reterr, OUTCOME_NOT_VIABLE,
                "Group %u is not viable: %s, of the same group, is bound to %s and can't be taken along. %s",
                device->group->facts.id, device->facts.name, device->facts.driver, why.text);
}

/*
 * A device of the group that was not asked for: it must leave its driver too, if that does DMA for the
 * kernel.
 */
static int planner_add_companion(Planner *p, const Device *device) {
        static const DeviceCheck checks[] = {
                planner_check_quarantine,
                planner_check_host,
                planner_check_companion,
        };
        int r;

        r = planner_block_device(p, device, checks, ELEMENTSOF(checks));
        if (r != 0)
                return r < 0 ? r : 0;

        return device_facts_own_dma(&device->facts) ?
                       plan_rebind(p->plan, device) :
                       plan_append(p->plan, PLAN_KEEP, device, /* ret= */ NULL);
}

/*
 * Asks the kernel whether the group could be owned now; worth it only where none of its devices, whose steps
 * begin at @first, has to be rebound before. Not before everything is permitted: nobody else can have the
 * group while it is asked.
 */
static int planner_probe_group(Planner *p, Group *group, size_t first) {
        Refusal refusal;

        if (p->reserved)
                return 0;

        for (size_t i = first; i < p->plan->n_steps; i++)
                if (p->plan->steps[i].action == PLAN_REBIND || p->plan->steps[i].action == PLAN_BLOCKED)
                        return 0;
        if (plan_wants_permit(p->plan))
                return 0;

        if (group_probe(group, &refusal, p->changes) > 0)
                return plan_block(p->plan, group->devices, &refusal);

        return 0;
}

int planner_add_group(Planner *p, Group *group) {
        size_t first = p->plan->n_steps;
        Refusal refusal;
        int r;

        if (plan_check_free(group, &refusal) > 0 ||
            (group->claim && claim_check(group->claim, &refusal) > 0))
                return plan_block(p->plan, group->devices, &refusal);

        if (!p->reserved) {
                r = planner_refresh(p, group);
                if (r < 0)
                        return r;
        }

        for (const Device *device = group->devices; device; device = device->next) {
                if (plan_has_device(p->plan, device))
                        r = planner_add_device(p, device);
                else
                        r = planner_add_companion(p, device);
                if (r < 0)
                        return r;
        }

        /* where we have it ourselves there is nothing to ask */
        return group->claim ? 0 : planner_probe_group(p, group, first);
}
