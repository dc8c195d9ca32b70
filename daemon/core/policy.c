/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "core/device.h"
#include "core/policy.h"
#include "core/subject.h"

static const char *const verdict_table[] = {
        [VERDICT_DENY] = "deny",
        [VERDICT_ASK] = "ask",
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
        PolicyRule *rules = policy->rules;
        size_t n = policy->n_rules;

        /* There is room for the next power of two, so at each of these it has run out */
        if ((n & (n - 1)) == 0) {
                rules = reallocarray(rules, n ? n * 2 : 1, sizeof(*rules));
                if (!rules)
                        return -ENOMEM;
        }

        policy->rules = rules;
        rules[policy->n_rules] = (PolicyRule) { .verdict = VERDICT_DENY };
        *ret = &rules[policy->n_rules++];
        return 0;
}

/*
 * A container's root has the same number on the bus as the host's. So what is for user or group 0 is granted
 * only with the proof that it is the host's; but what is denied to number 0 needs no proof, or a later rule
 * would allow it.
 */
static bool rule_takes_id(const PolicyRule *rule, const Subject *subject, id_t id) {
        return id != 0 || subject->own_userns || rule->verdict != VERDICT_ALLOW;
}

static bool rule_matches_subject(const PolicyRule *rule, const Subject *subject) {
        if (rule->any_subject)
                return true;

        for (size_t i = 0; i < rule->n_uids; i++)
                if (rule->uids[i] == subject->uid && rule_takes_id(rule, subject, rule->uids[i]))
                        return true;

        for (size_t i = 0; i < rule->n_gids; i++)
                if (subject_has_gid(subject, rule->gids[i]) && rule_takes_id(rule, subject, rule->gids[i]))
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
                /* No mask at all matches nothing, as a forgotten field should */
                return strcmp(device->subsystem, "pci") == 0 && match->class_mask != 0 &&
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
        /* Nobody was identified: not even "everybody" is about that one */
        if (subject->uid == (uid_t) -1)
                return (PolicyAnswer) { VERDICT_DENY, NULL };

        for (size_t i = 0; policy && i < policy->n_rules; i++) {
                const PolicyRule *rule = &policy->rules[i];

                if (rule_matches_subject(rule, subject) && rule_matches_device(rule, device))
                        return (PolicyAnswer) { rule->verdict, rule };
        }

        return (PolicyAnswer) { subject_is_root(subject) ? VERDICT_ALLOW : VERDICT_DENY, NULL };
}
