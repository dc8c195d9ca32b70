/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "config/policy-reader.h"

static int read_limit(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;
        AccountSlot slot = account_slot_from_string(node->key);

        assert(slot >= 0);
        reader->limits->set |= 1U << slot;
        return json_node_read_u64(node, 0, POLICY_NUMBER_MAX, &reader->limits->max[slot]);
}

#define CHARGED_FIELDS                                                                                      \
        { "leases", read_limit }, { "devices", read_limit }, { "domains", read_limit },                     \
                { "mappings", read_limit }, { "pinned_bytes", read_limit }, { "pasids", read_limit }

static int read_requests(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;

        reader->limits->set |= 1U << ACCOUNT_REQUESTS_PER_SECOND;
        return json_node_read_u64(node, 1, 1000 * 1000, &reader->limits->max[ACCOUNT_REQUESTS_PER_SECOND]);
}

int policy_read_rule_limits(const JsonNode *node, void *userdata) {
        static const JsonField fields[] = { CHARGED_FIELDS, { "requests_per_second", read_requests } };
        PolicyReader *reader = userdata;

        static_assert(ELEMENTSOF(fields) == _ACCOUNT_SLOT_MAX, "there is a field for every limit");

        reader->limits = &reader->rule->limits;
        return json_node_read_object(node, fields, ELEMENTSOF(fields), reader);
}

static int read_entry(const JsonNode *node, void *userdata) {
        static const JsonField fields[] = {
                { "comment", policy_read_comment },
                POLICY_SUBJECT_FIELDS,
                CHARGED_FIELDS,
                { "requests_per_second", read_requests },
        };
        PolicyReader *reader = userdata;
        PolicyLimits *limits;
        int r;

        r = policy_append_limits(reader->policy, &limits);
        if (r < 0)
                return r;
        reader->subject = &limits->subject;
        reader->limits = &limits->limits;

        if (asprintf(&limits->origin, "%s: limits[%zu]", reader->origin, node->index) < 0) {
                limits->origin = NULL;       /* undefined after a failure */
                return -ENOMEM;
        }

        r = json_node_read_object(node, fields, ELEMENTSOF(fields), reader);
        if (r < 0)
                return r;

        if (limits->limits.set == 0)
                return json_node_fail(node,
                        "it limits nothing; add \"devices\", \"leases\" or another limit");

        return policy_check_subject(node, &limits->subject);
}

int policy_read_user_limits(const JsonNode *node, void *userdata) {
        return json_node_read_array(node, read_entry, userdata);
}
