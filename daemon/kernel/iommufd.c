/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>

#include "base/fault.h"
#include "base/fd.h"
#include "kernel/ioctl.h"
#include "kernel/iommufd.h"
#include "kernel/path.h"
#include "kernel/uapi.h"

int iommufd_open(const IommufdBackend *backend, int *ret_fd, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX];
        int fd, r;

        r = kernel_path(path, reterr, "%s/iommu", backend->dev);
        if (r < 0)
                return r;

        r = fault_point();
        if (r < 0)
                return kernel_failure(reterr, r, "open %s", path);

        fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return kernel_failure(reterr, -errno, "open %s", path);

        *ret_fd = fd;
        return 0;
}

int iommufd_set_accounting(int iommufd, Accounting accounting, KernelFailure *reterr) {
        struct iommu_option option = {
                .size = sizeof(option),
                .option_id = IOMMU_OPTION_RLIMIT_MODE,
                .op = IOMMU_OPTION_OP_SET,
                .val64 = accounting == ACCOUNTING_PROCESS ? 1 : 0,
        };
        int r;

        r = ioctl_retry(iommufd, IOMMU_OPTION, &option);
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl IOMMU_OPTION RLIMIT_MODE");
        return 0;
}
