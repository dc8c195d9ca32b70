/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "sys/scan.h"
#include "tree.h"

static void test_device(void) {
        _cleanup_tree_ Tree *t = tree_new();
        DeviceFacts facts, again;

        tree_pci_device(t, "0000:00:04.0", 7, "e1000e");
        assert(scan_device(t->fd, "pci", "0000:00:04.0", &facts) == 0);
        assert(strcmp(facts.subsystem, "pci") == 0);
        assert(strcmp(facts.name, "0000:00:04.0") == 0);
        assert(strcmp(facts.driver, "e1000e") == 0);
        assert(strcmp(facts.driver_override, "") == 0);
        assert(strcmp(facts.iommu, "dmar0") == 0);
        assert(strcmp(facts.reset_methods, "flr pm") == 0);
        assert(strcmp(facts.cdev, "") == 0);
        assert(facts.group == 7);
        assert(facts.class == 0x20000);
        assert(facts.vendor == 0x8086 && facts.device == 0x10d3);
        assert(facts.subsystem_vendor == 0x8086 && facts.subsystem_device == 0xa01f);
        assert(facts.numa_node == -1 && facts.vf_index == -1 && facts.n_vfs == 0);
        assert(!facts.bridge);

        /* comparable as bytes, whatever was there before */
        memset(&again, 0x5a, sizeof(again));
        assert(scan_device(t->fd, "pci", "0000:00:04.0", &again) == 0);
        assert(memcmp(&facts, &again, sizeof(facts)) == 0);
}

static void test_device_changes(void) {
        _cleanup_tree_ Tree *t = tree_new();
        const char *dir = "devices/pci0000:00/0000:00:04.0";
        DeviceFacts facts;

        tree_pci_device(t, "0000:00:04.0", 7, "vfio-pci");
        tree_file(t, "vfio-pci\n", "%s/driver_override", dir);
        tree_file(t, "1\n", "%s/numa_node", dir);
        tree_file(t, "7\n", "%s/sriov_totalvfs", dir);
        tree_link(t, "../0000:01:00.1", "%s/virtfn1", dir);
        tree_link(t, "../0000:01:00.4", "%s/virtfn4", dir);
        tree_file(t, "12-34-56-ff-fe-78-9a-bc\n", "%s/serial_number", dir);

        /* a kernel without character devices has the directory, but no number in it */
        tree_dir(t, "%s/vfio-dev/vfio12", dir);
        assert(scan_device(t->fd, "pci", "0000:00:04.0", &facts) == 0);
        assert(strcmp(facts.cdev, "") == 0);

        tree_file(t, "241:12\n", "%s/vfio-dev/vfio12/dev", dir);
        assert(scan_device(t->fd, "pci", "0000:00:04.0", &facts) == 0);
        assert(strcmp(facts.cdev, "vfio12") == 0);
        assert(strcmp(facts.driver_override, "vfio-pci") == 0);
        assert(facts.numa_node == 1);
        assert(facts.n_vfs == 2);
        assert(strcmp(facts.serial, "12-34-56-ff-fe-78-9a-bc") == 0);

        tree_file(t, "PCI_CLASS=60400\nPCI_ID=1B36:000C\n", "%s/uevent", dir);
        assert(scan_device(t->fd, "pci", "0000:00:04.0", &facts) == 0);
        assert(strcmp(facts.driver, "") == 0);
        assert(strcmp(facts.cdev, "") == 0);
        assert(facts.bridge);
}

/* A bus of which nothing is known but what is in sysfs. */
static void test_other_bus(void) {
        _cleanup_tree_ Tree *t = tree_new();
        DeviceFacts facts;

        tree_file(t, "DRIVER=native\n", "devices/other/other0/uevent");
        tree_link(t, "../../../bus/other", "devices/other/other0/subsystem");
        tree_link(t, "../../../kernel/iommu_groups/3", "devices/other/other0/iommu_group");
        tree_link(t, "../../../devices/other/other0", "bus/other/devices/other0");
        tree_dir(t, "bus/other/drivers/native");
        assert(scan_device(t->fd, "other", "other0", &facts) == 0);
        assert(strcmp(facts.subsystem, "other") == 0 && strcmp(facts.name, "other0") == 0);
        assert(strcmp(facts.driver, "native") == 0);
        assert(strcmp(facts.vfio_driver, "") == 0);
        assert(facts.group == 3);

        tree_dir(t, "bus/other/drivers/vfio-other");
        tree_dir(t, "bus/other/drivers/vfiology");
        assert(scan_device(t->fd, "other", "other0", &facts) == 0);
        assert(strcmp(facts.vfio_driver, "vfio-other") == 0);

        /* which of two? */
        tree_dir(t, "bus/other/drivers/vfio_more");
        assert(scan_device(t->fd, "other", "other0", &facts) == 0);
        assert(strcmp(facts.vfio_driver, "") == 0);
}

