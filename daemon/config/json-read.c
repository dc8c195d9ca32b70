/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "config/json-text.h"
#include "config/json.h"
#include "config/suggest.h"

/* How much of a key that is wrong is shown */
#define SHOWN_MAX 64

/* What people who write JSON call it. */
static const char *type_name(struct json_object *value) {
        switch (json_object_get_type(value)) {
        case json_type_null:
                return "null";
        case json_type_boolean:
                return "true or false";
        case json_type_double:
                return "a number that is not whole";
        case json_type_int:
                return "a number";
        case json_type_object:
                return "an object { … }";
        case json_type_array:
                return "an array [ … ]";
        case json_type_string:
                return "a string";
        }

        return "of unknown type";
}

/*
 * The member whose key begins at @at. json-c keeps members in the order in which each key came first, so the
 * key that is not the next of its list is one that it has seen before.
 */
static int member_at(const JsonNode *object, const char *at, struct json_object_iterator *next,
                     JsonNode *ret) {
        struct json_object_iterator end = json_object_iter_end(object->value);
        size_t n = strcspn(at + 1, "\"\\");
        int shown = (int) (n < SHOWN_MAX ? n : SHOWN_MAX);
        const char *name;

        if (at[1 + n] == '\\')
                return json_node_fail_at(object, at, "the key \"%.*s…\" has a backslash; no key needs one",
                                         shown, at + 1);

        name = json_object_iter_equal(next, &end) ? NULL : json_object_iter_peek_name(next);
        if (!name || strlen(name) != n || memcmp(name, at + 1, n) != 0)
                return json_node_fail_at(object, at, "the key \"%.*s\" appears twice; make one of both",
                                         shown, at + 1);

        *ret = (JsonNode) {
                .document = object->document,
                .parent = object,
                .key = name,
                .value = json_object_iter_peek_value(next),
                /* past the key and the colon */
                .at = json_text_skip_space(json_text_skip_space(at + 1 + n + 1) + 1),
        };
        json_object_iter_next(next);
        return 0;
}

/* What follows a value in its container: the next value or key, or the bracket that closes the container. */
static const char *next_at(const JsonNode *node) {
        const char *p = json_text_skip_space(json_text_skip_value(node->at));

        return *p == ',' ? json_text_skip_space(p + 1) : p;
}

static const JsonField *find_field(const char *name, const JsonField *fields, size_t n_fields) {
        for (size_t i = 0; i < n_fields; i++)
                if (strcmp(fields[i].name, name) == 0)
                        return &fields[i];

        return NULL;
}

static int fail_unknown(const JsonNode *object, const char *at, const char *key, const JsonField *fields,
                        size_t n_fields) {
        const char *meant = suggest(key, fields, n_fields, sizeof(*fields));

        if (meant)
                return json_node_fail_at(object, at, "unknown key \"%s\", did you mean \"%s\"?", key, meant);

        return json_node_fail_at(object, at, "unknown key \"%.*s\"", SHOWN_MAX, key);
}

static int check_complete(const JsonNode *object, const JsonField *fields, size_t n_fields) {
        for (size_t i = 0; i < n_fields; i++)
                if (fields[i].missing && !json_object_object_get_ex(object->value, fields[i].name, NULL))
                        return json_node_fail(object, "%s", fields[i].missing);

        return 0;
}

/*
 * Checks all keys. Before any value is read, since of a key that appears twice json-c has the last value,
 * and what stands in the text at the first is another: *ret_readable is whether there is none.
 */
static int check_members(const JsonNode *object, const JsonField *fields, size_t n_fields,
                         bool *ret_readable) {
        struct json_object_iterator next = json_object_iter_begin(object->value);
        const char *at = json_text_skip_space(object->at + 1);
        int r, failed = 0;

        *ret_readable = false;
        while (*at != '}') {
                JsonNode member;

                r = member_at(object, at, &next, &member);
                if (r < 0)
                        return r;

                if (!find_field(member.key, fields, n_fields)) {
                        failed = fail_unknown(object, at, member.key, fields, n_fields);
                        if (!config_error_go_on(object->document->error, failed))
                                return failed;
                }

                at = next_at(&member);
        }

        *ret_readable = true;
        return failed;
}

