/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "kernel/dev-number.h"
#include "kernel/ioctl.h"
#include "kernel/path.h"
#include "kernel/uapi.h"
#include "kernel/vfio-group.h"

int vfio_group_number(const IommufdBackend *backend, uint32_t group, dev_t *ret) {
        char path[KERNEL_PATH_MAX];
        int r;

        r = kernel_path(path, /* reterr= */ NULL, "%s/class/vfio/%u/dev", backend->sysfs, group);
        if (r < 0)
                return r;

        return dev_number_read(path, ret);
}

/* Its number is the group's as long as it is open. */
static int group_prove(
        const IommufdBackend *backend, int fd, const char *path, uint32_t group, KernelFailure *reterr) {
        char actual[KERNEL_PATH_MAX], end[32];
        struct stat st;
        size_t n;
        int r;

        if (fstat(fd, &st) < 0)
                return kernel_failure(reterr, -errno, "fstat %s", path);
        if (!S_ISCHR(st.st_mode))
                return kernel_failure(reterr, -ENODEV, "open %s: it is no character device", path);

        r = dev_number_find(backend, st.st_rdev, actual);
        if (r < 0)
                return kernel_failure(reterr, r, "find character device %u:%u, which %s is",
                                      major(st.st_rdev), minor(st.st_rdev), path);

        n = (size_t) snprintf(end, sizeof(end), "/vfio/%u", group);
        if (strlen(actual) < n || strcmp(actual + strlen(actual) - n, end) != 0)
                return kernel_failure(reterr, -ENODEV, "open %s: it is not the group's node, but that of %s",
                                      path, actual);
        return 0;
}

static int group_status(int fd, const char *path, KernelFailure *reterr) {
        struct vfio_group_status status = { .argsz = sizeof(status) };
        int r;

        r = ioctl_retry(fd, VFIO_GROUP_GET_STATUS, &status);
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl VFIO_GROUP_GET_STATUS on %s", path);

        return status.flags & VFIO_GROUP_FLAGS_VIABLE ? _GROUP_PROBE_FREE : GROUP_PROBE_NOT_VIABLE;
}

int vfio_group_probe(const IommufdBackend *backend, uint32_t group, KernelFailure *reterr) {
        _cleanup_close_ int fd = -EBADF;
        char path[KERNEL_PATH_MAX];
        int r;

        r = kernel_path(path, reterr, "%s/vfio/%u", backend->dev, group);
        if (r < 0)
                return r;

        fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 && errno == EBUSY)
                return GROUP_PROBE_FOREIGN;  /* somebody has it open, or has bound a device of it */
        if (fd < 0 && (errno == ENOENT || errno == ENODEV))
                return _GROUP_PROBE_FREE;    /* no device of it is on a VFIO driver (any more) */
        if (fd < 0)
                return kernel_failure(reterr, -errno, "open %s", path);

        r = group_prove(backend, fd, path, group, reterr);
        if (r < 0)
                return r;

        return group_status(fd, path, reterr);
}
