/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "plan-print.h"
#include "table.h"
#include "to-json.h"

static bool step_is(const iommud_step *step, const char *action) {
        return strcmp(iommud_step_action(step), action) == 0;
}

void print_plan_steps(const iommud_plan *plan) {
        static const char *const headers[] = { "STEP", "DEVICE", "DRIVER", "NEW DRIVER", NULL };
        Table table;

        table_init(&table, headers);
        for (const iommud_step *const *step = iommud_plan_steps(plan); *step; step++) {
                if (step_is(*step, "blocked") || step_is(*step, "fact"))
                        continue;
                table_add(&table, need(strdup(iommud_step_action(*step))));
                table_add(&table, need(strdup(iommud_step_device(*step))));
                table_add(&table, need(strdup(iommud_step_driver(*step))));
                table_add(&table, need(strdup(iommud_step_target(*step))));
        }

        if (table.n_cells > 0) {
                table_print(&table);
                putchar('\n');
        }
        table_done(&table);
}

void print_plan_result(const iommud_plan *plan) {
        puts(iommud_plan_possible(plan) ? "Possible." : "Not possible:");
        for (const iommud_step *const *step = iommud_plan_steps(plan); *step; step++) {
                const char *device = iommud_step_device(*step);

                /* Without a device: what is wrong with the request itself */
                if (step_is(*step, "blocked"))
                        printf("  %s%s%s (%s)\n", device, *device ? ": " : "", iommud_step_text(*step),
                               iommud_step_reason(*step));
        }
}

static const struct {
        const char *grade;
        char mark;
} grades[] = { { "bad", '!' }, { "unknown", '?' }, { "note", '-' }, { "good", '+' } };      /* worst first */

static size_t rank_of(const iommud_step *fact) {
        size_t i = 0;

        while (i + 1 < ELEMENTSOF(grades) && strcmp(grades[i].grade, iommud_step_grade(fact)) != 0)
                i++;

        return i;
}

const iommud_step *find_fact(const iommud_plan *plan, const char *topic) {
        const iommud_step *found = NULL;

        for (const iommud_step *const *step = iommud_plan_steps(plan); *step; step++)
                if (step_is(*step, "fact") && strcmp(iommud_step_topic(*step), topic) == 0 &&
                    (!found || rank_of(*step) < rank_of(found)))
                        found = *step;

        return found;
}

void print_plan_facts(const iommud_plan *plan) {
        const char *last = NULL;

        for (const iommud_step *const *step = iommud_plan_steps(plan); *step; step++) {
                const char *device = iommud_step_device(*step);

                if (!step_is(*step, "fact"))
                        continue;
                if (!last || strcmp(last, device) != 0)
                        printf("%s%s\n", last ? "\n" : "", *device ? device : "The request");
                last = device;
                printf("  %c %-10s  %s\n", grades[rank_of(*step)].mark, iommud_step_topic(*step),
                       iommud_step_text(*step));
        }
}

static json_object *json_from_values(const iommud_step *fact) {
        json_object *o = need(json_object_new_object());
        const char *key, *text;
        uint64_t number;

        for (size_t i = 0; iommud_step_value(fact, i, &key, &text) == 0; i++) {
                if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
                        json_put(o, key, need(json_object_new_boolean(*text == 't')));
                else if (iommud_step_number(fact, key, &number) == 0)
                        json_put_number(o, key, number);
                else
                        json_put_string(o, key, text);
        }

        return o;
}

static json_object *json_from_step(const iommud_step *step) {
        json_object *o = need(json_object_new_object());

        json_put_string(o, "action", iommud_step_action(step));
        json_put_string(o, "device", iommud_step_device(step));
        json_put_string(o, "driver", iommud_step_driver(step));
        json_put_string(o, "target", iommud_step_target(step));
        json_put_string(o, "reason", iommud_step_reason(step));
        json_put_string(o, "text", iommud_step_text(step));
        json_put(o, "values", json_from_values(step));
        return o;
}

static json_object *json_from_fact(const iommud_step *fact) {
        json_object *o = need(json_object_new_object());

        json_put_string(o, "topic", iommud_step_topic(fact));
        json_put_string(o, "grade", iommud_step_grade(fact));
        json_put_string(o, "device", iommud_step_device(fact));
        json_put_string(o, "driver", iommud_step_driver(fact));
        json_put_string(o, "text", iommud_step_text(fact));
        json_put(o, "values", json_from_values(fact));
        return o;
}

void print_plan_json(const iommud_plan *plan) {
        json_object *o = need(json_object_new_object());
        json_object *steps = need(json_object_new_array()), *facts = need(json_object_new_array());

        for (const iommud_step *const *step = iommud_plan_steps(plan); *step; step++) {
                if (step_is(*step, "fact"))
                        json_array_put(facts, json_from_fact(*step));
                else
                        json_array_put(steps, json_from_step(*step));
        }

        json_put(o, "possible", need(json_object_new_boolean(iommud_plan_possible(plan))));
        json_put(o, "steps", steps);
        json_put(o, "facts", facts);
        json_print(o);
}
