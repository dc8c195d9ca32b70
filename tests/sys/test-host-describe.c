/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is round a device, in made trees. */

#include <libudev.h>
#include <stdio.h>
#include <string.h>

#include "sys/host.h"
#include "tree.h"

#define DEVICE "0000:02:00.0"

/* What udev keeps of the bridge next to the device: a property, or the one that is to be left out. */
static const char *acs_supported, *acs_enabled;
static unsigned n_held;

#define WRAP(type, name, ...)                                                                            \
        type __wrap_##name(__VA_ARGS__);                                                                 \
        type __wrap_##name(__VA_ARGS__)

WRAP(struct udev_device *, udev_device_new_from_subsystem_sysname, struct udev *udev, const char *subsystem,
     const char *name) {
        assert(strcmp(subsystem, "pci") == 0);
        if (strcmp(name, "0000:01:00.0") != 0)
                return NULL;
        n_held++;
        return (struct udev_device *) &n_held;
}

WRAP(struct udev_device *, udev_device_unref, struct udev_device *device) {
        n_held -= device != NULL;
        return NULL;
}

WRAP(const char *, udev_device_get_property_value, struct udev_device *device, const char *key) {
        if (strcmp(key, "IOMMUD_ACS_SUPPORTED") == 0)
                return acs_supported;
        assert(strcmp(key, "IOMMUD_ACS_ENABLED") == 0);
        return acs_enabled;
}

static HostFacts describe(Tree *sysfs, const char *name) {
        const LocalHost local = { .sysfs = sysfs->fd, .proc = -EBADF };
        const Host host = local_host_port(&local);
        HostFacts facts;

        memset(&facts, 0xff, sizeof(facts));
        assert(host.ops->describe(host.userdata, "pci", name, "vfio-pci", &facts) == 0);
        return facts;
}

/* The device behind a port, which is behind a bridge of the root bus that is in no group. */
static Tree *make_tree(void) {
        Tree *sysfs = tree_new();

        tree_dir(sysfs, "devices/pci0000:00/0000:00:01.0/0000:01:00.0/" DEVICE);
        tree_link(sysfs, "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0/" DEVICE,
                  "bus/pci/devices/" DEVICE);
        tree_link(sysfs, "../../../devices/pci0000:00/0000:00:01.0", "bus/pci/devices/0000:00:01.0");
        tree_link(sysfs, "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0",
                  "bus/pci/devices/0000:01:00.0");
        tree_link(sysfs, "../../../../kernel/iommu_groups/7",
                  "devices/pci0000:00/0000:00:01.0/0000:01:00.0/iommu_group");
        return sysfs;
}

static void test_hops(void) {
        _cleanup_tree_ Tree *sysfs = make_tree();
        HostFacts facts = describe(sysfs, DEVICE);

        assert(facts.n_hops == 2);
        assert(strcmp(facts.hops[0].name, "0000:01:00.0") == 0 && facts.hops[0].group == 7);
        assert(strcmp(facts.hops[1].name, "0000:00:01.0") == 0 && facts.hops[1].group == UINT32_MAX);
        assert(facts.interrupts == INTERRUPTS_UNKNOWN && !facts.iommufd && !facts.vfio_driver);

        /* on the root bus there is nothing in between */
        assert(describe(sysfs, "0000:00:01.0").n_hops == 0);
}

/* What is not there, or is no such thing, is not known. */
static void test_acs(void) {
        static const struct {
                const char *supported, *enabled;
                bool known;
        } table[] = {
                { NULL, NULL, false },
                { "SV RR", NULL, false },
                { NULL, "SV", false },
                { "", "", false },
                { "none", "none", true },
                { "SV TB RR CR UF EC DT", "SV RR CR UF", true },
                { "SV\033[2J", "none", false },
                { "SV RR SV RR SV RR SV RR SV RR SV RR SV RR SV", "none", false },
        };
        _cleanup_tree_ Tree *sysfs = make_tree();

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                HostFacts facts;

                acs_supported = table[i].supported;
                acs_enabled = table[i].enabled;
                facts = describe(sysfs, DEVICE);
                assert(facts.n_hops == 2 && n_held == 0);
                assert(facts.hops[0].acs_known == table[i].known && !facts.hops[1].acs_known);
                assert(strcmp(facts.hops[0].acs_supported, table[i].known ? table[i].supported : "") == 0);
                assert(strcmp(facts.hops[0].acs_enabled, table[i].known ? table[i].enabled : "") == 0);
        }

        acs_supported = acs_enabled = NULL;
}

static void test_no_device(void) {
        _cleanup_tree_ Tree *sysfs = make_tree();
        const LocalHost local = { .sysfs = sysfs->fd, .proc = -EBADF };
        const Host host = local_host_port(&local);
        HostFacts facts;

        assert(host.ops->describe(host.userdata, "pci", "0000:03:00.0", "", &facts) == -ENODEV);
}

static void test_interrupts(void) {
        _cleanup_tree_ Tree *sysfs = make_tree();

        tree_file(sysfs, "GICv3\n", "kernel/irq/1/chip_name");
        assert(describe(sysfs, DEVICE).interrupts == INTERRUPTS_UNKNOWN);
        tree_file(sysfs, "IO-APIC\n", "kernel/irq/2/chip_name");
        tree_file(sysfs, "PCI-MSI-0000:00:03.0\n", "kernel/irq/24/chip_name");
        assert(describe(sysfs, DEVICE).interrupts == INTERRUPTS_OPEN);
        tree_file(sysfs, "N\n", "module/iommufd/parameters/allow_unsafe_interrupts");
        assert(describe(sysfs, DEVICE).interrupts == INTERRUPTS_OPEN);
        tree_file(sysfs, "Y\n", "module/iommufd/parameters/allow_unsafe_interrupts");
        assert(describe(sysfs, DEVICE).interrupts == INTERRUPTS_OPEN_ACCEPTED);
        tree_file(sysfs, "IR-IO-APIC\n", "kernel/irq/3/chip_name");
        assert(describe(sysfs, DEVICE).interrupts == INTERRUPTS_ISOLATED);
}

static void test_kernel(void) {
        _cleanup_tree_ Tree *sysfs = make_tree();

        tree_dir(sysfs, "class/misc/iommu");
        assert(describe(sysfs, DEVICE).iommufd && !describe(sysfs, DEVICE).vfio_driver);
        tree_dir(sysfs, "bus/pci/drivers/vfio-pci");
        assert(describe(sysfs, DEVICE).vfio_driver);
}

int main(void) {
        test_hops();
        test_acs();
        test_no_device();
        test_interrupts();
        test_kernel();
        return 0;
}
