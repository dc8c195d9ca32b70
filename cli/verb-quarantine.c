/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "table.h"
#include "to-json.h"

static void print_quarantine(char **devices, char **reasons) {
        static const char *const headers[] = { "DEVICE", "REASON", NULL };
        Table table;

        table_init(&table, headers);
        for (size_t i = 0; devices[i]; i++) {
                table_add(&table, need(strdup(devices[i])));
                table_add(&table, need(strdup(reasons[i])));
        }

        table_print(&table);
        table_done(&table);
}

static void print_quarantine_json(char **devices, char **reasons) {
        json_object *array = need(json_object_new_array());

        for (size_t i = 0; devices[i]; i++) {
                json_object *o = need(json_object_new_object());

                json_put_string(o, "device", devices[i]);
                json_put_string(o, "reason", reasons[i]);
                json_array_put(array, o);
        }

        json_print(array);
}

static Status list(const Options *options, iommud_client *client) {
        _cleanup_(iommud_strings_freep) char **devices = NULL, **reasons = NULL;
        int r;

        r = iommud_list_quarantine(client, &devices, &reasons);
        if (r != 0)
                return report(client, r, "list what is in quarantine");

        if (options->json)
                print_quarantine_json(devices, reasons);
        else
                print_quarantine(devices, reasons);

        return STATUS_OK;
}

static Status clear(iommud_client *client, const char *selector) {
        _cleanup_free_ char *what = print_string("take %s out of quarantine", selector);
        int r;

        r = iommud_clear_quarantine(client, selector);
        return r == 0 ? STATUS_OK : report(client, r, what);
}

Status verb_quarantine(const Options *options, char **arguments) {
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        Status status;

        if (arguments[0] && (strcmp(arguments[0], "clear") != 0 || !arguments[1])) {
                complain("it is 'iommuctl quarantine' or 'iommuctl quarantine clear SELECTOR|all'");
                return STATUS_USAGE;
        }

        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;

        return arguments[0] ? clear(client, arguments[1]) : list(options, client);
}
