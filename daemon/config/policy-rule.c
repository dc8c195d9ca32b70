/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <json-c/json.h>
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
                return json_node_fail(node,
                                      "unknown mode \"%.*s\"; it is \"vmm\", \"attached\" or \"confined\"",
                                      POLICY_SHOWN_MAX, s);

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

static int read_feature(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;
        DomainFeature feature;
        const char *s;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        feature = domain_feature_from_string(s);
        if (feature < 0)
                return json_node_fail(node,
                                      "unknown feature \"%.*s\"; it is \"nesting\", \"dirty_tracking\", "
                                      "\"pasid\" or \"fault_queue\"", POLICY_SHOWN_MAX, s);

        reader->rule->features |= 1U << feature;
        return 0;
}

/* Without the key all may be used; an empty list is how none is. */
static int read_features(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;

        reader->rule->features = 0;
        return json_node_read_array(node, read_feature, userdata);
}

static int read_max_lease(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;
        uint64_t seconds;
        int r;

        r = json_node_read_u64(node, 1, UINT32_MAX, &seconds);
        if (r < 0)
                return r;

        reader->rule->max_lease_usec = seconds * 1000 * 1000;
        return 0;
}

static int read_memlock(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;
        const char *s;
        int r;

        if (!json_object_is_type(node->value, json_type_string))
                return json_node_read_u64(node, 1, POLICY_NUMBER_MAX, &reader->rule->memlock);

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;
        if (strcmp(s, "unlimited") != 0)
                return json_node_fail(node, "\"%.*s\" is unknown here; it is a number of bytes, or "
                                      "\"unlimited\"", POLICY_SHOWN_MAX, s);

        reader->rule->memlock = UINT64_MAX;
        return 0;
}

static int read_host_use(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;
        const char *s;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        if (strcmp(s, "allow") != 0)
                return json_node_fail(node, "\"%.*s\" is unknown here; it is \"allow\", or nothing",
                                      POLICY_SHOWN_MAX, s);

        reader->rule->host_use = true;
        return 0;
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
static int check_terms(const JsonNode *node, const PolicyRule *rule, const Catalog *catalog) {
        static const char *const keys[] = {
                "whole_group", "needs_reset", "features", "max_lease_seconds", "memlock",
                "host_use",    "limits",
        };

        for (size_t i = 0; rule->verdict == VERDICT_DENY && i < ELEMENTSOF(keys); i++)
                if (json_object_object_get_ex(node->value, keys[i], /* value= */ NULL))
                        return json_node_fail(node,
                                              "a rule that denies can't have \"%s\"; put it into "
                                              "the one that allows", keys[i]);

        /* What it is for must be known to whoever writes it, today and when cards have been added */
        for (size_t i = 0; rule->host_use && i < rule->n_devices; i++)
                if (!device_match_is_single(&rule->devices[i], catalog))
                        return json_node_fail(node,
                                              "\"host_use\" is for devices that are named one by one, by "
                                              "address, serial number, virtual function or name");

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
                { "features", read_features },
                { "max_lease_seconds", read_max_lease },
                { "memlock", read_memlock },
                { "host_use", read_host_use },
                { "limits", policy_read_rule_limits },
                { "verdict", read_verdict,
                  "the rule has no \"verdict\"; add \"allow\", \"ask\" or \"deny\"" },
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

        return check_terms(node, reader->rule, &reader->policy->catalog);
}
