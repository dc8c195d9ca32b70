/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lease-text.h"
#include "table.h"
#include "text-list.h"
#include "to-json.h"

static void print_leases(iommud_lease_info *const *leases) {
        static const char *const headers[] = {
                ">LEASE", "STATE", "MODE", "USER", ">PID", "SINCE", "DEVICES", NULL,
        };
        Table table;

        table_init(&table, headers);
        for (; *leases; leases++) {
                table_add(&table, print_string("%" PRIu64, iommud_lease_info_id(*leases)));
                table_add(&table, need(strdup(iommud_lease_info_state(*leases))));
                table_add(&table, need(strdup(iommud_lease_info_mode(*leases))));
                table_add(&table, user_name(iommud_lease_info_uid(*leases)));
                table_add(&table, print_string("%d", (int) iommud_lease_info_pid(*leases)));
                table_add(&table, local_time(iommud_lease_info_since(*leases)));
                table_add(&table, join_strings(iommud_lease_info_devices(*leases), " "));
        }

        table_print(&table);
        table_done(&table);
}

/* What somebody has to look after, below the table and in full */
static void print_reasons(iommud_lease_info *const *leases) {
        for (; *leases; leases++)
                if (*iommud_lease_info_state_reason(*leases))
                        printf("\nLease %" PRIu64 " is %s: %s\n", iommud_lease_info_id(*leases),
                               iommud_lease_info_state(*leases), iommud_lease_info_state_reason(*leases));
}

/* Who has to close what, of all leases */
static void print_holders(iommud_lease_info *const *leases) {
        static const char *const headers[] = { ">LEASE", ">PID", "COMMAND", "UNIT", "CONTROL GROUP", NULL };
        const char *command, *unit, *cgroup;
        Table table;
        pid_t pid;

        table_init(&table, headers);
        for (; *leases; leases++)
                for (size_t i = 0;
                     iommud_lease_info_holder(*leases, i, &pid, &command, &unit, &cgroup) == 0; i++) {
                        table_add(&table, print_string("%" PRIu64, iommud_lease_info_id(*leases)));
                        table_add(&table, print_string("%d", (int) pid));
                        table_add(&table, need(strdup(command)));
                        table_add(&table, need(strdup(unit)));
                        table_add(&table, need(strdup(cgroup)));
                }

        if (table.n_cells > 0) {
                puts("\nStill open in:");
                table_print(&table);
        }
        table_done(&table);
}

Status verb_leases(const Options *options, char **arguments) {
        _cleanup_(iommud_lease_infos_freep) iommud_lease_info **leases = NULL;
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        Status status;

        status = connect_and_list_leases(&client, &leases);
        if (status != STATUS_OK)
                return status;

        if (options->json) {
                json_object *array = need(json_object_new_array());

                for (size_t i = 0; leases[i]; i++)
                        json_array_put(array, json_from_lease(leases[i]));
                json_print(array);
        } else {
                print_leases(leases);
                print_reasons(leases);
                print_holders(leases);
        }

        return STATUS_OK;
}
