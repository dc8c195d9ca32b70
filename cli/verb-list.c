/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "table.h"
#include "to-json.h"

/* Who has the DMA of the device: its lease, or what its group says */
static char *owner_of(const iommud_device *device, iommud_group *const *groups) {
        if (iommud_device_lease(device) > 0)
                return print_string("lease %" PRIu64, iommud_device_lease(device));

        return need(strdup(iommud_group_dma_owner(find_group(groups, iommud_device_group(device)))));
}

static char *ids_of(const iommud_device *device) {
        if (iommud_device_vendor(device) == 0)
                return need(strdup(""));

        return print_string("%04x:%04x", iommud_device_vendor(device), iommud_device_device_id(device));
}

/* Hosts where the administrator has given no names are spared the column. */
static bool any_has_name(iommud_device *const *devices) {
        for (; *devices; devices++)
                if (*iommud_device_stable_name(*devices))
                        return true;

        return false;
}

static void print_devices(iommud_device *const *devices, iommud_group *const *groups, NamesDb *names) {
        static const char *const headers[] = { "DEVICE", ">GROUP", "DRIVER", "OWNER", "ID", "CLASS", NULL };
        static const char *const headers_name[] = {
                "DEVICE", "NAME", ">GROUP", "DRIVER", "OWNER", "ID", "CLASS", NULL,
        };
        bool with_names = any_has_name(devices);
        Table table;

        table_init(&table, with_names ? headers_name : headers);
        for (; *devices; devices++) {
                table_add(&table, need(strdup(iommud_device_name(*devices))));
                if (with_names)
                        table_add(&table, need(strdup(iommud_device_stable_name(*devices))));
                table_add(&table, print_string("%u", iommud_device_group(*devices)));
                table_add(&table, need(strdup(iommud_device_driver(*devices))));
                table_add(&table, owner_of(*devices, groups));
                table_add(&table, ids_of(*devices));
                table_add(&table, need(strdup(names_db_class(names, *devices))));
        }

        table_print(&table);
        table_done(&table);
}

static void print_devices_json(iommud_device *const *devices, NamesDb *names) {
        json_object *array = need(json_object_new_array());

        for (; *devices; devices++)
                json_array_put(array, json_from_device(*devices, names));

        json_print(array);
}

Status verb_list(const Options *options, char **arguments) {
        _cleanup_(iommud_devices_freep) iommud_device **devices = NULL;
        _cleanup_(iommud_groups_freep) iommud_group **groups = NULL;
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        _cleanup_(names_db_freep) NamesDb *names = names_db_new();
        Status status;
        int r;

        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;

        r = iommud_list_devices(client, &devices);
        if (r == 0)
                r = iommud_list_groups(client, &groups);
        if (r != 0)
                return report(client, r, "list the devices");

        if (options->json)
                print_devices_json(devices, names);
        else if (*devices)
                print_devices(devices, groups, names);
        else
                complain("no device is in an IOMMU group; the IOMMU must be on in the firmware "
                         "and, for Intel, with intel_iommu=on on the kernel's command line");

        return STATUS_OK;
}
