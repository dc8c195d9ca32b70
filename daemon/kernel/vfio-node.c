/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fault.h"
#include "base/parse.h"
#include "kernel/dev-number.h"
#include "kernel/fdinfo.h"
#include "kernel/ioctl.h"
#include "kernel/path.h"
#include "kernel/retry.h"
#include "kernel/uapi.h"
#include "kernel/vfio-node.h"

static bool is_node_name(const char *name) {
        uint32_t number;

        return strncmp(name, "vfio", 4) == 0 && parse_u32(name + 4, &number) >= 0;
}

/* Its number is not known yet. */
static int find_name(const char *device, VfioNode *ret, KernelFailure *reterr) {
        _cleanup_dir_ Dir *nodes = NULL;
        char path[KERNEL_PATH_MAX];
        VfioNode node = {};
        const char *name;
        int r;

        r = kernel_path(path, reterr, "%s/vfio-dev", device);
        if (r < 0)
                return r;

        r = dir_open_at(AT_FDCWD, path, &nodes);
        if (r < 0)
                return kernel_failure(reterr, r == -ENOENT ? -ENODEV : r, "open %s", path);

        for (;;) {
                r = dir_next(nodes, &name);
                if (r < 0)
                        return kernel_failure(reterr, r, "read %s", path);
                if (r != DIR_ENTRY)
                        return kernel_failure(reterr, -ENODEV, "find a node in %s", path);
                if (is_node_name(name) && copy_string(node.name, sizeof(node.name), name) >= 0)
                        break;
        }

        *ret = node;
        return 0;
}

int vfio_node_find(const char *device, VfioNode *ret, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX];
        VfioNode node;
        int r;

        r = find_name(device, &node, reterr);
        if (r < 0)
                return r;

        r = kernel_path(path, reterr, "%s/vfio-dev/%s/dev", device, node.name);
        if (r < 0)
                return r;

        r = dev_number_read(path, &node.number);
        if (r < 0)
                return kernel_failure(reterr, r == -ENOENT ? -ENODEV : r, "read %s", path);

        *ret = node;
        return 0;
}

static int node_path(const IommufdBackend *backend, const VfioNode *node, char *ret, KernelFailure *reterr) {
        return kernel_path(ret, reterr, "%s/vfio/devices/%s", backend->dev, node->name);
}

int vfio_node_check_made(const IommufdBackend *backend, const char *device, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX];
        VfioNode node;
        int r;

        r = vfio_node_find(device, &node, reterr);
        if (r == -ENODEV)
                return 0;
        if (r < 0)
                return r;

        r = node_path(backend, &node, path, reterr);
        if (r < 0)
                return r;

        if (access(path, F_OK) < 0)
                return kernel_failure(reterr, -errno, "find %s, which the kernel should have made", path);
        return 0;
}

static int read_number(int fd, VfioNode *node, KernelFailure *reterr) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return kernel_failure(reterr, -errno, "fstat of %s", node->name);
        if (!S_ISCHR(st.st_mode))
                return kernel_failure(reterr, -ENODEV, "open %s: it is no character device", node->name);

        node->number = st.st_rdev;
        return 0;
}

/*
 * The number is the device's as long as what it stands for is open: to look it up before would prove
 * nothing, another device may get it in between.
 */
static int prove_number(const IommufdBackend *backend, const char *device, const VfioNode *node,
                        KernelFailure *reterr) {
        char actual[KERNEL_PATH_MAX], expected[KERNEL_PATH_MAX];
        int r;

        r = kernel_path(expected, reterr, "%s/vfio-dev/%s", device + strlen(backend->sysfs) + 1, node->name);
        if (r < 0)
                return r;

        r = dev_number_find(backend, node->number, actual);
        if (r < 0)
                return kernel_failure(reterr, r == -ENOENT ? -ENODEV : r,
                                      "find character device %u:%u, which %s is", major(node->number),
                                      minor(node->number), node->name);
        if (strcmp(actual, expected) != 0)
                return kernel_failure(reterr, -ENODEV, "open %s: it is not that of %s but of %s", node->name,
                                      device, actual);
        return 0;
}

