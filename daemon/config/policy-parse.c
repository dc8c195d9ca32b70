/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config/policy-parse.h"
#include "config/policy-reader.h"

#define FORMAT_VERSION 1U

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

static int read_rules(const JsonNode *node, void *userdata) {
        return json_node_read_array(node, policy_read_rule, userdata);
}

int policy_parse_with_names(const char *origin, const void *data, size_t size, const NameLookup *names,
                            Policy *policy, ConfigError *reterr) {
        static const JsonField fields[] = {
                { "version", read_version },
                { "limits", policy_read_user_limits },
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
