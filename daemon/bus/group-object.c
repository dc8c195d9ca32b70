/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bus/objects.h"
#include "bus/path.h"
#include "bus/property.h"
#include "core/device.h"
#include "core/group.h"
#include "core/manager.h"
#include "names.h"

static int append_id(sd_bus_message *message, const void *object) {
        const Group *group = object;

        return sd_bus_message_append(message, "u", group->facts.id);
}

static int append_type(sd_bus_message *message, const void *object) {
        const Group *group = object;

        return sd_bus_message_append(message, "s", group->facts.type);
}

static int append_dma_owner(sd_bus_message *message, const void *object) {
        return sd_bus_message_append(message, "s", dma_owner_to_string(group_dma_owner(object)));
}

static int append_viable(sd_bus_message *message, const void *object) {
        return sd_bus_message_append(message, "b", (int) group_is_viable(object));
}

static int append_blockers(sd_bus_message *message, const void *object) {
        const Group *group = object;
        int r;

        r = sd_bus_message_open_container(message, 'a', "(ss)");
        if (r < 0)
                return r;

        for (const Device *device = group->devices; device; device = device->next) {
                if (!device_facts_own_dma(&device->facts))
                        continue;
                r = sd_bus_message_append(message, "(ss)", device->facts.name, device->facts.driver);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(message);
}

static int append_devices(sd_bus_message *message, const void *object) {
        const Group *group = object;
        int r;

        r = sd_bus_message_open_container(message, 'a', "o");
        if (r < 0)
                return r;

        for (const Device *device = group->devices; device; device = device->next) {
                _cleanup_free_ char *path = NULL;

                r = path_of_device(device->facts.name, &path);
                if (r < 0)
                        return r;

                r = sd_bus_message_append_basic(message, 'o', path);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(message);
}

static int append_lease(sd_bus_message *message, const void *object) {
        _cleanup_free_ char *path = NULL;
        const Group *group = object;
        int r;

        r = path_of_lease_or_none(group->lease, &path);
        if (r < 0)
                return r;

        return sd_bus_message_append(message, "o", path);
}

static int append_reserved_regions(sd_bus_message *message, const void *object) {
        const Group *group = object;
        int r;

        r = sd_bus_message_open_container(message, 'a', "(tts)");
        if (r < 0)
                return r;

        for (unsigned i = 0; i < group->facts.n_regions; i++) {
                const ReservedRegion *region = &group->facts.regions[i];

                r = sd_bus_message_append(message, "(tts)", region->first, region->last, region->kind);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(message);
}

static const Property group_properties[] = {
        { "Id", "u", append_id },
        { "Type", "s", append_type },
        { "DmaOwner", "s", append_dma_owner },
        { "Viable", "b", append_viable },
        { "Blockers", "a(ss)", append_blockers },
        { "Devices", "ao", append_devices },
        { "Lease", "o", append_lease },
        { "ReservedRegions", "a(tts)", append_reserved_regions },
};

int group_object_append(sd_bus_message *message, const Group *group) {
        return property_append_all(group_properties, ELEMENTSOF(group_properties), message, group);
}

static int get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return property_append(group_properties, ELEMENTSOF(group_properties), property, reply, userdata);
}

static int find_group(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                      sd_bus_error *error) {
        BusServer *server = userdata;
        Group *group;

        group = path_to_group(server->manager, path);
        if (!group)
                return 0;

        *ret_found = group;
        return 1;
}

static int path_of_item(const void *item, char **ret) {
        return path_of_group(((const Group *) item)->facts.id, ret);
}

static int enumerate_groups(
        sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *error) {
        BusServer *server = userdata;

        return enumerate_paths(&server->manager->groups, path_of_item, ret);
}

static const sd_bus_vtable group_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Id", "u", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Type", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("DmaOwner", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Viable", "b", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Blockers", "a(ss)", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Devices", "ao", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Lease", "o", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("ReservedRegions", "a(tts)", get_property, 0, 0),
        SD_BUS_VTABLE_END
};

int group_object_add(BusServer *server) {
        int r;

        r = sd_bus_add_fallback_vtable(server->bus, /* ret_slot= */ NULL, IOMMUD_PATH_GROUP,
                IOMMUD_INTERFACE_GROUP, group_vtable, find_group, server);
        if (r < 0)
                return r;

        return sd_bus_add_node_enumerator(
                server->bus, /* ret_slot= */ NULL, IOMMUD_PATH_GROUP, enumerate_groups, server);
}