int vfio_node_prove(const IommufdBackend *backend, int fd, const char *device, const VfioNode *node,
                    KernelFailure *reterr) {
        VfioNode actual = *node;
        int r;

        r = read_number(fd, &actual, reterr);
        if (r < 0)
                return r;

        return prove_number(backend, device, &actual, reterr);
}

int vfio_node_prove_leaving(const IommufdBackend *backend, int fd, const char *device, VfioNode *ret,
                            KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX], expected[PATH_MAX], actual[PATH_MAX];
        VfioNode node = { .name = "its old node" };
        int r;

        r = read_number(fd, &node, reterr);
        if (r < 0)
                return r;

        r = kernel_path(path, reterr, "%s/self/fdinfo/%d", backend->proc, fd);
        if (r < 0)
                return r;

        r = fdinfo_read_syspath(AT_FDCWD, path, actual);
        if (r < 0)
                return kernel_failure(reterr, r == -EOPNOTSUPP ? -ENODEV : r, "read %s", path);

        fdinfo_make_syspath(backend, device, expected);
        if (strcmp(actual, expected) != 0)
                return kernel_failure(reterr, -ENODEV, "%s is not that of %s", node.name, device);

        *ret = node;
        return 0;
}

int vfio_node_open(const IommufdBackend *backend, const char *device, VfioNode *ret_node, int *ret_fd,
                   KernelFailure *reterr) {
        _cleanup_close_ int fd = -EBADF;
        char path[KERNEL_PATH_MAX];
        VfioNode node;
        int r;

        r = find_name(device, &node, reterr);
        if (r < 0)
                return r;

        r = node_path(backend, &node, path, reterr);
        if (r < 0)
                return r;

        r = fault_point();
        if (r < 0)
                return kernel_failure(reterr, r, "open %s", path);

        fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return kernel_failure(reterr, -errno, "open %s", path);

        r = read_number(fd, &node, reterr);
        if (r < 0)
                return r;

        r = prove_number(backend, device, &node, reterr);
        if (r < 0)
                return r;

        *ret_node = node;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int vfio_node_bind(
        int fd, const VfioNode *node, int iommufd, uint32_t *ret_id, KernelFailure *reterr) {
        struct vfio_device_bind_iommufd bind;
        Retry retry = RETRY_INIT;
        int r;

        do {
                bind = (struct vfio_device_bind_iommufd) { .argsz = sizeof(bind), .iommufd = iommufd };
                r = ioctl_retry(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);
        } while (r == -EAGAIN && retry_again(&retry));

        if (r < 0)
                return kernel_failure(reterr, r, "ioctl VFIO_DEVICE_BIND_IOMMUFD on %s", node->name);

        if (ret_id)
                *ret_id = bind.out_devid;
        return 0;
}

int vfio_node_check_bound(int fd, const VfioNode *node, KernelFailure *reterr) {
        struct vfio_device_info info = { .argsz = sizeof(info) };
        int r;

        r = ioctl_retry(fd, VFIO_DEVICE_GET_INFO, &info);
        return r < 0 ? kernel_failure(reterr, r, "ioctl VFIO_DEVICE_GET_INFO on %s", node->name) : 0;
}

int vfio_node_reset(int fd, const VfioNode *node, KernelFailure *reterr) {
        Retry retry = RETRY_INIT;
        int r;

        do
                r = ioctl_retry(fd, VFIO_DEVICE_RESET, NULL);
        while (r == -EAGAIN && retry_again(&retry));

        if (r < 0)
                return kernel_failure(reterr, r, "ioctl VFIO_DEVICE_RESET on %s", node->name);
        return 0;
}
