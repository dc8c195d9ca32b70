/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "table.h"
#include "to-json.h"

static bool step_is(const iommud_step *step, const char *action) {
        return strcmp(iommud_step_action(step), action) == 0;
}

/* What would be done; nothing, if nothing would */
static void print_steps(const iommud_step *const *steps) {
        static const char *const headers[] = { "STEP", "DEVICE", "DRIVER", "NEW DRIVER", NULL };
        Table table;

        table_init(&table, headers);
        for (; *steps; steps++) {
                if (step_is(*steps, "blocked"))
                        continue;
                table_add(&table, need(strdup(iommud_step_action(*steps))));
                table_add(&table, need(strdup(iommud_step_device(*steps))));
                table_add(&table, need(strdup(iommud_step_driver(*steps))));
                table_add(&table, need(strdup(iommud_step_target(*steps))));
        }

        if (table.n_cells > 0) {
                table_print(&table);
                putchar('\n');
        }
        table_done(&table);
}

static void print_plan(const iommud_plan *plan) {
        const iommud_step *const *steps = iommud_plan_steps(plan);

        print_steps(steps);
        puts(iommud_plan_possible(plan) ? "Possible." : "Not possible:");
        for (; *steps; steps++) {
                const char *device = iommud_step_device(*steps);

                /* Without a device: what is wrong with the request itself */
                if (step_is(*steps, "blocked"))
                        printf("  %s%s%s (%s)\n", device, *device ? ": " : "", iommud_step_text(*steps),
                               iommud_step_reason(*steps));
        }
}

static void print_plan_json(const iommud_plan *plan) {
        json_object *o = need(json_object_new_object()), *array = need(json_object_new_array());

        for (const iommud_step *const *steps = iommud_plan_steps(plan); *steps; steps++) {
                json_object *step = need(json_object_new_object());

                json_put_string(step, "action", iommud_step_action(*steps));
                json_put_string(step, "device", iommud_step_device(*steps));
                json_put_string(step, "driver", iommud_step_driver(*steps));
                json_put_string(step, "target", iommud_step_target(*steps));
                json_put_string(step, "reason", iommud_step_reason(*steps));
                json_put_string(step, "text", iommud_step_text(*steps));
                json_array_put(array, step);
        }

        json_put(o, "possible", need(json_object_new_boolean(iommud_plan_possible(plan))));
        json_put(o, "steps", array);
        json_print(o);
}

Status verb_plan(const Options *options, char **arguments) {
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        _cleanup_(iommud_request_freep) iommud_request *request = NULL;
        _cleanup_(iommud_plan_freep) iommud_plan *plan = NULL;
        Status status;
        int r;

        status = new_request(options, arguments, &request);
        if (status != STATUS_OK)
                return status;
        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;

        r = iommud_plan_new(client, request, &plan);
        if (r != 0)
                return report(client, r, "make a plan");

        if (options->json)
                print_plan_json(plan);
        else
                print_plan(plan);

        return iommud_plan_possible(plan) ? STATUS_OK : STATUS_REFUSED;
}
