/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "bus/hw-info-message.h"
#include "bus/objects.h"
#include "bus/path.h"
#include "bus/property.h"
#include "core/catalog.h"
#include "core/device.h"
#include "core/group.h"
#include "core/iommu.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/policy.h"
#include "core/quarantine.h"
#include "names.h"

#define DEFINE_APPEND(member, type, value)                                                                  \
        static int append_##member(sd_bus_message *message, const void *object) {                           \
                const Device *device = object;                                                              \
                                                                                                            \
                return sd_bus_message_append(message, type, value);                                         \
        }                                                                                                   \
        struct _append_needs_a_semicolon_

DEFINE_APPEND(name, "s", device->facts.name);
DEFINE_APPEND(subsystem, "s", device->facts.subsystem);
DEFINE_APPEND(vendor, "q", device->facts.vendor);
DEFINE_APPEND(device_id, "q", device->facts.device);
DEFINE_APPEND(subsystem_vendor, "q", device->facts.subsystem_vendor);
DEFINE_APPEND(subsystem_device, "q", device->facts.subsystem_device);
DEFINE_APPEND(class, "u", device->facts.class);
DEFINE_APPEND(serial, "s", device->facts.serial);
DEFINE_APPEND(driver, "s", device->facts.driver);
DEFINE_APPEND(driver_override, "s", device->facts.driver_override);
DEFINE_APPEND(cdev, "s", device->facts.cdev);
DEFINE_APPEND(numa_node, "i", (int32_t) device->facts.numa_node);
DEFINE_APPEND(iommu, "s", device->facts.iommu);
DEFINE_APPEND(physical_function, "s", device->facts.physfn);

static int append_original_driver(sd_bus_message *message, const void *object) {
        return sd_bus_message_append(message, "s", device_original_driver(object));
}

static int append_quarantine(sd_bus_message *message, const void *object) {
        const Device *device = object;
        const QuarantineEntry *entry;

        entry = quarantine_find(device->group->manager->quarantine, device->facts.name);
        return sd_bus_message_append(message, "s", entry ? entry->reason : "");
}