static void test_nvme_serial(void) {
        _cleanup_tree_ Tree *t = tree_new();
        DeviceFacts facts;

        tree_pci_device(t, "0000:00:05.0", 8, "nvme");
        tree_file(t, "S64DNX0R        \n", "devices/pci0000:00/0000:00:05.0/nvme/nvme0/serial");
        assert(scan_device(t->fd, "pci", "0000:00:05.0", &facts) == 0);
        assert(strcmp(facts.serial, "S64DNX0R") == 0);
}

static void make_vf(Tree *t, const char *address, unsigned group, unsigned index) {
        char link[64];

        tree_pci_device(t, address, group, NULL);
        tree_link(t, "../0000:00:1e.0", "devices/pci0000:00/%s/physfn", address);
        snprintf(link, sizeof(link), "../%s", address);
        tree_link(t, link, "devices/pci0000:00/0000:00:1e.0/virtfn%u", index);
}

static void test_vf(void) {
        _cleanup_tree_ Tree *t = tree_new();
        const char *pf = "devices/pci0000:00/0000:00:1e.0";
        DeviceFacts facts;

        tree_pci_device(t, "0000:00:1e.0", 1, "igb");
        tree_file(t, "7\n", "%s/sriov_totalvfs", pf);
        tree_file(t, "128\n", "%s/sriov_offset", pf);
        tree_file(t, "2\n", "%s/sriov_stride", pf);
        make_vf(t, "0000:01:0e.0", 2, 0);
        make_vf(t, "0000:01:0e.2", 3, 1);

        /* on a bus of its own: 00:1e.0 is 0x00f0, and 128 further is 01:0e.0 */
        assert(scan_device(t->fd, "pci", "0000:01:0e.0", &facts) == 0);
        assert(strcmp(facts.physfn, "0000:00:1e.0") == 0);
        assert(facts.vf_index == 0);
        assert(scan_device(t->fd, "pci", "0000:01:0e.2", &facts) == 0);
        assert(facts.vf_index == 1);

        /* what can't be confirmed is not said */
        tree_file(t, "1\n", "%s/sriov_stride", pf);
        assert(scan_device(t->fd, "pci", "0000:01:0e.2", &facts) == 0);
        assert(facts.vf_index == -1);
}

static void test_not_there(void) {
        _cleanup_tree_ Tree *t = tree_new();
        DeviceFacts facts, untouched;
        char too_long[1000];

        memset(too_long, 'a', sizeof(too_long) - 1);
        too_long[sizeof(too_long) - 1] = '\0';
        memset(&facts, 0x5a, sizeof(facts));
        untouched = facts;

        tree_pci_device(t, "0000:00:04.0", 7, NULL);
        assert(scan_device(t->fd, "pci", "0000:00:05.0", &facts) == -ENODEV);
        assert(scan_device(t->fd, "usb", "0000:00:04.0", &facts) == -ENODEV);

        /* these are no names */
        assert(scan_device(t->fd, "pci", "", &facts) == -ENODEV);
        assert(scan_device(t->fd, "pci", "..", &facts) == -ENODEV);
        assert(scan_device(t->fd, "pci", "../devices/0000:00:04.0", &facts) == -ENODEV);
        assert(scan_device(t->fd, "../bus/pci", "0000:00:04.0", &facts) == -ENODEV);
        assert(scan_device(t->fd, "pci", too_long, &facts) == -ENODEV);

        /* in no group */
        tree_remove(t, "devices/pci0000:00/0000:00:04.0/iommu_group");
        assert(scan_device(t->fd, "pci", "0000:00:04.0", &facts) == -ENODEV);
        assert(memcmp(&facts, &untouched, sizeof(facts)) == 0);
}

static void test_group(void) {
        _cleanup_tree_ Tree *t = tree_new();
        _cleanup_free_ ReservedRegion *regions = NULL;
        GroupFacts facts;
        size_t n;

        tree_pci_device(t, "0000:00:04.0", 7, NULL);
        assert(scan_group(t->fd, 7, &facts) == 0);
        assert(facts.id == 7);
        assert(strcmp(facts.type, "DMA-FQ") == 0);
        assert(!facts.direct);
        assert(scan_group(t->fd, 8, &facts) == -ENODEV);

        tree_file(t,
                "0x0000000000000000 0x0000000000ffffff direct-relaxable\n"
                "0x000000007b800000 0x000000007fffffff direct\n"
                "0x00000000fee00000 0x00000000feefffff msi\n",
                "kernel/iommu_groups/7/reserved_regions");
        assert(scan_group(t->fd, 7, &facts) == 0);
        assert(facts.direct);
        assert(facts.n_regions == 3);

        assert(scan_reserved_regions(t->fd, 7, &regions, &n) == 0);
        assert(n == 3);
        assert(regions[1].first == 0x7b800000 && regions[1].last == 0x7fffffff);
        assert(strcmp(regions[0].kind, "direct-relaxable") == 0);
        assert(memcmp(facts.regions, regions, 3 * sizeof(*regions)) == 0);
}

