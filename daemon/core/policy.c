/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "core/device.h"
#include "core/policy.h"
#include "core/subject.h"

static const char *const verdict_table[] = {
        [VERDICT_DENY] = "deny",
        [VERDICT_ALLOW] = "allow",
};

DEFINE_STRING_TABLE(verdict, Verdict, _VERDICT_MAX);

static void policy_rule_done(PolicyRule *rule) {
        free(rule->origin);
        free(rule->uids);
        free(rule->gids);
        free(rule->devices);
}

int policy_new(Policy **ret) {
        Policy *policy;

        policy = calloc(1, sizeof(*policy));
        if (!policy)
                return -ENOMEM;

        *ret = policy;
        return 0;
}

Policy *policy_free(Policy *policy) {
        if (!policy)
                return NULL;

        for (size_t i = 0; i < policy->n_rules; i++)
                policy_rule_done(&policy->rules[i]);

        free(policy->rules);
        free(policy);
        return NULL;
}

int policy_append(Policy *policy, PolicyRule **ret) {
        PolicyRule *rules;

        rules = reallocarray(policy->rules, policy->n_rules + 1, sizeof(*rules));
        if (!rules)
                return -ENOMEM;

        policy->rules = rules;
        rules[policy->n_rules] = (PolicyRule) { .verdict = VERDICT_DENY };
        *ret = &rules[policy->n_rules++];
        return 0;
}

static bool rule_matches_subject(const PolicyRule *rule, const Subject *subject) {
        if (rule->any_subject)
                return true;

        for (size_t i = 0; i < rule->n_uids; i++)
                /* "uid 0" in a rule means the host's root: a container's root has the same number on the bus */
                if (rule->uids[i] == subject->uid && (subject->uid != 0 || subject_is_root(subject)))
                        return true;

        for (size_t i = 0; i < rule->n_gids; i++)
                if (subject_has_gid(subject, rule->gids[i]) && (rule->gids[i] != 0 || subject->own_userns))
                        return true;

        return false;
}

static bool device_match(const DeviceMatch *match, const DeviceFacts *device) {
        switch (match->kind) {

        case DEVICE_MATCH_ANY:
                return true;

        case DEVICE_MATCH_NAME:
                return strcmp(match->name, device->name) == 0;

        case DEVICE_MATCH_IDS:
                return strcmp(device->subsystem, "pci") == 0 && match->vendor == device->vendor &&
                       match->device == device->device;

        case DEVICE_MATCH_CLASS:
                return strcmp(device->subsystem, "pci") == 0 &&
                       (device->class & match->class_mask) == (match->class & match->class_mask);

        case DEVICE_MATCH_NONE:
        case _DEVICE_MATCH_KIND_MAX:
                break;
        }

        return false;
}

static bool rule_matches_device(const PolicyRule *rule, const DeviceFacts *device) {
        for (size_t i = 0; i < rule->n_devices; i++)
                if (device_match(&rule->devices[i], device))
                        return true;

        return false;
}

PolicyAnswer policy_decide(const Policy *policy, const Subject *subject, const DeviceFacts *device) {
        for (size_t i = 0; policy && i < policy->n_rules; i++) {
                const PolicyRule *rule = &policy->rules[i];

                if (rule_matches_subject(rule, subject) && rule_matches_device(rule, device))
                        return (PolicyAnswer) { rule->verdict, rule };
        }

        return (PolicyAnswer) { subject_is_root(subject) ? VERDICT_ALLOW : VERDICT_DENY, NULL };
}
