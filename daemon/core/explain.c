/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/device.h"
#include "core/explain.h"
#include "core/fact.h"
#include "core/group.h"
#include "core/host.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/plan.h"
#include "core/policy.h"
#include "core/subject.h"

typedef struct Explainer {
        const Manager *manager;
        const Subject *subject;
        const Request *request;
        bool reserved;
        Plan *plan;
} Explainer;

static int add(const Explainer *e, const Device *device, const Fact *fact) {
        return plan_append_fact(e->plan, device, fact);
}

static int explain_policy(const Explainer *e, const Device *device) {
        PolicyAnswer answer = plan_ask_policy(e->manager, e->subject, e->request, e->plan, device);
        bool allowed = answer.verdict == VERDICT_ALLOW;
        Fact fact;

        if (answer.rule)
                fact_init(&fact, FACT_POLICY, allowed ? FACT_GOOD : FACT_BAD, "%s decides: %s",
                          answer.rule->origin, verdict_to_string(answer.verdict));
        else if (allowed)
                fact_init(&fact, FACT_POLICY, FACT_GOOD,
                          "No rule is about it, and root may have what no rule denies");
        else
                fact_init(&fact, FACT_POLICY, FACT_BAD,
                          "No rule is about it, and what no rule allows is denied");

        fact_add_text(&fact, "rule", answer.rule ? answer.rule->origin : "");
        fact_add_text(&fact, "verdict", verdict_to_string(answer.verdict));
        return add(e, device, &fact);
}

static bool plan_blocks(const Plan *plan, const Device *device, Outcome outcome) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].action == PLAN_BLOCKED && plan->steps[i].refusal.outcome == outcome &&
                    strcmp(plan->steps[i].device, device->facts.name) == 0)
                        return true;

        return false;
}

static int explain_host(const Explainer *e, const Device *device) {
        PolicyAnswer answer = plan_ask_policy(e->manager, e->subject, e->request, e->plan, device);
        Fact fact;

        if (plan_blocks(e->plan, device, OUTCOME_HOST_IN_USE) || device->group->lease)
                return 0;                    /* said already; it is not the host's now */

        if (e->reserved)
                fact_init(&fact, FACT_HOST, FACT_UNKNOWN,
                          "What the host uses it for is told to those only who may have it");
        else if (policy_answer_overrides_host(&answer))
                fact_init(&fact, FACT_HOST, FACT_NOTE,
                          "The host is not asked whether it needs it: %s gives it away in any case",
                          answer.rule->origin);
        else if (device_facts_own_dma(&device->facts))
                fact_init(&fact, FACT_HOST, FACT_GOOD, "The host does not need it");
        else
                fact_init(&fact, FACT_HOST, FACT_GOOD, "No driver of the host's is bound to it");

        return add(e, device, &fact);
}

static int explain_reset(const Explainer *e, const Device *device) {
        const char *methods = device->facts.reset_methods;
        Fact fact;

        if (methods[0])
                fact_init(&fact, FACT_RESET, FACT_GOOD, "It is reset between two tenants (%s)", methods);
        else
                fact_init(&fact, FACT_RESET, FACT_NOTE,
                          "It can't be reset: after the lease it goes to the same user and root only");

        fact_add_text(&fact, "methods", methods);
        return add(e, device, &fact);
}

static int explain_hop(const Explainer *e, const Device *device, const IsolationHop *hop) {
        bool isolated = hop->group != device->group->facts.id;
        Fact fact;

        if (hop->group == GROUP_NONE)
                fact_init(&fact, FACT_ISOLATION, FACT_UNKNOWN,
                          "The bridge %s above it is in no IOMMU group", hop->name);
        else if (isolated)
                fact_init(&fact, FACT_ISOLATION, FACT_GOOD,
                          "The bridge %s above it passes all requests up to the IOMMU%s%s%s", hop->name,
                          hop->acs_known ? " (ACS: " : "", hop->acs_known ? hop->acs_enabled : "",
                          hop->acs_known ? ")" : "");
        else
                fact_init(&fact, FACT_ISOLATION, FACT_NOTE,
                          "The bridge %s above it may turn requests around below the IOMMU%s%s%s: what is "
                          "behind it can be had together only", hop->name,
                          hop->acs_known ? " (ACS: " : "",
                          hop->acs_known ? hop->acs_enabled : "",
                          hop->acs_known ? ")" : "");

        fact_add_text(&fact, "bridge", hop->name);
        if (hop->group != GROUP_NONE) {
                fact_add_number(&fact, "group", hop->group);
                fact_add_bool(&fact, "isolated", isolated);
        }
        if (hop->acs_known) {
                fact_add_text(&fact, "acs_supported", hop->acs_supported);
                fact_add_text(&fact, "acs_enabled", hop->acs_enabled);
        }
        return add(e, device, &fact);
}

