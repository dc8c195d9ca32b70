/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "core/kernel.h"
#include "kernel/attach.h"
#include "kernel/ioctl.h"
#include "kernel/retry.h"
#include "kernel/uapi.h"

/* " of PASID 7", or "" */
static const char *pasid_words(char *buffer, size_t size, uint32_t pasid) {
        if (pasid == PASID_NONE)
                return "";

        snprintf(buffer, size, " of PASID %u", pasid);
        return buffer;
}

int device_attach(int device, uint32_t pasid, uint32_t target, KernelFailure *reterr) {
        Retry retry = RETRY_INIT;
        char words[32];
        int r;

        do {
                struct vfio_device_attach_iommufd_pt attach = {
                        .argsz = sizeof(attach),
                        .flags = pasid == PASID_NONE ? 0 : VFIO_DEVICE_ATTACH_PASID,
                        .pt_id = target,
                        .pasid = pasid == PASID_NONE ? 0 : pasid,
                };

                r = ioctl_retry(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
        } while (r == -EBUSY && retry_again(&retry));   /* a device of the group is in a reset */

        if (r < 0)
                return kernel_failure(reterr, r, "ioctl VFIO_DEVICE_ATTACH_IOMMUFD_PT%s to %u",
                                      pasid_words(words, sizeof(words), pasid), target);
        return 0;
}

int device_detach(int device, uint32_t pasid, KernelFailure *reterr) {
        struct vfio_device_detach_iommufd_pt detach = {
                .argsz = sizeof(detach),
                .flags = pasid == PASID_NONE ? 0 : VFIO_DEVICE_DETACH_PASID,
                .pasid = pasid == PASID_NONE ? 0 : pasid,
        };
        char words[32];
        int r;

        r = ioctl_retry(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
        /* PASIDs are unknown to its driver: none is attached */
        if (r == -EOPNOTSUPP && pasid != PASID_NONE)
                return 0;
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl VFIO_DEVICE_DETACH_IOMMUFD_PT%s",
                                      pasid_words(words, sizeof(words), pasid));
        return 0;
}
