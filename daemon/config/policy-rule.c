/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "config/device-match.h"
#include "config/policy-reader.h"

static int read_device(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;
        DeviceMatch device;
        int r;

        r = device_match_read(node, &reader->policy->catalog, &device);
        if (r < 0)
                return r;

        return policy_rule_add_device(reader->rule, &device);
}

static int read_devices(const JsonNode *node, void *userdata) {
        return json_node_read_list(node, read_device, userdata);
}

static int read_verdict(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;
        Verdict verdict;
        const char *s;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        verdict = verdict_from_string(s);
        if (verdict < 0)
                return json_node_fail(node, "unknown verdict \"%.*s\"; it is \"allow\", \"ask\" or \"deny\"",
                                      POLICY_SHOWN_MAX, s);

        reader->rule->verdict = verdict;
        return 0;
}

static int read_mode(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;
        const char *s;
        Mode mode;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        mode = mode_from_string(s);
        if (mode < 0)
                return json_node_fail(node, "this iommud has no mode \"%.*s\"", POLICY_SHOWN_MAX, s);

        reader->rule->modes |= 1U << mode;
        return 0;
}

static int read_modes(const JsonNode *node, void *userdata) {
        return json_node_read_list(node, read_mode, userdata);
}

static int read_whole_group(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;

        return json_node_read_bool(node, &reader->rule->whole_group);
}

static int read_needs_reset(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;

        return json_node_read_bool(node, &reader->rule->needs_reset);
}

/* Comments are for people, but a list of them is somebody's mistake. */
int policy_read_comment(const JsonNode *node, void *userdata) {
        const char *s;

        return json_node_read_string(node, &s);
}

/*
 * A rule that denies under conditions would leave those who do not meet them to later rules: whoever wrote
 * it meant the opposite.
 */
static int check_conditions(const JsonNode *node, const PolicyRule *rule) {
        if (rule->verdict == VERDICT_DENY && (rule->whole_group || rule->needs_reset))
                return json_node_fail(node,
                                      "\"whole_group\" and \"needs_reset\" are conditions for "
                                      "having a device; "
                                      "put them into the rule that allows it");

        return 0;
}

int policy_read_rule(const JsonNode *node, void *userdata) {
        static const JsonField fields[] = {
                { "comment", policy_read_comment },
                POLICY_SUBJECT_FIELDS,
                { "devices", read_devices, "the rule has no \"devices\"; add them, or \"any\"" },
                { "modes", read_modes },
                { "whole_group", read_whole_group },
                { "needs_reset", read_needs_reset },
                { "verdict", read_verdict, "the rule has no \"verdict\"; add \"allow\" or \"deny\"" },
        };
        PolicyReader *reader = userdata;
        int r;

        r = policy_append(reader->policy, &reader->rule);
        if (r < 0)
                return r;
        reader->subject = &reader->rule->subject;

        if (asprintf(&reader->rule->origin, "%s: rules[%zu]", reader->origin, node->index) < 0) {
                reader->rule->origin = NULL; /* undefined after a failure */
                return -ENOMEM;
        }

        r = json_node_read_object(node, fields, ELEMENTSOF(fields), reader);
        if (r < 0)
                return r;

        r = policy_check_subject(node, &reader->rule->subject);
        if (r < 0)
                return r;

        return check_conditions(node, reader->rule);
}