static int explain_interrupts(const Explainer *e, const Device *device, const HostFacts *host) {
        Fact fact;

        switch (host->interrupts) {

        case INTERRUPTS_ISOLATED:
                fact_init(&fact, FACT_INTERRUPTS, FACT_GOOD,
                          "Interrupts are remapped: the device can't forge those of others");
                break;

        case INTERRUPTS_OPEN:
                fact_init(&fact, FACT_INTERRUPTS, FACT_BAD,
                          "Interrupts are not remapped: the device can forge any, so the kernel will not "
                          "let its client bind it. The firmware or the kernel command line (intremap=) can "
                          "switch remapping on");
                break;

        case INTERRUPTS_OPEN_ACCEPTED:
                fact_init(&fact, FACT_INTERRUPTS, FACT_NOTE,
                          "Interrupts are not remapped: the device can forge any. The kernel lets it be "
                          "used all the same, since iommufd.allow_unsafe_interrupts is set");
                break;

        case INTERRUPTS_UNKNOWN:
        default:
                fact_init(&fact, FACT_INTERRUPTS, FACT_UNKNOWN,
                          "Whether the device could forge interrupts is not known on this kind of machine");
                break;
        }

        if (host->interrupts != INTERRUPTS_UNKNOWN)
                fact_add_bool(&fact, "isolated", host->interrupts == INTERRUPTS_ISOLATED);
        return add(e, device, &fact);
}

static int explain_kernel(const Explainer *e, const Device *device, const HostFacts *host) {
        const char *driver = device_facts_vfio_driver(&device->facts);
        Fact fact;

        if (!host->iommufd)
                fact_init(&fact, FACT_KERNEL, FACT_BAD,
                          "This kernel has no iommufd (there is no /dev/iommu): it needs CONFIG_IOMMUFD and "
                          "CONFIG_VFIO_DEVICE_CDEV, Linux 6.6");
        else if (!device_facts_on_vfio(&device->facts) && driver && !host->vfio_driver)
                fact_init(&fact, FACT_KERNEL, FACT_BAD, "The driver %s is not loaded: \"modprobe %s\"",
                          driver, driver);
        else
                fact_init(&fact, FACT_KERNEL, FACT_GOOD, "The kernel has what is needed: iommufd and %s",
                          driver ?: device->facts.driver);

        fact_add_bool(&fact, "iommufd", host->iommufd);
        fact_add_bool(&fact, "vfio_driver", host->vfio_driver || device_facts_on_vfio(&device->facts));
        return add(e, device, &fact);
}

/* What sysfs tells of the surroundings. What can't be read is unknown, and nothing hangs on it. */
static int explain_surroundings(const Explainer *e, const Device *device) {
        const Host *host = e->manager->host;
        HostFacts facts = {};
        int r;

        r = host->ops->describe(host->userdata, device->facts.subsystem, device->facts.name,
                device_facts_vfio_driver(&device->facts) ?: "", &facts);
        if (r == -ENODEV)
                return 0;                    /* going; the plan says so */
        if (r < 0)
                return r;

        for (unsigned i = 0; i < facts.n_hops; i++) {
                r = explain_hop(e, device, &facts.hops[i]);
                if (r < 0)
                        return r;
        }

        r = explain_interrupts(e, device, &facts);
        return r < 0 ? r : explain_kernel(e, device, &facts);
}

