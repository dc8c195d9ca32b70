/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Virtual IOMMUs as the kernel is asked for them: what is passed on, and what comes back. */

#include <string.h>
#include <sys/ioctl.h>

#include "core/kernel.h"
#include "kernel/uapi.h"
#include "kernel/viommu.h"

#define CONTEXT 1000

static int fail_with;                        /* errno; 0: none */

static int alloc_viommu(struct iommu_viommu_alloc *alloc) {
        uint8_t *data = (void *) (uintptr_t) alloc->data_uptr;

        assert(alloc->size == sizeof(*alloc) && alloc->flags == 0 && alloc->__reserved == 0);
        assert(alloc->type == 0x77 && alloc->dev_id == 5 && alloc->hwpt_id == 6);
        assert((alloc->data_len == 0) == !data);
        for (uint32_t i = 0; i < alloc->data_len; i++)
                data[i] = (uint8_t) ~data[i];
        alloc->out_viommu_id = 8;
        return 0;
}

static int alloc_vdevice(struct iommu_vdevice_alloc *alloc) {
        assert(alloc->size == sizeof(*alloc));
        assert(alloc->viommu_id == 8 && alloc->dev_id == 5 && alloc->virt_id == UINT64_C(0x100000001));
        alloc->out_vdevice_id = 9;
        return 0;
}

static int alloc_veventq(struct iommu_veventq_alloc *alloc) {
        assert(alloc->size == sizeof(*alloc) && alloc->flags == 0 && alloc->__reserved == 0);
        assert(alloc->viommu_id == 8 && alloc->type == 0x99 && alloc->veventq_depth == 64);
        alloc->out_veventq_id = 10;
        alloc->out_veventq_fd = 42;
        return 0;
}

int __wrap_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, void *argument) {
        assert(fd == CONTEXT);
        errno = fail_with;
        if (fail_with != 0)
                return -1;

        switch (request) {

        case IOMMU_VIOMMU_ALLOC:
                return alloc_viommu(argument);
        case IOMMU_VDEVICE_ALLOC:
                return alloc_vdevice(argument);
        case IOMMU_VEVENTQ_ALLOC:
                return alloc_veventq(argument);
        }

        assert(!"no such ioctl");
}

static const VirtualSpec viommu = {
        .device = 5,
        .parent = 6,
        .type = 0x77,
        .data_length = 3,
        .data = { 1, 2, 3 },
};
static const VirtualSpec vdevice = { .device = 5, .parent = 8, .virt_id = UINT64_C(0x100000001) };
static const VirtualSpec queue = { .parent = 8, .type = 0x99, .depth = 64 };

static void test_passed_on(void) {
        uint8_t data[VIRTUAL_DATA_MAX] = {};
        VirtualSpec bare = viommu;
        KernelFailure failure;
        uint32_t id;
        int fd;

        assert(viommu_alloc(CONTEXT, &viommu, &id, data, &failure) == 0);
        assert(id == 8 && data[0] == 0xfe && data[2] == 0xfc && data[3] == 0);
        assert(viommu.data[0] == 1);         /* what was asked stays as it was asked */

        bare.data_length = 0;
        assert(viommu_alloc(CONTEXT, &bare, &id, data, &failure) == 0);
        assert(vdevice_alloc(CONTEXT, &vdevice, &id, &failure) == 0 && id == 9);
        assert(veventq_alloc(CONTEXT, &queue, &id, &fd, &failure) == 0 && id == 10 && fd == 42);
}

static void test_failures(void) {
        static const int errors[] = { EOPNOTSUPP, EEXIST, ENOMEM };
        uint8_t data[VIRTUAL_DATA_MAX];
        KernelFailure failure;
        uint32_t id = 7;
        int fd = 7;

        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                fail_with = errors[i];
                assert(viommu_alloc(CONTEXT, &viommu, &id, data, &failure) == -errors[i]);
                assert(strstr(failure.call, "IOMMU_VIOMMU_ALLOC of type 0x77 with 3 bytes"));
                assert(vdevice_alloc(CONTEXT, &vdevice, &id, &failure) == -errors[i]);
                assert(strstr(failure.call, "IOMMU_VDEVICE_ALLOC"));
                assert(veventq_alloc(CONTEXT, &queue, &id, &fd, &failure) == -errors[i]);
                assert(strstr(failure.call, "IOMMU_VEVENTQ_ALLOC of type 0x99"));
                assert(failure.error == -errors[i] && id == 7 && fd == 7);
        }
        fail_with = 0;
}

int main(void) {
        test_passed_on();
        test_failures();
        return 0;
}
