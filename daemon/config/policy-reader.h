/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the readers of a policy file share: policy-parse.c, and policy-subject.c for whom a rule is about. */

#include "config/json.h"
#include "config/name-lookup.h"
#include "core/policy.h"

/* How much of a string that is wrong is shown */
#define POLICY_SHOWN_MAX 64

typedef struct PolicyReader {
        const char *origin;
        const NameLookup *names;
        Policy *policy;
        PolicyRule *rule;                    /* that is being read, the policy's last */
} PolicyReader;

int policy_read_uids(const JsonNode *node, void *userdata) _must_check_;
int policy_read_gids(const JsonNode *node, void *userdata) _must_check_;
int policy_read_users(const JsonNode *node, void *userdata) _must_check_;
int policy_read_groups(const JsonNode *node, void *userdata) _must_check_;
int policy_read_subject(const JsonNode *node, void *userdata) _must_check_;

/* Whether the rule that @node was says whom it is about, and in one way only. */
int policy_check_subject(const JsonNode *node, const PolicyRule *rule) _must_check_;
