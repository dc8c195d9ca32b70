/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whether the policy lets the subject have the devices.
 */

#include <string.h>

#include "core/device.h"
#include "core/dma-refusal.h"
#include "core/group.h"
#include "core/manager.h"
#include "core/plan-private.h"
#include "core/policy-trace.h"
#include "core/policy.h"
#include "core/subject.h"

/* Whether all devices of the group that can be handed out are asked for. */
static bool plan_has_whole_group(const Plan *plan, const Group *group) {
        for (const Device *device = group->devices; device; device = device->next)
                if (!device->facts.bridge && !plan_has_device(plan, device))
                        return false;

        return true;
}

PolicyAnswer plan_ask_policy(const Manager *manager, const Subject *subject, const Request *request,
        const Plan *plan, const Device *device) {
        DeviceFacts buffer;

        return policy_decide(manager->policy,
                             &(PolicyQuestion) {
                                     .subject = subject,
                                     .device = device_host_facts(device, &buffer),
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
        char doubt[POLICY_DOUBT_MAX];

        if (answer->missed && answer->missed_key >= RULE_KEY_MODES)
                return refuse(reterr, OUTCOME_DENIED, "uid %u may not have %s: %s allows it, but %s",
                        p->subject->uid, device->facts.name, answer->missed->origin,
                        unmet_text(answer->missed_key));

        if (p->subject->uid == 0 && !p->subject->own_userns)
                return refuse(reterr, OUTCOME_DENIED,
                        "uid 0 may not have %s%s", device->facts.name, subject_root_doubt(p->subject));

        if (answer->missed) {
                policy_doubt_text(p->subject, answer->missed_key, doubt, sizeof(doubt));
                return refuse(reterr, OUTCOME_DENIED,
                        "uid %u may not have %s: %s may allow it, but whether its \"%s\" is true of the "
                        "caller is not known%s", p->subject->uid, device->facts.name, answer->missed->origin,
                        rule_key_to_string(answer->missed_key), doubt);
        }

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

int planner_authorize(
        Planner *p, const Device *device, const PolicyRule **ret_rule, Refusal *reterr) {
        char doubt[POLICY_DOUBT_MAX];
        PolicyAnswer answer;

        answer = planner_decide(p, device);
        if (answer.verdict == VERDICT_ALLOW) {
                *ret_rule = answer.rule;
                return 0;
        }

        if (!answer.rule)
                return refuse_by_default(p, device, &answer, reterr);

        if (answer.match == MATCH_UNKNOWN) {
                policy_doubt_text(p->subject, answer.key, doubt, sizeof(doubt));
                return refuse(reterr, OUTCOME_DENIED,
                        "uid %u may not have %s: %s does not allow it to some, and whether its \"%s\" is "
                        "true of this is not known%s", p->subject->uid, device->facts.name,
                        answer.rule->origin, rule_key_to_string(answer.key), doubt);
        }

        if (answer.verdict == VERDICT_ASK) {
                *ret_rule = answer.rule;
                return planner_check_permit(p, device, answer.rule->origin, reterr);
        }

        return refuse(reterr, OUTCOME_DENIED, "uid %u may not have %s: %s denies it", p->subject->uid,
                device->facts.name, answer.rule->origin);
}

bool planner_overrides_host(const Planner *p, const Device *device) {
        PolicyAnswer answer = planner_decide(p, device);

        return policy_answer_overrides_host(&answer);
}

/* Whether the rule that grants a device gives what is wanted of its first domain. */
static int planner_check_features(Planner *p, const PolicyRule *rule, Refusal *reterr) {
        return rule ? check_domain_features(&p->request->domain, rule->features, reterr) : 0;
}

int planner_authorize_all(Planner *p) {
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
