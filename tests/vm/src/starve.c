/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A client for which the kernel has no memory: of all that it allocates for it in BIND, in ATTACH and in
 * the first mapping, the N-th fails. Needs failslab in the kernel.
 *
 *     starve N IOMMUFD DEVICE
 *
 * Says how it went: "CALL failed with ERRNO", or "all done"; and then "starved", or "not starved" when there
 * were fewer than N allocations.
 */

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "kernel/uapi.h"

#define SIZE (UINT64_C(16) * 4096)
#define IOVA UINT64_C(0x100000)

/* Returns NULL, or the call that failed with errno set. */
static const char *use_device(int iommufd, int device, void *memory) {
        struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd };
        struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
        struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
        struct iommu_ioas_map map = {
                .size = sizeof(map),
                .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
                .user_va = (uintptr_t) memory,
                .length = SIZE,
                .iova = IOVA,
        };

        if (ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind) < 0)
                return "VFIO_DEVICE_BIND_IOMMUFD";
        if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &ioas) < 0)
                return "IOMMU_IOAS_ALLOC";
        attach.pt_id = ioas.out_ioas_id;
        if (ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) < 0)
                return "VFIO_DEVICE_ATTACH_IOMMUFD_PT";
        map.ioas_id = ioas.out_ioas_id;
        if (ioctl(iommufd, IOMMU_IOAS_MAP, &map) < 0)
                return "IOMMU_IOAS_MAP";

        return NULL;
}

/* Returns true when the kernel has let an allocation fail. */
static bool has_starved(int fail_nth) {
        char left[16] = "";

        if (pread(fail_nth, left, sizeof(left) - 1, 0) < 0 || pwrite(fail_nth, "0", 1, 0) < 0)
                perror("fail-nth");

        return strcmp(left, "0\n") == 0;
}

int main(int argc, char *argv[]) {
        _cleanup_close_ int fail_nth = -EBADF;
        uint32_t n, iommufd, device;
        const char *failed;
        void *memory;
        bool starved;
        int error;

        if (argc != 4 || parse_u32(argv[1], &n) < 0 || parse_u32(argv[2], &iommufd) < 0 ||
            parse_u32(argv[3], &device) < 0)
                return 2;

        memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        if (memory == MAP_FAILED) {
                perror("mmap");
                return EXIT_FAILURE;
        }

        fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
        if (fail_nth < 0 || pwrite(fail_nth, argv[1], strlen(argv[1]), 0) < 0) {
                perror("fail-nth");
                return EXIT_FAILURE;
        }

        failed = use_device((int) iommufd, (int) device, memory);
        error = errno;
        starved = has_starved(fail_nth);

        if (failed)
                printf("%s failed with %s\n", failed, strerrorname_np(error));
        else
                puts("all done");
        puts(starved ? "starved" : "not starved");
        return EXIT_SUCCESS;
}
