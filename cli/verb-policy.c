/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "to-json.h"

#define IOMMUD IOMMUD_LIBEXEC_DIR "/iommud"

/*
 * The program of the daemon knows what a policy is, and reads it here as whoever asks: nothing that may be
 * wrong goes to the daemon, and it need not run.
 */
static Status check(const Options *options, char **paths) {
        static char program[] = IOMMUD, check_policy[] = "--check-policy", json[] = "--json", end[] = "--";
        _cleanup_free_ char **arguments = NULL;
        size_t n_paths = 0, n = 0;

        while (paths[n_paths])
                n_paths++;

        arguments = need(calloc(n_paths + 5, sizeof(*arguments)));
        arguments[n++] = program;
        arguments[n++] = check_policy;
        if (options->json)
                arguments[n++] = json;
        arguments[n++] = end;
        memcpy(arguments + n, paths, n_paths * sizeof(*paths));

        execv(program, arguments);
        complain("cannot run %s: %s", program, strerror(errno));
        return STATUS_BROKEN;
}

/* The user and his groups, as he would be after he has logged in. */
static Status set_user(iommud_who *who, uid_t uid) {
        _cleanup_free_ gid_t *gids = NULL;
        const struct passwd *user;
        int n = 256;

        user = getpwuid(uid);
        if (user) {
                gids = need(calloc((size_t) n, sizeof(*gids)));
                if (getgrouplist(user->pw_name, user->pw_gid, gids, &n) < 0) {
                        complain("user %u is in more than 256 groups, which iommud refuses", (unsigned) uid);
                        return STATUS_REFUSED;
                }
        } else
                n = 0;

        return iommud_who_set_user(who, uid, gids, (size_t) n) == 0 ? STATUS_OK : STATUS_BROKEN;
}

static Status new_who(const Options *options, iommud_who **ret) {
        const struct {
                const char *key, *value;
        } values[] = {
                { "unit", options->unit },   { "slice", options->slice }, { "cgroup", options->cgroup },
                { "label", options->label }, { "mode", options->mode },
                { "userns", options->userns ?: options->has_as ? "own" : NULL },
        };
        _cleanup_(iommud_who_freep) iommud_who *who = NULL;
        Status status = STATUS_OK;

        if (iommud_who_new(&who) < 0)
                (void) need(NULL);
        if (options->has_as)
                status = set_user(who, options->as);

        for (size_t i = 0; status == STATUS_OK && i < ELEMENTSOF(values); i++)
                if (values[i].value && iommud_who_set(who, values[i].key, values[i].value) < 0)
                        (void) need(NULL);

        if (status == STATUS_OK)
                *ret = TAKE_PTR(who);
        return status;
}

static void print_steps(iommud_policy_step *const *steps) {
        const char *device = "";

        for (; *steps; steps++) {
                const char *rule = iommud_policy_step_rule(*steps);

                if (strcmp(device, iommud_policy_step_device(*steps)) != 0) {
                        device = iommud_policy_step_device(*steps);
                        printf("%s\n", device);
                }
                if (iommud_policy_step_decides(*steps))
                        printf("  => %s: %s%s%s\n", iommud_policy_step_verdict(*steps), rule,
                               *rule ? " " : "no rule decides: ", iommud_policy_step_text(*steps));
                else
                        printf("     %s: %s\n", rule, iommud_policy_step_text(*steps));
        }
}

static void print_steps_json(iommud_policy_step *const *steps) {
        json_object *array = need(json_object_new_array());

        for (; *steps; steps++) {
                json_object *o = need(json_object_new_object());

                json_put_string(o, "device", iommud_policy_step_device(*steps));
                json_put_string(o, "rule", iommud_policy_step_rule(*steps));
                json_put_string(o, "verdict", iommud_policy_step_verdict(*steps));
                json_put_string(o, "match", iommud_policy_step_match(*steps));
                json_put_string(o, "key", iommud_policy_step_key(*steps));
                json_put(o, "decides", need(json_object_new_boolean(iommud_policy_step_decides(*steps))));
                json_put_string(o, "text", iommud_policy_step_text(*steps));
                json_array_put(array, o);
        }

        json_print(array);
}

static Status explain(const Options *options, const char *selector) {
        _cleanup_(iommud_policy_steps_freep) iommud_policy_step **steps = NULL;
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        _cleanup_(iommud_who_freep) iommud_who *who = NULL;
        Status status;
        int r;

        status = new_who(options, &who);
        if (status == STATUS_OK)
                status = connect_client(&client);
        if (status != STATUS_OK)
                return status;

        r = iommud_explain_policy(client, selector, who, &steps);
        if (r != 0)
                return report(client, r, "explain the policy");

        if (options->json)
                print_steps_json(steps);
        else
                print_steps(steps);

        return STATUS_OK;
}

Status verb_policy(const Options *options, char **arguments) {
        if (strcmp(arguments[0], "check") == 0)
                return check(options, arguments + 1);
        if (strcmp(arguments[0], "explain") == 0 && arguments[1] && !arguments[2])
                return explain(options, arguments[1]);

        complain("it is 'iommuctl policy check [PATH...]' or 'iommuctl policy explain SELECTOR'");
        return STATUS_USAGE;
}
