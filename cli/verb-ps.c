/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "bytes.h"
#include "lease-text.h"
#include "process-info.h"
#include "table.h"
#include "text-list.h"
#include "to-json.h"

/* What is not known is "?", since an empty cell is a "-", which would say that there is none. */
static char *known(bool is_known, char *text) {
        if (is_known)
                return text;

        free(text);
        return need(strdup("?"));
}

static void add_row(Table *table, const iommud_lease_info *lease, const ProcessInfo *process) {
        table_add(table, print_string("%" PRIu64, iommud_lease_info_id(lease)));
        table_add(table, need(strdup(iommud_lease_info_state(lease))));
        table_add(table, user_name(iommud_lease_info_uid(lease)));
        table_add(table, print_string("%d", (int) iommud_lease_info_pid(lease)));
        table_add(table, known(process, need(strdup(process ? process->comm : ""))));
        table_add(table, known(process, need(strdup(process ? process->unit : ""))));
        table_add(table, local_time(iommud_lease_info_since(lease)));
        table_add(table, need(strdup(iommud_lease_info_mode(lease))));
        table_add(table, known(process && process->has_pinned, print_bytes(process ? process->pinned : 0)));
        table_add(table, join_strings(iommud_lease_info_devices(lease), " "));
}

static void add_json(json_object *array, const iommud_lease_info *lease, const ProcessInfo *process) {
        json_object *o = json_from_lease(lease), *pinned = NULL;
        char *user = user_name(iommud_lease_info_uid(lease));

        json_put_string(o, "user", user);
        free(user);
        json_put_string(o, "command", process ? process->comm : "");
        json_put_string(o, "unit", process ? process->unit : "");
        if (process && process->has_pinned)
                pinned = need(json_object_new_uint64(process->pinned));
        json_put(o, "pinned", pinned);
        json_array_put(array, o);
}

/* As JSON into @array, or as a table when that is NULL */
static void show(iommud_lease_info *const *leases, int proc, json_object *array) {
        static const char *const headers[] = {
                ">LEASE", "STATE", "USER", ">PID",    "COMMAND", "UNIT",
                "SINCE",  "MODE",  ">PINNED", "DEVICES", NULL,
        };
        Table table;

        table_init(&table, headers);
        for (; *leases; leases++) {
                ProcessInfo info;
                bool found;

                found = process_info_read(proc, iommud_lease_info_pid(*leases),
                                          iommud_lease_info_since(*leases), &info) >= 0;
                if (array)
                        add_json(array, *leases, found ? &info : NULL);
                else
                        add_row(&table, *leases, found ? &info : NULL);
        }

        if (!array)
                table_print(&table);
        table_done(&table);
}

Status verb_ps(const Options *options, char **arguments) {
        _cleanup_(iommud_lease_infos_freep) iommud_lease_info **leases = NULL;
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        _cleanup_close_ int proc = -EBADF;
        json_object *array = NULL;
        Status status;

        status = connect_and_list_leases(&client, &leases);
        if (status != STATUS_OK)
                return status;

        proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (proc < 0) {
                complain("cannot open /proc: %s", strerror(errno));
                return STATUS_BROKEN;
        }

        if (options->json)
                array = need(json_object_new_array());
        show(leases, proc, array);
        if (array)
                json_print(array);

        return STATUS_OK;
}
