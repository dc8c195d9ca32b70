/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a VM manager does with the memory of its guest: maps so much of it for the device, which pins it.
 *
 *     pin-for MIB IOMMUFD DEVICE
 *
 * Says "pinned" and waits until it is ended, or "ENOMEM" or what else the kernel says, and ends with 1.
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/parse.h"
#include "kernel/uapi.h"

static int pin(int iommufd, int device, size_t size) {
        struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd };
        struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
        struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
        struct iommu_ioas_map map = {
                .size = sizeof(map),
                .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
                .length = size,
                .iova = 0x100000,
        };
        void *memory;

        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
                return -errno;

        if (ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind) < 0)
                return -errno;
        if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &ioas) < 0)
                return -errno;
        attach.pt_id = map.ioas_id = ioas.out_ioas_id;
        if (ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) < 0)
                return -errno;

        map.user_va = (uintptr_t) memory;
        return ioctl(iommufd, IOMMU_IOAS_MAP, &map) < 0 ? -errno : 0;
}

int main(int argc, char *argv[]) {
        uint32_t mib, iommufd, device;
        int r;

        if (argc != 4 || parse_u32(argv[1], &mib) < 0 || parse_u32(argv[2], &iommufd) < 0 ||
            parse_u32(argv[3], &device) < 0)
                return 2;

        r = pin((int) iommufd, (int) device, (size_t) mib << 20);
        puts(r < 0 ? strerrorname_np(-r) : "pinned");
        (void) fflush(stdout);
        if (r < 0)
                return EXIT_FAILURE;

        for (;;)
                (void) pause();
}
