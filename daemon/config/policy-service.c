/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whom a rule is about, by what the service manager and the LSM know of a process. */

#include <string.h>

#include "config/policy-reader.h"
#include "core/subject.h"

static bool has_suffix(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && strcmp(s + n - m, suffix) == 0;
}

/* Each of these checks one entry of a list, which may be a glob. */
typedef int (*CheckString)(const JsonNode *node, const char *s);

static int read_string_into(const JsonNode *node, StringList *list, CheckString check) {
        const char *s;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        r = check(node, s);
        if (r < 0)
                return r;

        return string_list_append(list, s);
}

static int check_unit(const JsonNode *node, const char *s) {
        static const char *const suffixes[] = { ".service", ".scope", ".*", "*" };

        if (strlen(s) >= SUBJECT_UNIT_MAX || strchr(s, '/'))
                return json_node_fail(node, "\"%.*s\" is no name of a unit; write it as systemctl shows it",
                                      POLICY_SHOWN_MAX, s);

        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++)
                if (has_suffix(s, suffixes[i]))
                        return 0;

        return json_node_fail(node,
                              "\"%.*s\" is no unit that has processes; its name ends in \".service\" "
                              "or \".scope\"", POLICY_SHOWN_MAX, s);
}

static int check_slice(const JsonNode *node, const char *s) {
        if (!has_suffix(s, ".slice") || s[0] == '.' || strlen(s) >= SUBJECT_UNIT_MAX || strpbrk(s, "/*?["))
                return json_node_fail(node,
                                      "\"%.*s\" is no name of a slice; it ends in \".slice\", and "
                                      "stands for "
                                      "the slices below it as well", POLICY_SHOWN_MAX, s);

        return 0;
}

static int check_cgroup(const JsonNode *node, const char *s) {
        size_t n = strlen(s);

        if (s[0] != '/' || n < 2 || n >= SUBJECT_CGROUP_MAX || s[n - 1] == '/')
                return json_node_fail(node,
                                      "\"%.*s\" is no path of a control group; it begins with "
                                      "\"/\" and does "
                                      "not end with one", POLICY_SHOWN_MAX, s);

        return 0;
}

static int check_label(const JsonNode *node, const char *s) {
        if (!s[0] || strlen(s) >= SUBJECT_LABEL_MAX)
                return json_node_fail(node,
                                      "\"%.*s\" is no label; write it as /proc/PID/attr/current has it, "
                                      "or a pattern for that", POLICY_SHOWN_MAX, s);

        return 0;
}

static int read_unit(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;

        return read_string_into(node, &reader->subject->units, check_unit);
}

static int read_slice(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;

        return read_string_into(node, &reader->subject->slices, check_slice);
}

static int read_cgroup(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;

        return read_string_into(node, &reader->subject->cgroups, check_cgroup);
}

static int read_label(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;

        return read_string_into(node, &reader->subject->labels, check_label);
}

int policy_read_units(const JsonNode *node, void *userdata) {
        return json_node_read_list(node, read_unit, userdata);
}

int policy_read_slices(const JsonNode *node, void *userdata) {
        return json_node_read_list(node, read_slice, userdata);
}

int policy_read_cgroups(const JsonNode *node, void *userdata) {
        return json_node_read_list(node, read_cgroup, userdata);
}

int policy_read_labels(const JsonNode *node, void *userdata) {
        return json_node_read_list(node, read_label, userdata);
}

int policy_read_userns(const JsonNode *node, void *userdata) {
        PolicyReader *reader = userdata;
        UsernsMatch userns;
        const char *s;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        userns = userns_match_from_string(s);
        if (userns < 0 || userns == USERNS_ANY)
                return json_node_fail(node, "\"%.*s\" is no user namespace; it is \"own\" or \"other\"",
                                      POLICY_SHOWN_MAX, s);

        reader->subject->userns = userns;
        return 0;
}
