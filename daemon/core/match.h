/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether something is what a rule wants, of which the answer may be that nobody knows. Ordered, so that of
 * several that must all hold the least counts, and of alternatives the greatest.
 */

#include "base/strtab.h"

typedef enum Match {
        MATCH_NO,
        MATCH_UNKNOWN,
        MATCH_YES,
        _MATCH_MAX,
        _MATCH_INVALID = -EINVAL,
} Match;

DECLARE_STRING_TABLE(match, Match);

/* What of a rule was compared, under the names that it has in the files. */
typedef enum RuleKey {
        RULE_KEY_SUBJECT,
        RULE_KEY_UID,
        RULE_KEY_GID,
        RULE_KEY_UNIT,
        RULE_KEY_SLICE,
        RULE_KEY_CGROUP,
        RULE_KEY_LABEL,
        RULE_KEY_USERNS,
        RULE_KEY_DEVICES,
        /* from here on: conditions of a request that subject and device do not decide */
        RULE_KEY_MODES,
        RULE_KEY_WHOLE_GROUP,
        RULE_KEY_NEEDS_RESET,
        _RULE_KEY_MAX,
        _RULE_KEY_INVALID = -EINVAL,
} RuleKey;

DECLARE_STRING_TABLE(rule_key, RuleKey);

static inline Match match_least(Match a, Match b) {
        return a < b ? a : b;
}

static inline Match match_greatest(Match a, Match b) {
        return a > b ? a : b;
}
