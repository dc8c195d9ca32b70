/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the readers of a policy file share. */

#include "config/json.h"
#include "config/name-lookup.h"
#include "core/policy.h"

/* More is no number that JSON readers agree on */
#define POLICY_NUMBER_MAX (UINT64_C(1) << 53)

/* How much of a string that is wrong is shown */
#define POLICY_SHOWN_MAX 64

typedef struct PolicyReader {
        const char *origin;
        const NameLookup *names;
        Policy *policy;
        PolicyRule *rule;                    /* that is being read, the policy's last */
        SubjectMatch *subject;               /* that is being read */
        Limits *limits;                      /* that are being read */
} PolicyReader;

/* A rule; policy-rule.c */
int policy_read_rule(const JsonNode *node, void *userdata) _must_check_;
int policy_read_comment(const JsonNode *node, void *userdata) _must_check_;

/* Limits of one rule, and for all that some users have; policy-limits.c */
int policy_read_rule_limits(const JsonNode *node, void *userdata) _must_check_;
int policy_read_user_limits(const JsonNode *node, void *userdata) _must_check_;

/* Whom it is about; policy-subject.c for numbers and names, policy-service.c for units and the like */
int policy_read_uids(const JsonNode *node, void *userdata) _must_check_;
int policy_read_gids(const JsonNode *node, void *userdata) _must_check_;
int policy_read_users(const JsonNode *node, void *userdata) _must_check_;
int policy_read_groups(const JsonNode *node, void *userdata) _must_check_;
int policy_read_any(const JsonNode *node, void *userdata) _must_check_;
int policy_read_units(const JsonNode *node, void *userdata) _must_check_;
int policy_read_slices(const JsonNode *node, void *userdata) _must_check_;
int policy_read_cgroups(const JsonNode *node, void *userdata) _must_check_;
int policy_read_labels(const JsonNode *node, void *userdata) _must_check_;
int policy_read_userns(const JsonNode *node, void *userdata) _must_check_;

/* The keys of a subject, for the table of an object that has one. */
#define POLICY_SUBJECT_FIELDS                                                                               \
        { "uid", policy_read_uids }, { "gid", policy_read_gids }, { "user", policy_read_users },            \
                { "group", policy_read_groups }, { "unit", policy_read_units },                             \
                { "slice", policy_read_slices }, { "cgroup", policy_read_cgroups },                         \
                { "label", policy_read_labels }, { "userns", policy_read_userns },                          \
                { "subject", policy_read_any }

/* Whether the object @node says whom it is about, and in one way only. */
int policy_check_subject(const JsonNode *node, const SubjectMatch *subject) _must_check_;
