/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/parse.h"
#include "sys/attribute.h"
#include "sys/bridge.h"
#include "sys/host-describe.h"

static uint32_t read_group(const HostDevice *device, const char *bridge) {
        char path[64], name[16];
        uint32_t group;

        snprintf(path, sizeof(path), "bus/pci/devices/%.32s/iommu_group", bridge);
        if (readlink_name_at(device->host->sysfs, path, name, sizeof(name)) < 0 ||
            parse_u32(name, &group) < 0)
                return UINT32_MAX;

        return group;
}

/*
 * The bridges above the device, from it up: the components of its path that are addresses, such as
 * "devices/pci0000:00/0000:00:09.0/0000:02:00.0".
 */
static void read_hops(const HostDevice *device, HostFacts *facts) {
        char path[PATH_MAX], address[PCI_ADDRESS_MAX], *slash;

        strcpy(path, device->path);
        for (slash = strrchr(path, '/'); slash && facts->n_hops < ISOLATION_HOPS_MAX;
             slash = strrchr(path, '/')) {
                const char *name;

                *slash = '\0';               /* what was last is the device, or a hop that is known */
                name = strrchr(path, '/');
                name = name ? name + 1 : path;
                if (parse_pci_address(name, address) < 0)
                        continue;

                facts->hops[facts->n_hops] = (IsolationHop) { .group = read_group(device, address) };
                strcpy(facts->hops[facts->n_hops].name, address);
                bridge_read_acs(&facts->hops[facts->n_hops++]);
        }
}

/*
 * Remapping is of the whole machine, and known by the names of what receives interrupts: "IR-IO-APIC",
 * "IR-PCI-MSI-0000:00:04.0". There is no other sign of it, and none on machines that are no PC.
 */
static Interrupts read_interrupts(const HostDevice *device) {
        Interrupts interrupts = INTERRUPTS_UNKNOWN;
        _cleanup_dir_ Dir *irqs = NULL;
        char path[PATH_MAX], chip[64];
        const char *name;

        if (dir_open_at(device->host->sysfs, "kernel/irq", &irqs) < 0)
                return INTERRUPTS_UNKNOWN;

        while (dir_next(irqs, &name) == DIR_ENTRY) {
                if ((size_t) snprintf(path, sizeof(path), "%s/chip_name", name) >= sizeof(path))
                        continue;
                attribute_read(dir_fd(irqs), path, chip, sizeof(chip));
                if (strncmp(chip, "IR-", strlen("IR-")) == 0)
                        return INTERRUPTS_ISOLATED;
                if (strcmp(chip, "IO-APIC") == 0)
                        interrupts = INTERRUPTS_OPEN;
        }

        if (interrupts == INTERRUPTS_OPEN) {
                attribute_read(device->host->sysfs, "module/iommufd/parameters/allow_unsafe_interrupts",
                               chip, sizeof(chip));
                if (strcmp(chip, "Y") == 0)
                        interrupts = INTERRUPTS_OPEN_ACCEPTED;
        }

        return interrupts;
}

int host_describe(const HostDevice *device, const char *subsystem, const char *driver, HostFacts *ret) {
        HostFacts facts = {};
        char path[128];

        read_hops(device, &facts);
        facts.interrupts = read_interrupts(device);
        facts.iommufd = faccessat(device->host->sysfs, "class/misc/iommu", F_OK, 0) >= 0;
        if (driver[0] &&
            (size_t) snprintf(path, sizeof(path), "bus/%s/drivers/%s", subsystem, driver) < sizeof(path))
                facts.vfio_driver = faccessat(device->host->sysfs, path, F_OK, 0) >= 0;

        *ret = facts;
        return 0;
}
