/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which devices are meant.
 */

#include "core/device.h"
#include "core/manager.h"
#include "core/plan-private.h"
#include "core/selector.h"

static void plan_add_group(Plan *plan, Group *group) {
        for (unsigned i = 0; i < plan->n_groups; i++)
                if (plan->groups[i] == group)
                        return;

        /* there are no more groups than devices */
        assert(plan->n_groups < ELEMENTSOF(plan->groups));
        plan->groups[plan->n_groups++] = group;
}

/*
 * A name is for one device. Returns 0, or OUTCOME_INVALID_SELECTOR when what the administrator says of it is
 * true of several.
 */
static int planner_check_name(const Planner *p, const Selector *selector, Refusal *reterr) {
        const Device *first = NULL;

        for (size_t i = 0; selector->kind == SELECTOR_NAME && i < p->manager->devices.n_items; i++) {
                const Device *device = p->manager->devices.items[i];

                if (!manager_selects(p->manager, selector, device))
                        continue;
                if (first)
                        return refuse(reterr, OUTCOME_INVALID_SELECTOR,
                                "\"%s\" is true of %s and of %s: iommud.json must say which of them is "
                                "meant",
                                selector->name, first->facts.name, device->facts.name);
                first = device;
        }

        return 0;
}

static int planner_select(Planner *p, const char *text) {
        Refusal refusal;
        Selector selector;
        bool found = false;

        if (selector_parse(text, &selector, &refusal) > 0 || planner_check_name(p, &selector, &refusal) > 0)
                return plan_block(p->plan, /* device= */ NULL, &refusal);

        for (size_t i = 0; i < p->manager->devices.n_items; i++) {
                const Device *device = p->manager->devices.items[i];

                if (!manager_selects(p->manager, &selector, device))
                        continue;
                found = true;
                if (plan_has_device(p->plan, device))
                        continue;

                if (p->plan->n_devices == ELEMENTSOF(p->plan->devices)) {
                        refuse(&refusal, OUTCOME_QUOTA,
                                "More than %u devices were asked for: acquire them in several leases, or "
                                "name fewer",
                                LIMIT_LEASE_DEVICES);
                        return plan_block(p->plan, /* device= */ NULL, &refusal);
                }

                p->plan->devices[p->plan->n_devices++] = device;
                plan_add_group(p->plan, device->group);
        }

        if (found)
                return 0;

        refuse(&refusal, OUTCOME_NO_SUCH_DEVICE,
                "No device in an IOMMU group answers to \"%.64s\": see \"iommuctl list\"; without an IOMMU "
                "that is switched on there are none",
                text);
        return plan_block(p->plan, /* device= */ NULL, &refusal);
}

int planner_select_all(Planner *p) {
        Refusal refusal;
        int r;

        if (p->request->n_selectors == 0) {
                refuse(&refusal, OUTCOME_INVALID_SELECTOR, "No device was named: name at least one");
                return plan_block(p->plan, /* device= */ NULL, &refusal);
        }

        for (size_t i = 0; i < p->request->n_selectors; i++) {
                r = planner_select(p, p->request->selectors[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}