int json_node_read_object(const JsonNode *node, const JsonField *fields, size_t n_fields, void *userdata) {
        const ConfigError *error = node->document->error;
        struct json_object_iterator next;
        const char *at;
        bool readable;
        int r, failed;

        if (!json_object_is_type(node->value, json_type_object))
                return json_node_fail(node, "%s where an object { … } must be", type_name(node->value));

        failed = check_members(node, fields, n_fields, &readable);
        if (failed < 0 && (!readable || !config_error_go_on(error, failed)))
                return failed;

        next = json_object_iter_begin(node->value);
        at = json_text_skip_space(node->at + 1);

        while (*at != '}') {
                const JsonField *field;
                JsonNode member;

                r = member_at(node, at, &next, &member);
                if (r < 0)
                        return r;

                /* one that was not known was told before */
                field = find_field(member.key, fields, n_fields);
                r = field ? field->read(&member, userdata) : 0;
                if (r < 0) {
                        if (!config_error_go_on(error, r))
                                return r;
                        failed = r;
                }

                at = next_at(&member);
        }

        /* what seems to be missing may be what is wrong */
        return failed < 0 ? failed : check_complete(node, fields, n_fields);
}

int json_node_read_array(const JsonNode *node, JsonReader read, void *userdata) {
        const char *at;
        int r, failed = 0;
        size_t n;

        if (!json_object_is_type(node->value, json_type_array))
                return json_node_fail(node, "%s where an array [ … ] must be", type_name(node->value));

        n = json_object_array_length(node->value);
        at = json_text_skip_space(node->at + 1);

        for (size_t i = 0; i < n; i++) {
                const JsonNode element = {
                        .document = node->document,
                        .parent = node,
                        .index = i,
                        .value = json_object_array_get_idx(node->value, i),
                        .at = at,
                };

                r = read(&element, userdata);
                if (r < 0) {
                        if (!config_error_go_on(node->document->error, r))
                                return r;
                        failed = r;
                }

                at = next_at(&element);
        }

        return failed;
}

int json_node_read_list(const JsonNode *node, JsonReader read, void *userdata) {
        if (!json_object_is_type(node->value, json_type_array))
                return read(node, userdata);

        if (json_object_array_length(node->value) == 0)
                return json_node_fail(node, "an empty list matches nothing; fill it or take it out");

        return json_node_read_array(node, read, userdata);
}

int json_node_read_string(const JsonNode *node, const char **ret) {
        const char *s;

        if (!json_object_is_type(node->value, json_type_string))
                return json_node_fail(node, "%s where a string must be", type_name(node->value));

        s = json_object_get_string(node->value);
        if (strlen(s) != (size_t) json_object_get_string_len(node->value))
                return json_node_fail(node, "the string has a NUL in it (\\u0000)");

        *ret = s;
        return 0;
}

int json_node_read_bool(const JsonNode *node, bool *ret) {
        if (!json_object_is_type(node->value, json_type_boolean))
                return json_node_fail(node, "%s where true or false must be", type_name(node->value));

        *ret = json_object_get_boolean(node->value);
        return 0;
}

int json_node_read_u64(const JsonNode *node, uint64_t min, uint64_t max, uint64_t *ret) {
        int64_t value;

        assert(max <= INT64_MAX);

        if (!json_object_is_type(node->value, json_type_int))
                return json_node_fail(node, "%s where a whole number must be", type_name(node->value));

        /*
         * json-c stops at the limits of int64_t, which is far enough out; "-0" is no number that anyone
         * means
         */
        value = json_object_get_int64(node->value);
        if (*node->at == '-' || value < 0 || (uint64_t) value < min || (uint64_t) value > max)
                return json_node_fail(node,
                                      "the number is out of range: from %" PRIu64 " to %" PRIu64
                                      " is allowed", min, max);

        *ret = (uint64_t) value;
        return 0;
}

int json_node_read_u32(const JsonNode *node, uint32_t max, uint32_t *ret) {
        uint64_t value;
        int r;

        r = json_node_read_u64(node, 0, max, &value);
        if (r < 0)
                return r;

        *ret = (uint32_t) value;
        return 0;
}
