/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How the policy comes to its answer: each rule that was passed over, and why, and what decided.
 */

#include "core/forward.h"
#include "core/policy.h"

typedef struct PolicyStep {
        const PolicyRule *rule;              /* borrowed; NULL: that no rule has decided decides */
        Match match;
        RuleKey key;                         /* what that hung on, unless it is MATCH_YES */
        bool decides;                        /* the last one */
        Verdict verdict;                     /* of the rule; of the last one the policy's */
} PolicyStep;

/* Returns 0 or a negative errno, which ends it. */
typedef int (*PolicyStepFunc)(const Device *device, const PolicyStep *step, void *userdata);

/* Goes the way that policy_decide() goes, and tells each step; @device is handed on. */
int policy_trace(const Policy *policy, const PolicyQuestion *question, const Device *device,
                 PolicyStepFunc func, void *userdata) _must_check_;

/*
 * The same for all devices that @selector names, as if @subject asked for them together in @mode. Returns 0,
 * an Outcome with *reterr, or a negative errno.
 */
int manager_trace_policy(const Manager *manager, const Subject *subject, Mode mode, const char *selector,
                         PolicyStepFunc func, void *userdata, Refusal *reterr) _must_check_;

#define POLICY_DOUBT_MAX 160
#define POLICY_STEP_TEXT_MAX (128 + POLICY_DOUBT_MAX)

/*
 * What there is to be said of a key that can't be told to be true of @subject, to follow the name of the
 * key; "" when that is simply not known.
 */
void policy_doubt_text(const Subject *subject, RuleKey key, char *buffer, size_t size);

/* What the step says, as the end of a sentence that begins with the rule. */
void policy_step_text(const PolicyStep *step, const Subject *subject, char *buffer, size_t size);
