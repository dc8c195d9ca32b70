/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "table.h"
#include "to-json.h"

static void print_quarantine(iommud_device *const *devices) {
        static const char *const headers[] = { "DEVICE", "REASON", NULL };
        Table table;

        table_init(&table, headers);
        for (; *devices; devices++) {
                if (!*iommud_device_quarantine(*devices))
                        continue;
                table_add(&table, need(strdup(iommud_device_name(*devices))));
                table_add(&table, need(strdup(iommud_device_quarantine(*devices))));
        }

        table_print(&table);
        table_done(&table);
}

static void print_quarantine_json(iommud_device *const *devices) {
        json_object *array = need(json_object_new_array());

        for (; *devices; devices++) {
                json_object *o;

                if (!*iommud_device_quarantine(*devices))
                        continue;
                o = need(json_object_new_object());
                json_put_string(o, "device", iommud_device_name(*devices));
                json_put_string(o, "reason", iommud_device_quarantine(*devices));
                json_array_put(array, o);
        }

        json_print(array);
}

static Status list(const Options *options, iommud_client *client) {
        _cleanup_(iommud_devices_freep) iommud_device **devices = NULL;
        int r;

        r = iommud_list_devices(client, &devices);
        if (r != 0)
                return report(client, r, "list the devices");

        if (options->json)
                print_quarantine_json(devices);
        else
                print_quarantine(devices);

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
                complain("it is 'iommuctl quarantine' or 'iommuctl quarantine clear SELECTOR'");
                return STATUS_USAGE;
        }

        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;

        return arguments[0] ? clear(client, arguments[1]) : list(options, client);
}