static void test_regions_odd(void) {
        static const char *const bad[] = {
                "0x1 0x2 msi\n",
                "0x00000000fee00000 0x00000000feefffff\n",
                "0x00000000fee00000\n",
                "0x00000000fee00000 0x00000000feeffffg msi\n",
                "0x00000000fee00000 0x00000000feefffff a-kind-that-nobody-knows-of\n",
        };
        _cleanup_tree_ Tree *t = tree_new();
        ReservedRegion *regions = (void *) 1;
        size_t n = 99;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                tree_file(t, bad[i], "kernel/iommu_groups/0/reserved_regions");
                assert(scan_reserved_regions(t->fd, 0, &regions, &n) == -EBADMSG);
                assert(regions == (void *) 1 && n == 99);
        }

        tree_file(t, "", "kernel/iommu_groups/0/reserved_regions");
        assert(scan_reserved_regions(t->fd, 0, &regions, &n) == 0);
        assert(!regions && n == 0);
}

typedef struct Seen {
        unsigned n_groups, n_devices;
        uint32_t last_group;
        int fail_with;
        char names[8][KERNEL_NAME_MAX];
        char subsystems[8][16];
} Seen;

static int on_group(const GroupFacts *facts, void *userdata) {
        Seen *seen = userdata;

        seen->n_groups++;
        seen->last_group = facts->id;
        return 0;
}

static int on_device(const DeviceFacts *facts, void *userdata) {
        Seen *seen = userdata;

        assert(facts->group == seen->last_group);            /* a group comes before its devices */
        strcpy(seen->names[seen->n_devices], facts->name);
        strcpy(seen->subsystems[seen->n_devices], facts->subsystem);
        seen->n_devices++;
        return seen->fail_with;
}

static const ScanFuncs seen_funcs = { .on_group = on_group, .on_device = on_device };

static void test_all(void) {
        _cleanup_tree_ Tree *t = tree_new();
        Seen seen = {};

        /* no IOMMU */
        assert(scan_all(t->fd, &seen_funcs, &seen) == 0);
        assert(seen.n_groups == 0);

        tree_pci_device(t, "0000:00:04.0", 3, "e1000e");
        tree_pci_device(t, "0000:00:04.1", 3, NULL);
        tree_pci_device(t, "0000:00:05.0", 12, NULL);
        assert(scan_all(t->fd, &seen_funcs, &seen) == 0);
        assert(seen.n_groups == 2);
        assert(seen.n_devices == 3);

        seen = (Seen) { .fail_with = -ENOENT };
        assert(scan_all(t->fd, &seen_funcs, &seen) == -ENOENT);
        assert(seen.n_devices == 1);
}

/* Two buses, one name: the group shows the second device under another one. */
static void test_all_same_name(void) {
        _cleanup_tree_ Tree *t = tree_new();
        Seen seen = {};

        tree_file(t, "DRIVER=mock\n", "devices/mock/dev0/uevent");
        tree_link(t, "../../../bus/mock", "devices/mock/dev0/subsystem");
        tree_file(t, "blocked\n", "kernel/iommu_groups/0/type");
        tree_file(t, "", "kernel/iommu_groups/0/reserved_regions");
        tree_link(t, "../../../../devices/mock/dev0", "kernel/iommu_groups/0/devices/dev0.1");
        assert(scan_all(t->fd, &seen_funcs, &seen) == 0);
        assert(seen.n_devices == 1);
        assert(strcmp(seen.names[0], "dev0") == 0);
        assert(strcmp(seen.subsystems[0], "mock") == 0);
}

/* Half of it has gone already: the rest is still reported. */
static void test_all_vanishing(void) {
        _cleanup_tree_ Tree *t = tree_new();
        Seen seen = {};

        tree_pci_device(t, "0000:00:04.0", 3, NULL);
        tree_pci_device(t, "0000:00:05.0", 4, NULL);
        tree_pci_device(t, "0000:00:06.0", 5, NULL);
        tree_pci_device(t, "0000:00:07.0", 6, NULL);
        tree_remove(t, "devices/pci0000:00/0000:00:04.0/uevent");
        tree_link(t, "../nowhere", "kernel/iommu_groups/4/devices/0000:00:05.0");
        tree_remove(t, "kernel/iommu_groups/5/reserved_regions");
        assert(scan_all(t->fd, &seen_funcs, &seen) == 0);
        assert(seen.n_groups == 3);
        assert(seen.n_devices == 1);
        assert(strcmp(seen.names[0], "0000:00:07.0") == 0);
}

int main(void) {
        test_device();
        test_device_changes();
        test_other_bus();
        test_nvme_serial();
        test_vf();
        test_not_there();
        test_group();
        test_regions_odd();
        test_all();
        test_all_same_name();
        test_all_vanishing();
        return 0;
}
