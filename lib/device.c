/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "hw-info.h"
#include "names.h"
#include "public.h"
#include "record.h"
#include "text.h"

struct iommud_device {
        char *name;
        char *stable_name;
        char **tags;
        char *subsystem;
        uint16_t vendor;
        uint16_t device_id;
        uint16_t subsystem_vendor;
        uint16_t subsystem_device;
        uint32_t class;
        char *serial;
        char *driver;
        char *driver_override;
        char *original_driver;
        char *cdev;
        char *iommu;
        iommud_hw_info *hw_info;
        char *physical_function;
        char *quarantine;
        char **reset_methods;
        int32_t numa_node;
        uint32_t group;
        uint64_t lease;
};

static const Field device_fields[] = {
        { "Name",             &field_name,  offsetof(iommud_device, name)              },
        { "StableName",       &field_text,  offsetof(iommud_device, stable_name), .optional = true },
        { "Tags",             &field_texts, offsetof(iommud_device, tags)              },
        { "Subsystem",        &field_text,  offsetof(iommud_device, subsystem)         },
        { "Vendor",           &field_u16,   offsetof(iommud_device, vendor)            },
        { "DeviceId",         &field_u16,   offsetof(iommud_device, device_id)         },
        { "SubsystemVendor",  &field_u16,   offsetof(iommud_device, subsystem_vendor)  },
        { "SubsystemDevice",  &field_u16,   offsetof(iommud_device, subsystem_device)  },
        { "Class",            &field_u32,   offsetof(iommud_device, class)             },
        { "Serial",           &field_text,  offsetof(iommud_device, serial)            },
        { "Driver",           &field_text,  offsetof(iommud_device, driver)            },
        { "DriverOverride",   &field_text,  offsetof(iommud_device, driver_override)   },
        { "OriginalDriver",   &field_text,  offsetof(iommud_device, original_driver)   },
        { "Cdev",             &field_text,  offsetof(iommud_device, cdev)              },
        { "Iommu",            &field_text,  offsetof(iommud_device, iommu)             },
        { "IommuFeatures",    &field_hw_info, offsetof(iommud_device, hw_info), .optional = true },
        { "PhysicalFunction", &field_text,  offsetof(iommud_device, physical_function) },
        { "Quarantine",       &field_text,  offsetof(iommud_device, quarantine)        },
        { "ResetMethods",     &field_texts, offsetof(iommud_device, reset_methods)     },
        { "NumaNode",         &field_i32,   offsetof(iommud_device, numa_node)         },
        { "Group",            &field_group, offsetof(iommud_device, group)             },
        { "Lease",            &field_lease, offsetof(iommud_device, lease)             },
};

static const RecordType device_type = { device_fields, ELEMENTSOF(device_fields), sizeof(iommud_device) };

_public_ int iommud_list_devices(iommud_client *client, iommud_device ***ret_devices) {
        if (!ret_devices)
                return -EINVAL;

        return records_list(client, "ListDevices", &device_type, (void ***) ret_devices);
}

_public_ void iommud_devices_free(iommud_device **devices) {
        records_free(&device_type, (void **) devices);
}

DEFINE_GETTER_TEXT(device, name);
DEFINE_GETTER_TEXT(device, stable_name);
DEFINE_GETTER_LIST(device, tags);
DEFINE_GETTER_TEXT(device, subsystem);
DEFINE_GETTER(device, uint16_t, vendor, 0);
DEFINE_GETTER(device, uint16_t, device_id, 0);
DEFINE_GETTER(device, uint16_t, subsystem_vendor, 0);
DEFINE_GETTER(device, uint16_t, subsystem_device, 0);
DEFINE_GETTER(device, uint32_t, class, 0);
DEFINE_GETTER_TEXT(device, serial);
DEFINE_GETTER_TEXT(device, driver);
DEFINE_GETTER_TEXT(device, driver_override);
DEFINE_GETTER_TEXT(device, original_driver);
DEFINE_GETTER_TEXT(device, cdev);
DEFINE_GETTER_TEXT(device, iommu);
DEFINE_GETTER(device, const iommud_hw_info *, hw_info, NULL);
DEFINE_GETTER_TEXT(device, physical_function);
DEFINE_GETTER_TEXT(device, quarantine);
DEFINE_GETTER_LIST(device, reset_methods);
DEFINE_GETTER(device, int32_t, numa_node, -1);
DEFINE_GETTER(device, uint32_t, group, 0);
DEFINE_GETTER(device, uint64_t, lease, 0);
