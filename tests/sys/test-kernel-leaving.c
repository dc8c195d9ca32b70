/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The descriptor that was kept of a device whose node is gone, since it is leaving: is it that device's? */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "kernel/iommufd-backend.h"
#include "kernel/vfio-node.h"
#include "tree.h"

#define NAME "0000:00:04.0"
#define DEVICE "devices/pci0000:00/" NAME

static int prove(const Tree *tree, int fd, VfioNode *ret) {
        char device[256], proc[256], sysfs[256];
        IommufdBackend backend = { .proc = proc, .sysfs = sysfs };
        KernelFailure failure;

        snprintf(sysfs, sizeof(sysfs), "%s/sys", tree->path);
        snprintf(device, sizeof(device), "%s/sys/" DEVICE, tree->path);
        snprintf(proc, sizeof(proc), "%s/proc", tree->path);
        return vfio_node_prove_leaving(&backend, fd, device, ret, &failure);
}

int main(void) {
        static const struct {
                const char *path, *fdinfo;
                int expected;
        } table[] = {
                { "/dev/null", "pos:\t0\nvfio-device-syspath: /sys/" DEVICE "\n", 0 },
                { "/dev/null", "vfio-device-syspath: /sys/devices/pci0000:00/0000:00:05.0\n", -ENODEV },
                { "/dev/null", "pos:\t0\n", -ENODEV },       /* it does not say, and no node does */
                { "/proc/self/status", "vfio-device-syspath: /sys/" DEVICE "\n", -ENODEV },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_tree_ Tree *tree = tree_new();
                _cleanup_close_ int fd = -EBADF;
                VfioNode node = {};
                struct stat st;

                fd = open(table[i].path, O_RDONLY | O_CLOEXEC);
                assert(fd >= 0 && fstat(fd, &st) == 0);
                tree_file(tree, table[i].fdinfo, "proc/self/fdinfo/%d", fd);

                assert(prove(tree, fd, &node) == table[i].expected);
                assert(node.number == (table[i].expected == 0 ? st.st_rdev : 0));
        }

        return 0;
}
