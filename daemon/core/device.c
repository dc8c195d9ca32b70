/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "core/claim.h"
#include "core/device.h"
#include "core/dma.h"
#include "core/group.h"
#include "core/kernel.h"
#include "core/lease.h"
#include "core/manager.h"

static int device_compare(const void *key, const void *item) {
        const Device *device = item;

        return strcmp(key, device->facts.name);
}

int device_new(Group *group, const DeviceFacts *facts, Device **ret) {
        _cleanup_free_ Device *device = NULL;
        Device **link;
        int r;

        device = calloc(1, sizeof(*device));
        if (!device)
                return -ENOMEM;

        device->facts = *facts;
        device->id = ++group->manager->last_device;

        r = ptr_array_insert(&group->manager->devices, device->facts.name, device, device_compare);
        if (r < 0)
                return r;

        for (link = &group->devices; *link; link = &(*link)->next)
                if (strcmp((*link)->facts.name, facts->name) > 0)
                        break;

        device->group = group;
        device->next = *link;
        *link = device;

        *ret = TAKE_PTR(device);
        return 0;
}

Device *device_free(Device *device) {
        if (!device)
                return NULL;

        ptr_array_remove(&device->group->manager->devices, device);

        for (Device **link = &device->group->devices; *link; link = &(*link)->next)
                if (*link == device) {
                        *link = device->next;
                        break;
                }

        free(device->info);
        free(device);
        return NULL;
}

Device *manager_find_device(const Manager *manager, const char *name) {
        return ptr_array_find(&manager->devices, name, device_compare);
}

/* NULL: nobody here has given it another one. */
static const char *device_driver_to_give_back(const Device *device) {
        const ClaimDevice *claimed = NULL;
        const LeaseDevice *leased = NULL;

        if (device->group->claim)
                claimed = claim_find_device(device->group->claim, device->facts.name);
        if (device->group->lease)
                leased = lease_find_device(device->group->lease, device->facts.name);

        /* a lease of a claimed group gives it back to the claim */
        return claimed ? claimed->driver : leased ? leased->driver : NULL;
}

const char *device_original_driver(const Device *device) {
        return device_driver_to_give_back(device) ?: "";
}

void device_set_driver(Device *device, const char *driver, const char *override, ChangeSet *changes) {
        DeviceFacts *facts = &device->facts;

        if (strcmp(facts->driver, driver) == 0 && strcmp(facts->driver_override, override) == 0)
                return;

        /* A VFIO node goes with its driver; the monitor tells of a new one. */
        if (strcmp(facts->driver, driver) != 0)
                memset(facts->cdev, 0, sizeof(facts->cdev));

        strncpy(facts->driver, driver, sizeof(facts->driver) - 1);
        strncpy(facts->driver_override, override, sizeof(facts->driver_override) - 1);
        change_set_device(changes, CHANGE_DEVICE_CHANGED, facts->name);
        change_set_group(changes, CHANGE_GROUP_CHANGED, device->group->facts.id);
}

int device_refresh(Device *device, Refusal *reterr, ChangeSet *changes) {
        char driver[KERNEL_NAME_MAX] = "", override[KERNEL_NAME_MAX] = "";
        const Kernel *kernel = device->group->manager->kernel;
        KernelFailure failure;
        int r;

        r = kernel->ops->read_driver(kernel->userdata, device->facts.subsystem, device->facts.name,
                                     device->facts.syspath, driver, override, &failure);
        if (r == -ENODEV)
                return refuse(reterr, OUTCOME_NO_SUCH_DEVICE, "%s was unplugged", device->facts.name);
        if (r < 0)
                return refuse_kernel(reterr, &failure);

        device_set_driver(device, driver, override, changes);
        return 0;
}

void device_set_info(Device *device, const HwInfo *info, ChangeSet *changes) {
        HwInfo *copy;

        if (!info->asked || (device->info && memcmp(device->info, info, sizeof(*info)) == 0))
                return;

        copy = device->info ?: malloc(sizeof(*copy));
        if (!copy)
                return;                      /* unknown, then */

        *copy = *info;
        device->info = copy;
        change_set_device(changes, CHANGE_DEVICE_CHANGED, device->facts.name);
}

bool device_info_is_complete(const Device *device) {
        const HwInfo *info = device->info;

        return info && (info->emulated || (info->has | info->lacks) & 1U << IOMMU_FEATURE_PAGE_FAULTS);
}

int device_read_info(Device *device, int context, uint32_t id, HwInfo *ret, KernelFailure *reterr,
                     ChangeSet *changes) {
        const Kernel *kernel = device->group->manager->kernel;
        HwInfo info;
        int r;

        r = kernel->dma->read_hw_info(kernel->userdata, context, id, &info, reterr);
        if (r < 0)
                return r;

        if (!device->info)
                kernel->dma->probe(kernel->userdata, context, id, &info);
        else {
                info.has = device->info->has;
                info.lacks = device->info->lacks;
                info.aperture = device->info->aperture;
                info.page_size = device->info->page_size;
                info.page_sizes = device->info->page_sizes;
        }

        device_set_info(device, &info, changes);
        *ret = info;
        return 0;
}

const DeviceFacts *device_host_facts(const Device *device, DeviceFacts *buffer) {
        const char *driver = device_driver_to_give_back(device);

        if (!driver)
                return &device->facts;

        *buffer = device->facts;
        strcpy(buffer->driver, driver);
        return buffer;
}

bool device_facts_on_vfio(const DeviceFacts *facts) {
        const char *driver;

        if (facts->cdev[0])
                return true;

        driver = device_facts_vfio_driver(facts);
        return driver && strcmp(facts->driver, driver) == 0;
}

bool device_facts_own_dma(const DeviceFacts *facts) {
        /*
         * Those that set driver_managed_dma: drivers/pci/pcie/portdrv.c, drivers/pci/pci-stub.c. VFIO's are
         * told by their node.
         */
        static const char *const managed[] = { "pcieport", "pci-stub" };

        if (!facts->driver[0] || device_facts_on_vfio(facts))
                return false;

        for (size_t i = 0; i < ELEMENTSOF(managed); i++)
                if (strcmp(facts->driver, managed[i]) == 0)
                        return false;

        return true;
}

bool subsystem_rebinds(const char *subsystem) {
        return strcmp(subsystem, "mdev") != 0;
}

const char *vfio_driver_of_bus(const char *subsystem) {
        static const struct {
                const char *subsystem, *driver;
        } table[] = {
                { "amba", "vfio-amba" },
                { "cdx", "vfio-cdx" },
                { "fsl-mc", "vfio-fsl-mc" },
                { "pci", "vfio-pci" },
                { "platform", "vfio-platform" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (strcmp(table[i].subsystem, subsystem) == 0)
                        return table[i].driver;

        return NULL;
}

const char *device_facts_vfio_driver(const DeviceFacts *facts) {
        const char *known = vfio_driver_of_bus(facts->subsystem);

        if (known)
                return known;
        return facts->vfio_driver[0] ? facts->vfio_driver : NULL;
}