static int explain_device(const Explainer *e, const Device *device) {
        static int (*const parts[])(const Explainer *e, const Device *device) = {
                explain_policy,
                explain_host,
                explain_reset,
                explain_surroundings,
        };

        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                int r;

                r = parts[i](e, device);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int explain_driver(const Explainer *e, const Device *device) {
        const DeviceFacts *facts = &device->facts;
        Fact fact;

        if (!facts->driver[0])
                fact_init(&fact, FACT_DRIVER, FACT_GOOD, "No driver is bound to %s", facts->name);
        else if (device_facts_on_vfio(facts))
                fact_init(&fact, FACT_DRIVER, FACT_GOOD, "%s is bound to %s, which is for userspace",
                          facts->name, facts->driver);
        else if (device_facts_own_dma(facts))
                fact_init(&fact, FACT_DRIVER, FACT_NOTE,
                          "%s is bound to %s, which does DMA for the host: it must let go of the device "
                          "first", facts->name, facts->driver);
        else
                fact_init(&fact, FACT_DRIVER, FACT_GOOD, "%s is bound to %s, which does no DMA of its own",
                          facts->name, facts->driver);

        fact_add_bool(&fact, "owns_dma", device_facts_own_dma(facts));
        fact_add_bool(&fact, "companion", !plan_has_device(e->plan, device));
        return add(e, device, &fact);
}

static int explain_lease(const Explainer *e, const Group *group) {
        const Lease *lease = group->lease;
        Fact fact;

        if (!lease)
                return 0;

        fact_init(&fact, FACT_LEASE, FACT_BAD,
                  "Lease %" PRIu64 " of uid %u (pid %d), %s, has the group: it is free when that has ended "
                  "and everybody has closed the device. That user and root can end it (\"iommuctl release "
                  "%" PRIu64 "\")", lease->id, lease->subject.uid, (int) lease->subject.pid,
                  lease_state_to_string(lease->state), lease->id);
        fact_add_number(&fact, "group", group->facts.id);
        fact_add_number(&fact, "lease", lease->id);
        fact_add_number(&fact, "uid", lease->subject.uid);
        fact_add_number(&fact, "pid", (uint64_t) lease->subject.pid);
        fact_add_text(&fact, "state", lease_state_to_string(lease->state));
        return add(e, group->devices, &fact);
}

static int explain_region(const Explainer *e, const Group *group, const ReservedRegion *region) {
        bool direct = strcmp(region->kind, "direct") == 0;
        Fact fact;

        if (strcmp(region->kind, "direct-relaxable") == 0)
                fact_init(&fact, FACT_RESERVED, FACT_NOTE,
                          "The firmware has memory of its own at 0x%" PRIx64 " to 0x%" PRIx64 " (%s) as "
                          "long as the host has the device: a client can have these addresses",
                          region->first, region->last, region->kind);
        else
                fact_init(&fact, FACT_RESERVED, direct ? FACT_BAD : FACT_NOTE,
                          "The addresses 0x%" PRIx64 " to 0x%" PRIx64 " are not for the client (%s)%s",
                          region->first, region->last, region->kind,
                          direct ? ": the firmware wants memory of its own there at all times, and the "
                                   "kernel never gives such a device to userspace" : "");
        fact_add_number(&fact, "group", group->facts.id);
        fact_add_number(&fact, "first", region->first);
        fact_add_number(&fact, "last", region->last);
        fact_add_text(&fact, "kind", region->kind);
        return add(e, group->devices, &fact);
}

static int explain_group(const Explainer *e, const Group *group) {
        int r;

        r = explain_lease(e, group);
        for (const Device *device = group->devices; r >= 0 && device; device = device->next)
                r = explain_driver(e, device);
        for (unsigned i = 0; r >= 0 && i < group->facts.n_regions; i++)
                r = explain_region(e, group, &group->facts.regions[i]);

        return r;
}

int explain_plan(const Manager *manager, const Subject *subject, const Request *request, bool reserved,
        Plan *plan) {
        const Explainer e = { manager, subject, request, reserved, plan };
        int r;

        for (unsigned i = 0; i < plan->n_devices; i++) {
                r = explain_device(&e, plan->devices[i]);
                if (r < 0)
                        return r;
        }

        for (unsigned i = 0; i < plan->n_groups; i++) {
                r = explain_group(&e, plan->groups[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}
