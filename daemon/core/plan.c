/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <string.h>

#include "core/account.h"
#include "core/claim.h"
#include "core/device.h"
#include "core/dma-refusal.h"
#include "core/explain.h"
#include "core/group.h"
#include "core/host.h"
#include "core/kernel.h"
#include "core/lease-charge.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/plan.h"
#include "core/policy.h"
#include "core/quarantine.h"
#include "core/selector.h"
#include "core/subject.h"

static const char *const plan_action_table[] = {
        [PLAN_BLOCKED] = "blocked",
        [PLAN_REBIND] = "rebind",
        [PLAN_OPEN] = "open",
        [PLAN_KEEP] = "keep",
        [PLAN_FACT] = "fact",
};

DEFINE_STRING_TABLE(plan_action, PlanAction, _PLAN_ACTION_MAX);

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

static int plan_append(Plan *plan, PlanAction action, const Device *device, PlanStep **ret) {
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

static int plan_block(Plan *plan, const Device *device, const Refusal *refusal) {
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

static bool plan_wants_permit(const Plan *plan) {
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

static int planner_select_all(Planner *p) {
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

/* Whether all devices of the group that can be handed out are asked for. */
static bool plan_has_whole_group(const Plan *plan, const Group *group) {
        for (const Device *device = group->devices; device; device = device->next)
                if (!device->facts.bridge && !plan_has_device(plan, device))
                        return false;

        return true;
}

PolicyAnswer plan_ask_policy(const Manager *manager, const Subject *subject, const Request *request,
        const Plan *plan, const Device *device) {
        DeviceFacts facts;

        device_host_facts(device, &facts);
        return policy_decide(manager->policy,
                             &(PolicyQuestion) {
                                     .subject = subject,
                                     .device = &facts,
                                     .mode = request->mode,
                                     .whole_group = plan_has_whole_group(plan, device->group),
                             });
}

static PolicyAnswer planner_decide(const Planner *p, const Device *device) {
        return plan_ask_policy(p->manager, p->subject, p->request, p->plan, device);
}

/* What a rule that would have granted it wants besides. */
static const char *unmet_text(RuleKey key) {
        if (key == RULE_KEY_MODES)
                return "not in this mode";
        if (key == RULE_KEY_WHOLE_GROUP)
                return "only together with all other devices of its group";

        return "only if it can be reset, which the kernel has no way for";
}

/* Why nothing allows it. */
static int refuse_by_default(const Planner *p, const Device *device, const PolicyAnswer *answer,
                             Refusal *reterr) {
        if (answer->missed && answer->missed_key >= RULE_KEY_MODES)
                return refuse(reterr, OUTCOME_DENIED, "uid %u may not have %s: %s allows it, but %s",
                        p->subject->uid, device->facts.name, answer->missed->origin,
                        unmet_text(answer->missed_key));

        if (p->subject->uid == 0 && !p->subject->own_userns)
                return refuse(reterr, OUTCOME_DENIED,
                        "uid 0 may not have %s: it was not proved to be this host's root. Root in a "
                        "container is not; and the bus must hand out process descriptors (dbus 1.15.8, "
                        "dbus-broker 34, Linux 6.5)",
                        device->facts.name);

        if (answer->missed)
                return refuse(reterr, OUTCOME_DENIED,
                        "uid %u may not have %s: %s may allow it, but whether its \"%s\" is true of the "
                        "caller is not known", p->subject->uid, device->facts.name, answer->missed->origin,
                        rule_key_to_string(answer->missed_key));

        return refuse(reterr, OUTCOME_DENIED,
                "uid %u may not have %s: no rule of the policy allows it; an administrator can add one to "
                "/etc/iommud/policy.d and run \"iommuctl reload\"",
                p->subject->uid, device->facts.name);
}

/* The policy wants somebody to be asked. Returns 0 when that has been done, for this very request. */
static int planner_check_permit(const Planner *p, const Device *device, const char *origin,
                                Refusal *reterr) {
        const Permits *permits = p->request->permits;

        for (unsigned i = 0; permits && i < permits->n_devices; i++)
                if (permits->devices[i] == device->id)
                        return 0;

        refuse(reterr, OUTCOME_AUTHORIZATION_REQUIRED,
               "uid %u may have %s only when polkit permits it, which %s wants to be asked",
               p->subject->uid, device->facts.name, origin);
        strcpy(reterr->device, device->facts.name);
        return reterr->outcome;
}

/*
 * Whether the policy lets the subject have the device. Returns 0 and the rule that does, if it takes one;
 * OUTCOME_DENIED; or OUTCOME_AUTHORIZATION_REQUIRED.
 */
static int planner_authorize(
        Planner *p, const Device *device, const PolicyRule **ret_rule, Refusal *reterr) {
        PolicyAnswer answer;

        answer = planner_decide(p, device);
        if (answer.verdict == VERDICT_ALLOW) {
                *ret_rule = answer.rule;
                return 0;
        }

        if (!answer.rule)
                return refuse_by_default(p, device, &answer, reterr);

        if (answer.match == MATCH_UNKNOWN)
                return refuse(reterr, OUTCOME_DENIED,
                        "uid %u may not have %s: %s does not allow it to some, and whether its \"%s\" is "
                        "true of this is not known", p->subject->uid, device->facts.name,
                        answer.rule->origin, rule_key_to_string(answer.key));

        if (answer.verdict == VERDICT_ASK) {
                *ret_rule = answer.rule;
                return planner_check_permit(p, device, answer.rule->origin, reterr);
        }

        return refuse(reterr, OUTCOME_DENIED, "uid %u may not have %s: %s denies it", p->subject->uid,
                device->facts.name, answer.rule->origin);
}

/* Whether an administrator has said that it may be taken from the host, whatever that does with it. */
static bool planner_overrides_host(const Planner *p, const Device *device) {
        PolicyAnswer answer = planner_decide(p, device);

        return policy_answer_overrides_host(&answer);
}

int plan_check_host(const Manager *manager, const Device *device, Refusal *reterr) {
        const Host *host = manager->host;
        char use[128] = "";
        int r;

        if (!device_facts_own_dma(&device->facts))
                return 0;

        r = host->ops->in_use(host->userdata, device->facts.subsystem, device->facts.name, use, sizeof(use));
        if (r == -ENODEV)
                return refuse(reterr, OUTCOME_NO_SUCH_DEVICE, "%s was unplugged", device->facts.name);
        if (r < 0)
                return refuse(reterr, OUTCOME_HOST_IN_USE,
                        "Whether the host uses %s could not be found out (%s), so it stays with the host",
                        device->facts.name, strerrordesc_np(-r) ?: "unknown error");
        if (r == HOST_USE_FOUND)
                return refuse(reterr, OUTCOME_HOST_IN_USE, "The host uses %s: %s", device->facts.name, use);

        return 0;
}

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

int plan_check_kind(const Device *device, Refusal *reterr) {
        if (device->facts.bridge)
                return refuse(reterr, OUTCOME_NOT_SUPPORTED, "%s is a bridge: it can't be handed out",
                              device->facts.name);

        if (device->group->facts.direct)
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                        "The firmware wants memory of %s mapped at all times (a \"direct\" region of "
                        "group %u): the kernel never gives it to userspace",
                        device->facts.name, device->group->facts.id);

        if (device_facts_on_vfio(&device->facts))
                return 0;

        if (!device_facts_vfio_driver(&device->facts))
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                        "Which VFIO driver %s needs is not known: of the drivers of the bus \"%s\" that are "
                        "loaded none, or more than one, is called vfio-…. Bind the device to the right one, "
                        "then ask again",
                        device->facts.name, device->facts.subsystem);

        if (device->facts.n_vfs > 0)
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                        "%s has %u virtual functions: it can be handed out when they are switched off "
                        "(write 0 to its sriov_numvfs)",
                        device->facts.name, device->facts.n_vfs);

        return 0;
}

/* Whether the rule that grants a device gives what is wanted of its first domain. */
static int planner_check_features(Planner *p, const PolicyRule *rule, Refusal *reterr) {
        return rule ? check_domain_features(&p->request->domain, rule->features, reterr) : 0;
}

/* Policy first: who may not have a device learns nothing else, and nothing is asked of the kernel. */
static int planner_authorize_all(Planner *p) {
        Refusal refusal;
        int r;

        for (unsigned i = 0; i < p->plan->n_devices; i++) {
                if (planner_authorize(p, p->plan->devices[i], &p->plan->rules[i], &refusal) == 0 &&
                    planner_check_features(p, p->plan->rules[i], &refusal) == 0)
                        continue;

                r = plan_block(p->plan, p->plan->devices[i], &refusal);
                if (r < 0)
                        return r;
        }

        return 0;
}

int plan_check_free(const Group *group, Refusal *reterr) {
        const Lease *lease = group->lease;

        if (!lease)
                return 0;

        if (lease->state <= LEASE_ACTIVE)
                return refuse(reterr, OUTCOME_TAKEN, "Group %u is with lease %" PRIu64 " of uid %u",
                        group->facts.id, lease->id, lease->subject.uid);

        return refuse(reterr, OUTCOME_DRAINING,
                "Group %u is not free yet, lease %" PRIu64 " of uid %u is %s%s%s", group->facts.id,
                lease->id, lease->subject.uid, lease_state_to_string(lease->state),
                lease->reason[0] ? ": " : "", lease->reason);
}

/* Reads the drivers of this moment: what udev has told may be older. */
static int planner_refresh(Planner *p, Group *group) {
        const Kernel *kernel = p->manager->kernel;

        for (Device *device = group->devices; device; device = device->next) {
                char driver[KERNEL_NAME_MAX] = "", override[KERNEL_NAME_MAX] = "";
                KernelFailure failure;
                Refusal refusal;
                int r;

                r = kernel->ops->read_driver(kernel->userdata, device->facts.subsystem, device->facts.name,
                        driver, override, &failure);
                if (r < 0) {
                        if (r == -ENODEV)    /* its removal is on its way to the monitor */
                                refuse(&refusal, OUTCOME_NO_SUCH_DEVICE, "%s was unplugged",
                                        device->facts.name);
                        else
                                refuse_kernel(&refusal, &failure);
                        r = plan_block(p->plan, device, &refusal);
                        if (r < 0)
                                return r;
                        continue;
                }

                device_set_driver(device, driver, override, p->changes);
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
        return plan_check_kind(device, reterr);
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

/* Where iommud binds them, all devices of the groups that can be bound are part of one context. */
static int planner_check_context(Planner *p) {
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

static int planner_add_group(Planner *p, Group *group) {
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

static int planner_check_quota(Planner *p) {
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

int plan_make(
        Manager *manager, const Subject *subject, const Request *request, Plan *ret, ChangeSet *changes) {
        _cleanup_(plan_done) Plan plan = {};
        Planner p = {
                .manager = manager,
                .subject = request->as ?: subject,
                .request = request,
                .plan = &plan,
                .changes = changes,
        };
        const Refusal *refusal;
        bool refused;
        int r;

        r = planner_select_all(&p);
        if (r < 0)
                return r;

        r = planner_authorize_all(&p);
        if (r < 0)
                return r;

        /*
         * What is unknown or forbidden ends it here, before anything is asked of the kernel on the caller's
         * behalf. What everybody can know is told, to whom wants it explained.
         */
        refusal = plan_refusal(&plan);
        refused = refusal && refusal->outcome != OUTCOME_AUTHORIZATION_REQUIRED;
        p.reserved = refused && !subject_is_root(subject);
        if (!refused || request->explain) {
                r = planner_check_quota(&p);
                if (r < 0)
                        return r;

                r = planner_check_context(&p);
                if (r < 0)
                        return r;

                for (unsigned i = 0; i < plan.n_groups; i++) {
                        r = planner_add_group(&p, plan.groups[i]);
                        if (r < 0)
                                return r;
                }
        }

        r = explain_memory(request, &plan);
        if (r < 0)
                return r;

        if (request->explain) {
                r = explain_quota(manager, p.subject, request, &plan);
                if (r < 0)
                        return r;

                r = explain_plan(manager, p.subject, request, p.reserved, &plan);
                if (r < 0)
                        return r;
        }

        *ret = plan;
        plan = (Plan) {};
        return 0;
}
