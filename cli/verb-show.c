/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "iommu-text.h"
#include "label.h"
#include "lease-text.h"
#include "text-list.h"
#include "to-json.h"

typedef struct Everything {
        iommud_device **devices;
        iommud_group **groups;
        iommud_lease_info **leases;
        NamesDb *names;
} Everything;

static void everything_done(Everything *all) {
        iommud_devices_free(all->devices);
        iommud_groups_free(all->groups);
        iommud_lease_infos_free(all->leases);
        names_db_free(all->names);
}

static void print_pci(const iommud_device *d, NamesDb *names) {
        if (iommud_device_vendor(d) == 0)
                return;

        print_line_take("Ids", print_string("%04x:%04x, subsystem %04x:%04x",
                                            iommud_device_vendor(d), iommud_device_device_id(d),
                                            iommud_device_subsystem_vendor(d),
                                            iommud_device_subsystem_device(d)));
        print_line("Vendor", names_db_vendor(names, d));
        print_line("Model", names_db_model(names, d));
        print_line_take("Class", print_string("%s (%06x)",
                                              names_db_class(names, d), iommud_device_class(d)));
        print_line("Physical function", iommud_device_physical_function(d));
}

static void print_device(const iommud_device *d, NamesDb *names) {
        printf("%s\n", iommud_device_name(d));
        print_line("Name", iommud_device_stable_name(d));
        print_line_take("Tags", join_strings(iommud_device_tags(d), ", "));
        print_pci(d, names);
        print_line("Serial", iommud_device_serial(d));
        print_line("Driver", *iommud_device_driver(d) ? iommud_device_driver(d) : "none");
        print_line("Driver override", iommud_device_driver_override(d));
        print_line("Original driver", iommud_device_original_driver(d));
        if (*iommud_device_cdev(d))
                print_line_take("Device node", print_string("/dev/vfio/devices/%s", iommud_device_cdev(d)));
        print_iommu(iommud_device_iommu(d), iommud_device_hw_info(d));
        if (iommud_device_numa_node(d) >= 0)
                print_line_take("NUMA node", print_string("%d", iommud_device_numa_node(d)));
        print_line_take("Reset methods", join_strings(iommud_device_reset_methods(d), ", "));
        print_line("Quarantine", iommud_device_quarantine(d));
}

static void print_group(const iommud_group *g) {
        const char *device, *driver, *kind;
        uint64_t first, last;

        print_line_take("Group", print_string("%u, type %s", iommud_group_id(g), iommud_group_type(g)));
        print_line_take("Devices of it", join_strings(iommud_group_devices(g), ", "));
        print_line("Owner of its DMA", iommud_group_dma_owner(g));
        if (strcmp(iommud_group_claim_state(g), "none") != 0)
                print_line_take("Claim", print_string(
                                "%s%s", iommud_group_claim_state(g),
                                iommud_group_claim_persistent(g) ? ", persistent" : ""));
        print_line("Claim says", iommud_group_claim_reason(g));
        print_line("Viable", iommud_group_viable(g) ? "yes" : "no");
        for (size_t i = 0; iommud_group_blocker(g, i, &device, &driver) == 0; i++)
                print_line_take("Blocked by", print_string("%s, which is bound to %s", device, driver));
        for (size_t i = 0; iommud_group_reserved_region(g, i, &first, &last, &kind) == 0; i++)
                print_line_take("Reserved", print_string("0x%" PRIx64 " to 0x%" PRIx64 ", %s",
                                                         first, last, kind));
}

static void print_lease(const iommud_lease_info *l) {
        if (!l) {
                print_line("Lease", "none");
                return;
        }

        print_line_take("Lease", print_string("%" PRIu64 ", %s, mode %s", iommud_lease_info_id(l),
                                              iommud_lease_info_state(l), iommud_lease_info_mode(l)));
        print_line("Reason", iommud_lease_info_state_reason(l));
        print_line_take("Held by", user_name(iommud_lease_info_uid(l)));
        print_line_take("Acquired by", print_string("process %d", (int) iommud_lease_info_pid(l)));
        print_line_take("Since", local_time(iommud_lease_info_since(l)));
        if (iommud_lease_info_until(l) > 0)
                print_line_take("Until", local_time(iommud_lease_info_until(l)));
        print_line_take("Companions", join_strings(iommud_lease_info_companions(l), ", "));
}

/* As JSON into @array, or as text when that is NULL */
static void show(char *const *names, const Everything *all, json_object *array) {
        for (size_t i = 0; names[i]; i++) {
                const iommud_device *device = find_device(all->devices, names[i]);
                const iommud_group *group = find_group(all->groups, iommud_device_group(device));
                const iommud_lease_info *lease = find_lease(all->leases, iommud_device_lease(device));

                if (!device || !group)
                        continue;       /* unplugged between two questions */

                if (array) {
                        json_object *o = need(json_object_new_object());

                        json_put(o, "device", json_from_device(device, all->names));
                        json_put(o, "group", json_from_group(group));
                        json_put(o, "lease", lease ? json_from_lease(lease) : /* null */ NULL);
                        json_array_put(array, o);
                        continue;
                }

                if (i > 0)
                        putchar('\n');
                print_device(device, all->names);
                print_group(group);
                print_lease(lease);
        }
}

Status verb_show(const Options *options, char **arguments) {
        _cleanup_(everything_done) Everything all = {};
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        _cleanup_(iommud_strings_freep) char **names = NULL;
        _cleanup_free_ char *what = print_string("show %s", arguments[0]);
        json_object *array = NULL;
        Status status;
        int r;

        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;

        r = iommud_find(client, arguments[0], &names);
        if (r == 0)
                r = iommud_list_devices(client, &all.devices);
        if (r == 0)
                r = iommud_list_groups(client, &all.groups);
        if (r == 0)
                r = iommud_list_leases(client, &all.leases);
        if (r != 0)
                return report(client, r, what);

        all.names = names_db_new();
        if (options->json)
                array = need(json_object_new_array());
        show(names, &all, array);
        if (array)
                json_print(array);

        return STATUS_OK;
}