static int append_iommu_features(sd_bus_message *message, const void *object) {
        HwInfo info = device_known_info(object);
        int r;

        r = sd_bus_message_open_container(message, 'a', "{sv}");
        if (r >= 0)
                r = hw_info_append(message, &info);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_group(sd_bus_message *message, const void *object) {
        _cleanup_free_ char *path = NULL;
        const Device *device = object;
        int r;

        r = path_of_group(device->group->facts.id, &path);
        if (r < 0)
                return r;

        return sd_bus_message_append(message, "o", path);
}

static int append_lease(sd_bus_message *message, const void *object) {
        _cleanup_free_ char *path = NULL;
        const Device *device = object;
        int r;

        r = path_of_lease_or_none(device->group->lease, &path);
        if (r < 0)
                return r;

        return sd_bus_message_append(message, "o", path);
}

static int append_reset_methods(sd_bus_message *message, const void *object) {
        const Device *device = object;
        char methods[sizeof(device->facts.reset_methods)];
        char *rest = methods, *method;
        int r;

        strcpy(methods, device->facts.reset_methods);

        r = sd_bus_message_open_container(message, 'a', "s");
        if (r < 0)
                return r;

        while ((method = strsep(&rest, " "))) {
                if (!*method)
                        continue;
                r = sd_bus_message_append_basic(message, 's', method);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(message);
}

/* The catalog of the policy in force; NULL: there is none. */
static const Catalog *get_catalog(const Device *device) {
        const Policy *policy = device->group->manager->policy;

        return policy ? &policy->catalog : NULL;
}

static int append_stable_name(sd_bus_message *message, const void *object) {
        DeviceFacts buffer;
        const DeviceFacts *facts = device_host_facts(object, &buffer);
        const Catalog *catalog = get_catalog(object);
        const char *name = "";

        for (size_t i = 0; catalog && !name[0] && i < catalog->n_entries; i++)
                if (catalog_has_name(catalog, facts, catalog->entries[i].name) == MATCH_YES)
                        name = catalog->entries[i].name;

        return sd_bus_message_append(message, "s", name);
}

/* Whether an entry before @end gives the device this tag already. */
static bool has_tag_before(const Catalog *catalog, size_t end, const DeviceFacts *facts, const char *tag) {
        for (size_t i = 0; i < end; i++)
                if (catalog_entry_has_tag(&catalog->entries[i], tag) &&
                    device_match(&catalog->entries[i].match, facts, /* catalog= */ NULL) == MATCH_YES)
                        return true;

        return false;
}

static int append_tags(sd_bus_message *message, const void *object) {
        DeviceFacts buffer;
        const DeviceFacts *facts = device_host_facts(object, &buffer);
        const Catalog *catalog = get_catalog(object);
        int r;

        r = sd_bus_message_open_container(message, 'a', "s");
        if (r < 0)
                return r;

        for (size_t i = 0; catalog && i < catalog->n_entries; i++) {
                const CatalogEntry *entry = &catalog->entries[i];

                if (device_match(&entry->match, facts, /* catalog= */ NULL) != MATCH_YES)
                        continue;

                for (size_t j = 0; j < entry->n_tags; j++) {
                        if (has_tag_before(catalog, i, facts, entry->tags[j]))
                                continue;
                        r = sd_bus_message_append_basic(message, 's', entry->tags[j]);
                        if (r < 0)
                                return r;
                }
        }

        return sd_bus_message_close_container(message);
}

static const Property device_properties[] = {
        { "Name", "s", append_name },
        { "StableName", "s", append_stable_name },
        { "Tags", "as", append_tags },
        { "Subsystem", "s", append_subsystem },
        { "Vendor", "q", append_vendor },
        { "DeviceId", "q", append_device_id },
        { "SubsystemVendor", "q", append_subsystem_vendor },
        { "SubsystemDevice", "q", append_subsystem_device },
        { "Class", "u", append_class },
        { "Serial", "s", append_serial },
        { "Driver", "s", append_driver },
        { "DriverOverride", "s", append_driver_override },
        { "OriginalDriver", "s", append_original_driver },
        { "Group", "o", append_group },
        { "Lease", "o", append_lease },
        { "Cdev", "s", append_cdev },
        { "NumaNode", "i", append_numa_node },
        { "ResetMethods", "as", append_reset_methods },
        { "Iommu", "s", append_iommu },
        { "IommuFeatures", "a{sv}", append_iommu_features },
        { "PhysicalFunction", "s", append_physical_function },
        { "Quarantine", "s", append_quarantine },
};

int device_object_append(sd_bus_message *message, const Device *device) {
        return property_append_all(device_properties, ELEMENTSOF(device_properties), message, device);
}

static int get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return property_append(device_properties, ELEMENTSOF(device_properties), property, reply, userdata);
}

static int find_device(sd_bus *bus, const char *path, const char *interface, void *userdata,
        void **ret_found, sd_bus_error *error) {
        BusServer *server = userdata;
        Device *device;

        device = path_to_device(server->manager, path);
        if (!device)
                return 0;

        *ret_found = device;
        return 1;
}

static int path_of_item(const void *item, char **ret) {
        return path_of_device(((const Device *) item)->facts.name, ret);
}

static int enumerate_devices(
        sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *error) {
        BusServer *server = userdata;

        return enumerate_paths(&server->manager->devices, path_of_item, ret);
}

static const sd_bus_vtable device_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Name", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("StableName", "s", get_property, 0, 0),
        SD_BUS_PROPERTY("Tags", "as", get_property, 0, 0),
        SD_BUS_PROPERTY("Subsystem", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Vendor", "q", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("DeviceId", "q", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("SubsystemVendor", "q", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("SubsystemDevice", "q", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Class", "u", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Serial", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Driver", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("DriverOverride", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("OriginalDriver", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Group", "o", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Lease", "o", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Cdev", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("NumaNode", "i", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("ResetMethods", "as", get_property, 0, 0),
        SD_BUS_PROPERTY("Iommu", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("IommuFeatures", "a{sv}", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("PhysicalFunction", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Quarantine", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END
};

int device_object_add(BusServer *server) {
        int r;

        r = sd_bus_add_fallback_vtable(server->bus, /* ret_slot= */ NULL, IOMMUD_PATH_DEVICE,
                IOMMUD_INTERFACE_DEVICE, device_vtable, find_device, server);
        if (r < 0)
                return r;

        return sd_bus_add_node_enumerator(
                server->bus, /* ret_slot= */ NULL, IOMMUD_PATH_DEVICE, enumerate_devices, server);
}
