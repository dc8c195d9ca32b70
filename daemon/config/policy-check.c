/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "config/catalog-file.h"
#include "config/error.h"
#include "config/file.h"
#include "config/json.h"
#include "config/policy-check.h"
#include "config/policy-file.h"
#include "config/policy-parse.h"
#include "core/policy.h"

#define NAMES_FILE "iommud.json"

typedef struct Check {
        const PolicyPaths *installed;
        json_object *array;                  /* of the results; NULL: they are printed; owned */
        bool failed;
} Check;

static const char *last_component(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* A file with rules or with names, which comes into an empty policy. */
static int check_file(const Check *check, const char *path, Policy *policy, ConfigError *reterr) {
        _cleanup_free_ char *data = NULL;
        size_t size;
        int r;

        r = config_draft_read(path, JSON_SIZE_MAX, &data, &size, reterr);
        if (r < 0)
                return r;

        if (strcmp(last_component(path), NAMES_FILE) == 0)
                return catalog_parse(path, data, size, &policy->catalog, reterr);

        r = catalog_load(check->installed->names, &policy->catalog, reterr);
        if (r < 0)
                return r;

        return policy_parse(path, data, size, policy, reterr);
}

/* @path NULL: everything that is installed. */
static int check_load(const Check *check, const char *path, Policy **ret, ConfigError *reterr) {
        _cleanup_(policy_freep) Policy *policy = NULL;
        struct stat st;
        int r;

        if (!path)
                return policy_load(check->installed->names, check->installed->dirs, ret, reterr);

        if (stat(path, &st) < 0)
                return config_error_set(reterr, -errno, path, "can't look at it: %s", strerror(errno));
        if (S_ISDIR(st.st_mode))
                return policy_load(check->installed->names, (const char *const[]) { path, NULL }, ret,
                                   reterr);

        r = policy_new(&policy);
        if (r < 0)
                return r;

        r = check_file(check, path, policy, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(policy);
        return 0;
}

/* All that is wrong so far is what was not checked: nothing can be added to an object without memory. */
static int add(json_object *o, const char *key, json_object *value) {
        if (value && json_object_object_add(o, key, value) == 0)
                return 0;

        json_object_put(value);
        return -ENOMEM;
}

static int add_mistake(json_object *array, const ConfigError *error) {
        json_object *o = json_object_new_object();
        _cleanup_free_ char *text = NULL;
        int r;

        if (!o || json_object_array_add(array, o) < 0) {
                json_object_put(o);
                return -ENOMEM;
        }

        r = config_error_to_string(error, &text);
        if (r >= 0)
                r = add(o, "file", json_object_new_string(error->file));
        if (r >= 0)
                r = add(o, "line", json_object_new_int64(error->line));
        if (r >= 0)
                r = add(o, "column", json_object_new_int64(error->column));
        if (r >= 0)
                r = add(o, "path", json_object_new_string(error->path ?: ""));
        if (r >= 0)
                r = add(o, "message", json_object_new_string(error->message));
        if (r >= 0)
                r = add(o, "text", json_object_new_string(text));
        return r;
}

static int add_mistakes(json_object *o, const ConfigError *error) {
        json_object *array = json_object_new_array();
        int r;

        r = add(o, "mistakes", array);
        for (; r >= 0 && error; error = error->next)
                r = add_mistake(array, error);
        return r;
}

static int tell_json(Check *check, const char *path, const Policy *policy, const ConfigError *error) {
        json_object *o;
        int r;

        o = json_object_new_object();
        if (!o)
                return -ENOMEM;

        r = json_object_array_add(check->array, o);
        if (r < 0) {
                json_object_put(o);
                return -ENOMEM;
        }

        r = add(o, "checked", json_object_new_string(path));
        if (r >= 0)
                r = add(o, "ok", json_object_new_boolean(policy != NULL));
        if (r < 0)
                return r;

        return policy ? add(o, "rules", json_object_new_int64((int64_t) policy->n_rules))
                      : add_mistakes(o, error);
}

static int tell(Check *check, const char *path, const Policy *policy, const ConfigError *error) {
        int r = 0;

        if (check->array)
                return tell_json(check, path, policy, error);

        if (policy) {
                printf("%s: no mistakes: %zu rules, %zu limits, %zu names and tags\n", path, policy->n_rules,
                       policy->n_limits, policy->catalog.n_entries);
                return 0;
        }

        for (; r >= 0 && error; error = error->next) {
                _cleanup_free_ char *text = NULL;

                r = config_error_to_string(error, &text);
                if (r >= 0)
                        puts(text);
        }

        return r;
}

static int check_one(Check *check, const char *path) {
        _cleanup_(config_error_done) ConfigError error = { .all = true };
        _cleanup_(policy_freep) Policy *policy = NULL;
        int r;

        r = check_load(check, path, &policy, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                check->failed = true;

        return tell(check, path ?: "The installed policy", policy, &error);
}

int policy_check(const PolicyPaths *installed, char *const *paths, bool json) {
        Check check = { .installed = installed };
        int r = 0;

        if (json) {
                check.array = json_object_new_array();
                if (!check.array)
                        return -ENOMEM;
        }

        if (!paths[0])
                r = check_one(&check, /* path= */ NULL);
        for (; r >= 0 && *paths; paths++)
                r = check_one(&check, *paths);

        if (r >= 0 && json)
                puts(json_object_to_json_string_ext(check.array, JSON_C_TO_STRING_PRETTY |
                                                                         JSON_C_TO_STRING_SPACED |
                                                                         JSON_C_TO_STRING_NOSLASHESCAPE));
        json_object_put(check.array);

        return r < 0 ? r : check.failed ? -EBADMSG : 0;
}
