/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "plan-print.h"

/* Another user with his groups, as the user database of this host has them. */
static int set_as(const Options *options, iommud_request *request) {
        _cleanup_free_ gid_t *gids = NULL;
        const struct passwd *user;
        int n = 0;

        user = getpwuid(options->as);
        if (user) {
                (void) getgrouplist(user->pw_name, user->pw_gid, NULL, &n);
                gids = need(calloc((size_t) n + 1, sizeof(*gids)));
                if (getgrouplist(user->pw_name, user->pw_gid, gids, &n) < 0)
                        n = 0;
        }

        return iommud_request_set_as(request, options->as, gids, (size_t) n);
}

/* Makes the plan, which the caller frees. */
static Status make_plan(const Options *options, char **selectors, bool explain, iommud_plan **ret) {
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        _cleanup_(iommud_request_freep) iommud_request *request = NULL;
        Status status;
        int r;

        status = new_request(options, selectors, &request);
        if (status != STATUS_OK)
                return status;

        r = iommud_request_set_explain(request, explain);
        if (r >= 0 && options->has_as)
                r = set_as(options, request);
        if (r < 0)
                need(NULL);

        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;

        r = iommud_plan_new(client, request, ret);
        return r == 0 ? STATUS_OK : report(client, r, "make a plan");
}

Status verb_plan(const Options *options, char **arguments) {
        _cleanup_(iommud_plan_freep) iommud_plan *plan = NULL;
        const iommud_step *memory;
        Status status;

        status = make_plan(options, arguments, /* explain= */ false, &plan);
        if (status != STATUS_OK)
                return status;

        if (options->json)
                print_plan_json(plan);
        else {
                print_plan_steps(plan);
                print_plan_result(plan);
                memory = find_fact(plan, "memory");
                if (memory)
                        printf("%s.\n", iommud_step_text(memory));
        }

        return iommud_plan_possible(plan) ? STATUS_OK : STATUS_REFUSED;
}

Status verb_explain(const Options *options, char **arguments) {
        _cleanup_(iommud_plan_freep) iommud_plan *plan = NULL;
        Status status;

        status = make_plan(options, arguments, /* explain= */ true, &plan);
        if (status != STATUS_OK)
                return status;

        if (options->json)
                print_plan_json(plan);
        else {
                print_plan_result(plan);
                putchar('\n');
                print_plan_facts(plan);
        }

        return iommud_plan_possible(plan) ? STATUS_OK : STATUS_REFUSED;
}

Status check_memory(const Options *options, char **selectors) {
        _cleanup_(iommud_plan_freep) iommud_plan *plan = NULL;
        const iommud_step *memory;
        Status status;

        if (options->ram == 0)
                return STATUS_OK;

        status = make_plan(options, selectors, /* explain= */ false, &plan);
        if (status != STATUS_OK)
                return status;

        memory = find_fact(plan, "memory");
        if (!memory || strcmp(iommud_step_grade(memory), "bad") != 0)
                return STATUS_OK;

        complain("%s", iommud_step_text(memory));
        return STATUS_REFUSED;
}
