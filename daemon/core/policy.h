/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The policy: an ordered list of rules, of which the first that matches subject, device and request decides.
 * None matches: deny. The administrator of the host is allowed where no rule says otherwise. The verdict is
 * a pure function: no clock, no file, no bus, no journal is asked.
 */

#include "core/account.h"
#include "core/catalog.h"
#include "core/device-match.h"
#include "core/forward.h"
#include "core/match.h"
#include "core/subject-match.h"

typedef enum Verdict {
        VERDICT_DENY,                        /* zero: a forgotten initialiser denies */
        VERDICT_ASK,                         /* allowed if polkit permits it, for this request */
        VERDICT_ALLOW,
        _VERDICT_MAX,
        _VERDICT_INVALID = -EINVAL,
} Verdict;

DECLARE_STRING_TABLE(verdict, Verdict);

/*
 * One rule. It matches when its subject does, any of its devices, and all of its conditions; one that is not
 * set holds always.
 */
struct PolicyRule {
        /* where it stands: "/etc/iommud/policy.d/50-vm.json: rules[2]"; owned */
        char *origin;
        Verdict verdict;
        SubjectMatch subject;
        DeviceMatch *devices;                /* owned */
        size_t n_devices;
        unsigned modes;                      /* 1 << Mode of those that it is about; 0: all */
        bool whole_group;                    /* only with all devices of the group that can be had */
        bool needs_reset;                    /* only what can be reset */
        /* what comes with a grant */
        bool host_use;                       /* although the host uses it */
        uint64_t max_lease_usec;             /* the lease ends after that; 0: it need not end */
        unsigned features;                   /* 1 << DomainFeature of those that may be used */
        /* up to which the client's limit of locked memory is raised; UINT64_MAX: to any; 0: it isn't */
        uint64_t memlock;
        Limits limits;                       /* for what each user has by this rule */
};

/* Limits for all that some users have. */
typedef struct PolicyLimits {
        char *origin;                        /* as of a rule; owned */
        SubjectMatch subject;
        Limits limits;
} PolicyLimits;

struct Policy {
        PolicyRule *rules;                   /* in the order in which they are tried; owned */
        size_t n_rules;
        PolicyLimits *limits;                /* of each limit the first that is set counts; owned */
        size_t n_limits;
        Catalog catalog;
};

/* "May this subject have this device, in this way?" */
typedef struct PolicyQuestion {
        const Subject *subject;
        /* its driver is that of the host, which it is given back to: see device_host_facts() */
        const DeviceFacts *device;
        Mode mode;
        bool whole_group;                    /* everything of its group that can be had is asked for */
} PolicyQuestion;

/* The answer, and why. */
typedef struct PolicyAnswer {
        Verdict verdict;
        const PolicyRule *rule;              /* that decided, borrowed from the policy; NULL: none matched */
        /*
         * MATCH_UNKNOWN: the rule denies because it can't be ruled out that it is about this; @key is what
         * is not known. With no rule: MATCH_YES.
         */
        Match match;
        RuleKey key;
        /* when no rule matched: the first that would have granted it, but for @missed_key; or NULL */
        const PolicyRule *missed;
        RuleKey missed_key;
} PolicyAnswer;

int policy_new(Policy **ret) _must_check_;
Policy *policy_free(Policy *policy);
DEFINE_CLEANUP_FUNC(Policy, policy_free);

/*
 * Appends a rule that denies everything to nobody, to be filled in by the caller. *ret is borrowed until the
 * next call.
 */
int policy_append(Policy *policy, PolicyRule **ret) _must_check_;

/* The same for limits, of nothing for nobody. */
int policy_append_limits(Policy *policy, PolicyLimits **ret) _must_check_;

/*
 * How much of it a user may have in all. *ret_origin is where that stands, borrowed; NULL: it is built in.
 * When it can't be told whether limits are for @subject, they are if they are lower than what follows.
 */
uint64_t policy_limit(const Policy *policy, const Subject *subject, AccountSlot slot,
                      const char **ret_origin);

/*
 * What of a subject (SubjectFacts) any rule or limit asks for: what nobody asks for need not be found out. A
 * policy of NULL asks for nothing.
 */
unsigned policy_wanted_facts(const Policy *policy);

/* The rule that stands at @origin; NULL: none does. */
const PolicyRule *policy_find_rule(const Policy *policy, const char *origin);

/* Appends to its devices. */
int policy_rule_add_device(PolicyRule *rule, const DeviceMatch *device) _must_check_;

/* Whether a rule is about what is asked. In all cases but MATCH_YES *ret_key is what that hung on. */
Match policy_rule_match(const PolicyRule *rule, const Catalog *catalog, const PolicyQuestion *question,
                        RuleKey *ret_key);

/* Whether an administrator has said that it may be taken from the host, whatever that does with it. */
bool policy_answer_overrides_host(const PolicyAnswer *answer);

/*
 * Decides. Of what is not known a rule may be about the caller or may not: one that allows is passed over
 * then, any other denies. A policy of NULL is one without rules.
 */
PolicyAnswer policy_decide(const Policy *policy, const PolicyQuestion *question);
