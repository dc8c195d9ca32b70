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
        subject_match_done(&rule->subject);
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
        for (size_t i = 0; i < policy->n_limits; i++) {
                free(policy->limits[i].origin);
                subject_match_done(&policy->limits[i].subject);
        }

        free(policy->rules);
        free(policy->limits);
        catalog_done(&policy->catalog);
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
        rules[policy->n_rules] = (PolicyRule) {
                .verdict = VERDICT_DENY,
                .features = (1U << _DOMAIN_FEATURE_MAX) - 1,
        };
        *ret = &rules[policy->n_rules++];
        return 0;
}

int policy_append_limits(Policy *policy, PolicyLimits **ret) {
        PolicyLimits *limits;

        limits = reallocarray(policy->limits, policy->n_limits + 1, sizeof(*limits));
        if (!limits)
                return -ENOMEM;

        policy->limits = limits;
        limits[policy->n_limits] = (PolicyLimits) {};
        *ret = &limits[policy->n_limits++];
        return 0;
}

uint64_t policy_limit(const Policy *policy, const Subject *subject, AccountSlot slot,
                      const char **ret_origin) {
        uint64_t limit = account_default_limit(slot), least = UINT64_MAX;
        const char *origin = NULL, *least_origin = NULL;

        for (size_t i = 0; policy && i < policy->n_limits; i++) {
                const PolicyLimits *limits = &policy->limits[i];
                RuleKey key;
                Match match;

                if (!(limits->limits.set & (1U << slot)))
                        continue;

                match = subject_match(&limits->subject, subject, /* proof= */ true, &key);
                if (match == MATCH_YES) {
                        limit = limits->limits.max[slot];
                        origin = limits->origin;
                        break;
                }
                if (match == MATCH_UNKNOWN && limits->limits.max[slot] < least) {
                        least = limits->limits.max[slot];
                        least_origin = limits->origin;
                }
        }

        *ret_origin = least < limit ? least_origin : origin;
        return least < limit ? least : limit;
}

unsigned policy_wanted_facts(const Policy *policy) {
        unsigned wanted = 0;

        for (size_t i = 0; policy && i < policy->n_rules; i++)
                wanted |= subject_match_wanted_facts(&policy->rules[i].subject);
        for (size_t i = 0; policy && i < policy->n_limits; i++)
                wanted |= subject_match_wanted_facts(&policy->limits[i].subject);

        return wanted;
}

const PolicyRule *policy_find_rule(const Policy *policy, const char *origin) {
        for (size_t i = 0; policy && i < policy->n_rules; i++)
                if (strcmp(policy->rules[i].origin, origin) == 0)
                        return &policy->rules[i];

        return NULL;
}

int policy_rule_add_device(PolicyRule *rule, const DeviceMatch *device) {
        DeviceMatch *devices;

        devices = reallocarray(rule->devices, rule->n_devices + 1, sizeof(*devices));
        if (!devices)
                return -ENOMEM;

        devices[rule->n_devices++] = *device;
        rule->devices = devices;
        return 0;
}

static Match rule_match_devices(const PolicyRule *rule, const Catalog *catalog, const DeviceFacts *device) {
        Match result = MATCH_NO;

        for (size_t i = 0; i < rule->n_devices && result < MATCH_YES; i++)
                result = match_greatest(result, device_match(&rule->devices[i], device, catalog));

        return result;
}

/* The first condition of the rule that the request does not meet; _RULE_KEY_MAX: it meets all. */
static RuleKey rule_unmet(const PolicyRule *rule, const PolicyQuestion *question) {
        if (rule->modes != 0 && !(rule->modes & (1U << question->mode)))
                return RULE_KEY_MODES;
        if (rule->whole_group && !question->whole_group)
                return RULE_KEY_WHOLE_GROUP;
        if (rule->needs_reset && !question->device->reset_methods[0])
                return RULE_KEY_NEEDS_RESET;

        return _RULE_KEY_MAX;
}

Match policy_rule_match(const PolicyRule *rule, const Catalog *catalog, const PolicyQuestion *question,
                        RuleKey *ret_key) {
        Match devices, subject;
        RuleKey unmet;

        subject = subject_match(&rule->subject, question->subject,
                                /* proof= */ rule->verdict != VERDICT_DENY, ret_key);
        if (subject == MATCH_NO)
                return MATCH_NO;

        devices = rule_match_devices(rule, catalog, question->device);
        if (devices < subject)
                *ret_key = RULE_KEY_DEVICES;
        if (devices == MATCH_NO)
                return MATCH_NO;

        unmet = rule_unmet(rule, question);
        if (unmet == _RULE_KEY_MAX)
                return match_least(subject, devices);

        *ret_key = unmet;
        return MATCH_NO;
}

PolicyAnswer policy_decide(const Policy *policy, const PolicyQuestion *question) {
        PolicyAnswer answer = { .verdict = VERDICT_DENY, .match = MATCH_YES };

        /* Nobody was identified: not even "everybody" is about that one */
        if (question->subject->uid == (uid_t) -1)
                return answer;

        for (size_t i = 0; policy && i < policy->n_rules; i++) {
                const PolicyRule *rule = &policy->rules[i];
                RuleKey key = RULE_KEY_SUBJECT;
                Match match;

                match = policy_rule_match(rule, &policy->catalog, question, &key);
                if (match == MATCH_YES)
                        return (PolicyAnswer) { .verdict = rule->verdict, .rule = rule, .match = match };

                if (match == MATCH_UNKNOWN && rule->verdict != VERDICT_ALLOW)
                        return (PolicyAnswer) { .rule = rule, .match = match, .key = key };

                if (rule->verdict == VERDICT_DENY || answer.missed ||
                    (match == MATCH_NO && key < RULE_KEY_MODES))
                        continue;
                answer.missed = rule;
                answer.missed_key = key;
        }

        if (subject_is_root(question->subject))
                answer.verdict = VERDICT_ALLOW;

        return answer;
}

bool policy_answer_overrides_host(const PolicyAnswer *answer) {
        return answer->rule && answer->match == MATCH_YES && answer->rule->host_use;
}
