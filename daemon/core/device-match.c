/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "core/catalog.h"
#include "core/device-match.h"
#include "core/device.h"

static const char *const device_key_table[] = {
        [DEVICE_KEY_ADDRESS] = "address",
        [DEVICE_KEY_VENDOR] = "vendor",
        [DEVICE_KEY_DEVICE] = "device",
        [DEVICE_KEY_SUBSYSTEM_VENDOR] = "subsystem_vendor",
        [DEVICE_KEY_SUBSYSTEM_DEVICE] = "subsystem_device",
        [DEVICE_KEY_CLASS] = "class",
        [DEVICE_KEY_DRIVER] = "driver",
        [DEVICE_KEY_SERIAL] = "serial",
        [DEVICE_KEY_NUMA_NODE] = "numa_node",
        [DEVICE_KEY_IOMMU_GROUP] = "iommu_group",
        [DEVICE_KEY_FUNCTION] = "function",
        [DEVICE_KEY_PF] = "pf",
        [DEVICE_KEY_VF] = "vf",
        [DEVICE_KEY_NAME] = "name",
        [DEVICE_KEY_TAG] = "tag",
};

DEFINE_STRING_TABLE(device_key, DeviceKey, _DEVICE_KEY_MAX);

static const char *const device_function_table[] = {
        [DEVICE_FUNCTION_PF] = "pf",
        [DEVICE_FUNCTION_VF] = "vf",
};

DEFINE_STRING_TABLE(device_function, DeviceFunction, _DEVICE_FUNCTION_MAX);

static bool is_pci(const DeviceFacts *device) {
        return strcmp(device->subsystem, "pci") == 0;
}

static bool match_class(const DeviceMatch *match, const DeviceFacts *device) {
        /* No mask at all matches nothing, as a forgotten field should */
        return is_pci(device) && match->class_mask != 0 &&
               (device->class & match->class_mask) == (match->class & match->class_mask);
}

static Match match_serial(const DeviceMatch *match, const DeviceFacts *device) {
        if (strcmp(match->serial, device->serial) == 0)
                return MATCH_YES;

        /* Nobody who could read it has had it since we know it */
        if (!device->serial[0] && (!device->driver[0] || device_facts_on_vfio(device)))
                return MATCH_UNKNOWN;

        return MATCH_NO;
}

static bool match_function(const DeviceMatch *match, const DeviceFacts *device) {
        switch (match->function) {

        case DEVICE_FUNCTION_PF:
                return device->max_vfs > 0;

        case DEVICE_FUNCTION_VF:
                return device->physfn[0] != '\0';

        case _DEVICE_FUNCTION_MAX:
        case _DEVICE_FUNCTION_INVALID:
                break;
        }

        return false;
}

static Match match_key(DeviceKey key, const DeviceMatch *match, const DeviceFacts *device,
                       const Catalog *catalog) {
        bool yes = false;

        switch (key) {

        case DEVICE_KEY_SERIAL:
                return match_serial(match, device);

        case DEVICE_KEY_NAME:
                return catalog_has_name(catalog, device, match->name);

        case DEVICE_KEY_TAG:
                return catalog_has_tag(catalog, device, match->tag);

        case DEVICE_KEY_ADDRESS:
                yes = strcmp(match->address, device->name) == 0;
                break;

        case DEVICE_KEY_VENDOR:
                yes = is_pci(device) && match->vendor == device->vendor;
                break;

        case DEVICE_KEY_DEVICE:
                yes = is_pci(device) && match->device == device->device;
                break;

        case DEVICE_KEY_SUBSYSTEM_VENDOR:
                yes = is_pci(device) && match->subsystem_vendor == device->subsystem_vendor;
                break;

        case DEVICE_KEY_SUBSYSTEM_DEVICE:
                yes = is_pci(device) && match->subsystem_device == device->subsystem_device;
                break;

        case DEVICE_KEY_CLASS:
                yes = match_class(match, device);
                break;

        case DEVICE_KEY_DRIVER:
                yes = strcmp(match->driver, device->driver) == 0;
                break;

        case DEVICE_KEY_NUMA_NODE:
                yes = device->numa_node >= 0 && match->numa_node == (uint32_t) device->numa_node;
                break;

        case DEVICE_KEY_IOMMU_GROUP:
                yes = match->group == device->group;
                break;

        case DEVICE_KEY_FUNCTION:
                yes = match_function(match, device);
                break;

        case DEVICE_KEY_PF:
                yes = device->physfn[0] && strcmp(match->pf, device->physfn) == 0;
                break;

        case DEVICE_KEY_VF:
                yes = device->vf_index >= 0 && match->vf == (uint32_t) device->vf_index;
                break;

        case _DEVICE_KEY_MAX:
        case _DEVICE_KEY_INVALID:
                break;
        }

        return yes ? MATCH_YES : MATCH_NO;
}

Match device_match(const DeviceMatch *match, const DeviceFacts *device, const Catalog *catalog) {
        Match result = MATCH_YES;

        if (match->any)
                return MATCH_YES;
        if (match->keys == 0)
                return MATCH_NO;

        for (DeviceKey key = 0; key < _DEVICE_KEY_MAX; key++)
                if (match->keys & (1U << key))
                        result = match_least(result, match_key(key, match, device, catalog));

        return result;
}

bool device_match_is_single(const DeviceMatch *match, const Catalog *catalog) {
        const unsigned vf = 1U << DEVICE_KEY_PF | 1U << DEVICE_KEY_VF;
        const CatalogEntry *entry;

        if (match->any)
                return false;
        if (match->keys & (1U << DEVICE_KEY_ADDRESS | 1U << DEVICE_KEY_SERIAL) || (match->keys & vf) == vf)
                return true;
        if (!(match->keys & (1U << DEVICE_KEY_NAME)))
                return false;

        entry = catalog_find(catalog, match->name);
        return entry && device_match_is_single(&entry->match, /* catalog= */ NULL);
}
