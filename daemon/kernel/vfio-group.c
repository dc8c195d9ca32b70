/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/stat.h>

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

static int group_status(int fd, const char *path, dev_t number, KernelFailure *reterr) {
        struct vfio_group_status status = { .argsz = sizeof(status) };
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return kernel_failure(reterr, -errno, "fstat %s", path);
        if (!S_ISCHR(st.st_mode) || st.st_rdev != number)
                return kernel_failure(reterr, -ENODEV, "open %s: it is not the group's node", path);

        r = ioctl_retry(fd, VFIO_GROUP_GET_STATUS, &status);
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl VFIO_GROUP_GET_STATUS on %s", path);

        return status.flags & VFIO_GROUP_FLAGS_VIABLE ? _GROUP_PROBE_FREE : GROUP_PROBE_NOT_VIABLE;
}

int vfio_group_probe(const IommufdBackend *backend, uint32_t group, KernelFailure *reterr) {
        _cleanup_close_ int fd = -EBADF;
        char path[KERNEL_PATH_MAX];
        dev_t number;
        int r;

        r = vfio_group_number(backend, group, &number);
        if (r == -ENOENT)
                return _GROUP_PROBE_FREE;
        if (r < 0)
                return kernel_failure(reterr, r, "read the number of group %u", group);

        r = kernel_path(path, reterr, "%s/vfio/%u", backend->dev, group);
        if (r < 0)
                return r;

        fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 && errno == EBUSY)
                return GROUP_PROBE_FOREIGN;  /* somebody has it open, or has bound a device of it */
        if (fd < 0 && (errno == ENOENT || errno == ENODEV))
                return _GROUP_PROBE_FREE;    /* gone meanwhile, with the last VFIO driver in it */
        if (fd < 0)
                return kernel_failure(reterr, -errno, "open %s", path);

        return group_status(fd, path, number, reterr);
}
