/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "core/match.h"

static const char *const match_table[] = {
        [MATCH_NO] = "no",
        [MATCH_UNKNOWN] = "unknown",
        [MATCH_YES] = "yes",
};

DEFINE_STRING_TABLE(match, Match, _MATCH_MAX);

static const char *const rule_key_table[] = {
        [RULE_KEY_SUBJECT] = "subject",
        [RULE_KEY_UID] = "uid",
        [RULE_KEY_GID] = "gid",
        [RULE_KEY_UNIT] = "unit",
        [RULE_KEY_SLICE] = "slice",
        [RULE_KEY_CGROUP] = "cgroup",
        [RULE_KEY_LABEL] = "label",
        [RULE_KEY_USERNS] = "userns",
        [RULE_KEY_DEVICES] = "devices",
        [RULE_KEY_MODES] = "modes",
        [RULE_KEY_WHOLE_GROUP] = "whole_group",
        [RULE_KEY_NEEDS_RESET] = "needs_reset",
};

DEFINE_STRING_TABLE(rule_key, RuleKey, _RULE_KEY_MAX);
