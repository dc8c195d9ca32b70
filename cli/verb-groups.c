/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "table.h"
#include "text-list.h"
#include "to-json.h"

/* "parked, persistent" */
static char *claim_text(const iommud_group *group) {
        const char *state = iommud_group_claim_state(group);

        if (strcmp(state, "none") == 0)
                return need(strdup(""));

        return print_string("%s%s", state, iommud_group_claim_persistent(group) ? ", persistent" : "");
}

static void print_groups(iommud_group *const *groups) {
        static const char *const headers[] = {
                ">GROUP", "TYPE", "OWNER", "VIABLE", ">LEASE", "CLAIM", "DEVICES", NULL,
        };
        Table table;

        table_init(&table, headers);
        for (; *groups; groups++) {
                uint64_t lease = iommud_group_lease(*groups);

                table_add(&table, print_string("%u", iommud_group_id(*groups)));
                table_add(&table, need(strdup(iommud_group_type(*groups))));
                table_add(&table, need(strdup(iommud_group_dma_owner(*groups))));
                table_add(&table, need(strdup(iommud_group_viable(*groups) ? "yes" : "no")));
                table_add(&table, lease > 0 ? print_string("%" PRIu64, lease) : need(strdup("")));
                table_add(&table, claim_text(*groups));
                table_add(&table, join_strings(iommud_group_devices(*groups), " "));
        }

        table_print(&table);
        table_done(&table);
}

Status verb_groups(const Options *options, char **arguments) {
        _cleanup_(iommud_groups_freep) iommud_group **groups = NULL;
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        Status status;
        int r;

        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;
        r = iommud_list_groups(client, &groups);
        if (r != 0)
                return report(client, r, "list the groups");

        if (options->json) {
                json_object *array = need(json_object_new_array());

                for (size_t i = 0; groups[i]; i++)
                        json_array_put(array, json_from_group(groups[i]));
                json_print(array);
        } else
                print_groups(groups);

        return STATUS_OK;
}
