/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a scan of everything costs on a large host: 1000 devices in 500 groups. Half of them are virtual
 * functions on vfio-pci with a node, which takes the most reads.
 */

#include <stdio.h>
#include <time.h>

#include "sys/scan.h"
#include "sys/tree.h"

#define N_DEVICES 1000
#define N_GROUPS 500
#define N_SCANS 20

static void make_vf(Tree *tree, const char *address, unsigned index) {
        char target[64], dev[32];

        tree_link(tree, "../0000:00:00.0", "devices/pci0000:00/%s/physfn", address);
        snprintf(target, sizeof(target), "../%s", address);
        tree_link(tree, target, "devices/pci0000:00/0000:00:00.0/virtfn%u", index);
        snprintf(dev, sizeof(dev), "241:%u\n", index);
        tree_file(tree, dev, "devices/pci0000:00/%s/vfio-dev/vfio%u/dev", address, index);
        tree_file(tree, "vfio-pci\n", "devices/pci0000:00/%s/driver_override", address);
}

static void make_host(Tree *tree) {
        /*
         * attributes that are there and not read cost nothing, but make the directories as large as they are
         */
        static const char *const others[] = {
                "vendor",
                "device",
                "class",
                "revision",
                "irq",
                "enable",
                "config",
                "resource",
                "modalias",
                "local_cpus",
                "local_cpulist",
                "msi_bus",
                "d3cold_allowed",
                "power_state",
                "remove",
                "rescan",
        };

        for (unsigned i = 0; i < N_DEVICES; i++) {
                char address[16];

                snprintf(address, sizeof(address), "0000:%02x:%02x.%x", i >> 8, (i >> 3) & 0x1f, i & 7);
                tree_pci_device(tree, address, i / (N_DEVICES / N_GROUPS), i % 2 ? "vfio-pci" : "nvme");
                for (size_t j = 0; j < ELEMENTSOF(others); j++)
                        tree_file(tree, "0\n", "devices/pci0000:00/%s/%s", address, others[j]);
                if (i % 2)
                        make_vf(tree, address, i / 2);
        }

        tree_file(tree, "1\n", "devices/pci0000:00/0000:00:00.0/sriov_offset");
        tree_file(tree, "2\n", "devices/pci0000:00/0000:00:00.0/sriov_stride");
        tree_file(tree, "500\n", "devices/pci0000:00/0000:00:00.0/sriov_totalvfs");
}

typedef struct Count {
        unsigned n_groups, n_devices, n_vfs;
} Count;

static int on_group(const GroupFacts *facts, void *userdata) {
        Count *count = userdata;

        count->n_groups++;
        return 0;
}

static int on_device(const DeviceFacts *facts, void *userdata) {
        Count *count = userdata;

        count->n_devices++;
        count->n_vfs += facts->vf_index >= 0 && facts->cdev[0];
        return 0;
}

static double cpu_ms(void) {
        struct timespec t;

        assert(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
        return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

int main(void) {
        static const ScanFuncs funcs = { .on_group = on_group, .on_device = on_device };
        _cleanup_tree_ Tree *tree = tree_new();
        double start;

        make_host(tree);

        start = cpu_ms();
        for (unsigned i = 0; i < N_SCANS; i++) {
                Count count = {};

                assert(scan_all(tree->fd, &funcs, &count) == 0);
                assert(count.n_groups == N_GROUPS && count.n_devices == N_DEVICES);
                assert(count.n_vfs == N_DEVICES / 2);
        }
        printf("scan of %u devices in %u groups: %.1f ms CPU\n", N_DEVICES, N_GROUPS,
                (cpu_ms() - start) / N_SCANS);
        return 0;
}
