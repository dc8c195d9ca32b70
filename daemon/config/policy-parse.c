/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "config/device-match.h"
#include "config/policy-parse.h"
#include "config/policy-reader.h"

#define FORMAT_VERSION 1U

static int append_device(PolicyRule *rule, const DeviceMatch *device) {
        DeviceMatch *devices;

        devices = reallocarray(rule->devices, rule->n_devices + 1, sizeof(*devices));
        if (!devices)
                return -ENOMEM;

        devices[rule->n_devices++] = *device;
        rule->devices = devices;
        return 0;
}

static int read_device(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;
        DeviceMatch device;
        const char *s;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        if (device_match_parse(s, &device) < 0)
                return json_node_fail(node,
                                      "\"%.*s\" names no device; write an address (\"0000:01:00.0\"), "
                                      "vendor and device id (\"8086:10d3\"), a class (\"class:0108\", "
                                      "with 2, 4 or 6 digits) or \"any\"",
                                      POLICY_SHOWN_MAX, s);

        return append_device(reader->rule, &device);
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

/* Comments are for people, but a list of them is somebody's mistake. */
static int read_comment(const JsonNode *node, void *userdata) {
        const char *s;

        return json_node_read_string(node, &s);
}

static int read_version(const JsonNode *node, void *userdata) {
        uint32_t version;
        int r;

        r = json_node_read_u32(node, UINT32_MAX, &version);
        if (r < 0)
                return r;

        if (version != FORMAT_VERSION)
                return json_node_fail(node,
                                      "version %u of the format is not known; this iommud reads version %u",
                                      version, FORMAT_VERSION);

        return 0;
}

static int read_rule(const JsonNode *node, void *userdata) {
        static const JsonField fields[] = {
                { "comment", read_comment },
                { "uid", policy_read_uids },
                { "gid", policy_read_gids },
                { "user", policy_read_users },
                { "group", policy_read_groups },
                { "subject", policy_read_subject },
                { "devices", read_devices, "the rule has no \"devices\"; add them, or \"any\"" },
                { "verdict", read_verdict, "the rule has no \"verdict\"; add \"allow\" or \"deny\"" },
        };
        PolicyReader *reader = userdata;
        int r;

        r = policy_append(reader->policy, &reader->rule);
        if (r < 0)
                return r;

        if (asprintf(&reader->rule->origin, "%s: rules[%zu]", reader->origin, node->index) < 0) {
                reader->rule->origin = NULL; /* undefined after a failure */
                return -ENOMEM;
        }

        r = json_node_read_object(node, fields, ELEMENTSOF(fields), reader);
        if (r < 0)
                return r;

        return policy_check_subject(node, reader->rule);
}

static int read_rules(const JsonNode *node, void *userdata) {
        return json_node_read_array(node, read_rule, userdata);
}

int policy_parse_with_names(const char *origin, const void *data, size_t size, const NameLookup *names,
                            Policy *policy, ConfigError *reterr) {
        static const JsonField fields[] = {
                { "version", read_version },
                { "rules", read_rules, "there are no \"rules\"; an empty list will do" },
        };
        _cleanup_(json_document_freep) JsonDocument *document = NULL;
        PolicyReader reader = { .origin = origin, .names = names, .policy = policy };
        JsonNode root;
        int r;

        if (size == 0)
                return 0;

        r = json_document_new(origin, data, size, &document, reterr);
        if (r < 0)
                return r;

        root = json_document_root(document);
        return json_node_read_object(&root, fields, ELEMENTSOF(fields), &reader);
}

int policy_parse(const char *origin, const void *data, size_t size, Policy *policy, ConfigError *reterr) {
        return policy_parse_with_names(origin, data, size, &name_lookup_system, policy, reterr);
}
