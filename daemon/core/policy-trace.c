/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "core/device.h"
#include "core/group.h"
#include "core/limits.h"
#include "core/manager.h"
#include "core/policy-trace.h"
#include "core/refusal.h"
#include "core/selector.h"
#include "core/subject.h"

int policy_trace(const Policy *policy, const PolicyQuestion *question, const Device *device,
                 PolicyStepFunc func, void *userdata) {
        PolicyAnswer answer = policy_decide(policy, question);
        PolicyStep last = {
                .rule = answer.rule,
                .match = answer.match,
                .key = answer.key,
                .decides = true,
                .verdict = answer.verdict,
        };
        int r;

        for (size_t i = 0; policy && i < policy->n_rules; i++) {
                PolicyStep step = { .rule = &policy->rules[i], .verdict = policy->rules[i].verdict };

                if (step.rule == answer.rule)
                        break;

                step.match = policy_rule_match(step.rule, &policy->catalog, question, &step.key);
                r = func(device, &step, userdata);
                if (r < 0)
                        return r;
        }

        return func(device, &last, userdata);
}

static bool is_one_of(const Device *device, const Device *const *devices, unsigned n) {
        for (unsigned i = 0; i < n; i++)
                if (devices[i] == device)
                        return true;

        return false;
}

static bool has_whole_group(const Group *group, const Device *const *devices, unsigned n) {
        for (const Device *device = group->devices; device; device = device->next)
                if (!device->facts.bridge && !is_one_of(device, devices, n))
                        return false;

        return true;
}

int manager_trace_policy(const Manager *manager, const Subject *subject, Mode mode, const char *text,
                         PolicyStepFunc func, void *userdata, Refusal *reterr) {
        const Device *devices[LIMIT_LEASE_DEVICES];
        Selector selector;
        unsigned n = 0;
        int r;

        r = selector_parse(text, &selector, reterr);
        if (r > 0)
                return r;

        for (size_t i = 0; i < manager->devices.n_items; i++) {
                const Device *device = manager->devices.items[i];

                if (!manager_selects(manager, &selector, device))
                        continue;
                if (n == ELEMENTSOF(devices))
                        return refuse(reterr, OUTCOME_QUOTA, "\"%.64s\" names more than %u devices", text,
                                      LIMIT_LEASE_DEVICES);
                devices[n++] = device;
        }

        if (n == 0)
                return refuse(reterr, OUTCOME_NO_SUCH_DEVICE,
                              "No device in an IOMMU group answers to \"%.64s\"", text);

        for (unsigned i = 0; i < n; i++) {
                DeviceFacts buffer;
                PolicyQuestion question = {
                        .subject = subject,
                        .device = device_host_facts(devices[i], &buffer),
                        .mode = mode,
                        .whole_group = has_whole_group(devices[i]->group, devices, n),
                };

                r = policy_trace(manager->policy, &question, devices[i], func, userdata);
                if (r < 0)
                        return r;
        }

        return 0;
}

void policy_doubt_text(const Subject *subject, RuleKey key, char *buffer, size_t size) {
        buffer[0] = '\0';
        if (key != RULE_KEY_LABEL || !(subject->known & SUBJECT_KNOWS_LABEL))
                return;

        snprintf(buffer, size, " (\"%.64s\" is no proof of that, see \"label\" in iommud-policy(5))",
                 subject->label);
        make_printable(buffer);
}

static void decided_text(const PolicyStep *step, const Subject *subject, const char *doubt, char *buffer,
                         size_t size) {
        static const char *const texts[] = {
                [VERDICT_DENY] = "denies it",
                [VERDICT_ASK] = "wants polkit to be asked",
                [VERDICT_ALLOW] = "allows it",
        };

        if (step->match == MATCH_UNKNOWN)
                snprintf(buffer, size,
                        "denies it, since it can't be ruled out that its \"%s\"%s is true of this",
                         rule_key_to_string(step->key), doubt);
        else if (step->rule)
                snprintf(buffer, size, "%s", texts[step->verdict]);
        else if (subject->uid == (uid_t) -1)
                snprintf(buffer, size, "nobody may have anything who was not identified");
        else
                snprintf(buffer, size, "%s",
                         step->verdict == VERDICT_ALLOW ? "root may have what no rule denies" :
                                                          "what no rule allows is denied");
}

void policy_step_text(const PolicyStep *step, const Subject *subject, char *buffer, size_t size) {
        const char *key = rule_key_to_string(step->key);
        char doubt[POLICY_DOUBT_MAX];

        policy_doubt_text(subject, step->key, doubt, sizeof(doubt));
        if (step->decides)
                decided_text(step, subject, doubt, buffer, size);
        else if (step->match == MATCH_UNKNOWN)
                snprintf(buffer, size, "passed over: whether its \"%s\" is true is not known%s", key, doubt);
        else if (step->key == RULE_KEY_DEVICES)
                snprintf(buffer, size, "passed over: it is about other devices");
        else if (step->key >= RULE_KEY_MODES)
                snprintf(buffer, size, "passed over: its condition \"%s\" is not met", key);
        else
                snprintf(buffer, size, "passed over: its \"%s\" is not true of the caller", key);
}
