/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the IOMMU says and what is tried, with ioctls that answer as an IOMMU of our choice would. */

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/fd.h"
#include "core/kernel.h"
#include "kernel/hw-info.h"
#include "kernel/page-sizes.h"
#include "kernel/uapi.h"

#define CONTEXT 1000
#define DEVICE 1001
#define FEATURE(name) (1U << IOMMU_FEATURE_##name)

/* What an ioctl of a certain kind fails with; 0: it doesn't. */
typedef struct Answers {
        int info, ioas, plain, nest, viommu, queue, faults, attach;
} Answers;

static Answers answers;
static uint32_t type, capabilities, next_id;
static unsigned n_objects, n_calls, fail_at;
static bool attached;

static int answer(int error) {
        errno = error;
        return error != 0 ? -1 : 0;
}

/* A number for what was made; 0: it was not. */
static uint32_t make(int error) {
        if (answer(error) < 0)
                return 0;

        n_objects++;
        return ++next_id;
}

static int get_info(struct iommu_hw_info *info) {
        static const uint8_t data[] = { 1, 2, 3 };

        assert(info->size == sizeof(*info) && info->dev_id == 5);
        if (answer(answers.info) < 0)
                return -1;

        info->out_data_type = type;
        info->out_capabilities = capabilities;
        info->out_max_pasid_log2 = 20;
        memcpy((void *) (uintptr_t) info->data_uptr, data, sizeof(data));
        info->data_len = sizeof(data);
        return 0;
}

static int alloc_domain(struct iommu_hwpt_alloc *alloc) {
        int error = alloc->flags == 0                              ? answers.plain
                    : alloc->flags == IOMMU_HWPT_ALLOC_NEST_PARENT ? answers.nest
                                                                   : answers.faults;

        assert(alloc->dev_id == 5 && alloc->pt_id != 0 && alloc->data_len == 0);
        assert((alloc->flags == IOMMU_HWPT_FAULT_ID_VALID) == (alloc->fault_id != 0));
        alloc->out_hwpt_id = make(error);
        return answer(error);
}

static int alloc_queue(struct iommu_fault_alloc *alloc) {
        alloc->out_fault_id = make(answers.queue);
        if (alloc->out_fault_id != 0)
                alloc->out_fault_fd = (uint32_t) eventfd(0, EFD_CLOEXEC);
        return answer(answers.queue);
}

static int get_ranges(struct iommu_ioas_iova_ranges *ranges) {
        struct iommu_iova_range *range = (void *) (uintptr_t) ranges->allowed_iovas;

        assert(ranges->num_iovas == 1);
        *range = (struct iommu_iova_range) { .start = 0, .last = 0xffffffff };
        ranges->out_iova_alignment = 4096;
        return 0;
}

int __wrap_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, void *argument) {
        assert(fd == (request == VFIO_DEVICE_ATTACH_IOMMUFD_PT || request == VFIO_DEVICE_DETACH_IOMMUFD_PT
                              ? DEVICE
                              : CONTEXT));

        /* of what is destroyed that is the last try */
        if (request != IOMMU_DESTROY && request != VFIO_DEVICE_DETACH_IOMMUFD_PT && ++n_calls == fail_at)
                return answer(ENOMEM);

        switch (request) {

        case IOMMU_GET_HW_INFO:
                return get_info(argument);
        case IOMMU_IOAS_ALLOC:
                ((struct iommu_ioas_alloc *) argument)->out_ioas_id = make(answers.ioas);
                return answer(answers.ioas);
        case IOMMU_HWPT_ALLOC:
                return alloc_domain(argument);
        case IOMMU_FAULT_QUEUE_ALLOC:
                return alloc_queue(argument);
        case IOMMU_IOAS_IOVA_RANGES:
                return get_ranges(argument);
        case IOMMU_VIOMMU_ALLOC:
                assert(((struct iommu_viommu_alloc *) argument)->hwpt_id == 0);
                return answer(answers.viommu);
        case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
                attached = answers.attach == 0;
                return answer(answers.attach);
        case VFIO_DEVICE_DETACH_IOMMUFD_PT:
                assert(attached);
                attached = false;
                return 0;
        case IOMMU_DESTROY:
                assert(n_objects > 0 && !attached);
                n_objects--;
                return 0;
        }

        assert(!"no such ioctl");
}

static unsigned count_fds(void) {
        unsigned n = 0;

        for (int fd = 0; fd < 64; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

static int ask(int device, HwInfo *ret) {
        unsigned before = count_fds();
        KernelFailure failure;
        int r;

        n_objects = n_calls = 0;
        r = hw_info_read(CONTEXT, 5, ret, &failure);
        if (r >= 0)
                hw_info_probe(CONTEXT, 5, device, ret);
        assert(n_objects == 0 && !attached && count_fds() == before);
        return r;
}

static void test_answers(void) {
        static const struct {
                Answers answers;
                uint32_t type;
                bool detached;
                unsigned has, lacks;
        } cases[] = {
                { { .viommu = ENOENT }, IOMMU_HW_INFO_TYPE_ARM_SMMUV3, false,
                  FEATURE(NESTING) | FEATURE(PAGE_FAULTS) | FEATURE(VIOMMU), 0 },
                { { .nest = EOPNOTSUPP, .viommu = EOPNOTSUPP, .attach = ENODEV },
                  IOMMU_HW_INFO_TYPE_INTEL_VTD, false, 0,
                  FEATURE(NESTING) | FEATURE(PAGE_FAULTS) | FEATURE(VIOMMU) },
                /* without the device nobody can say more than that the domain can be made */
                { { .viommu = EOPNOTSUPP }, IOMMU_HW_INFO_TYPE_INTEL_VTD, true, FEATURE(NESTING),
                  FEATURE(VIOMMU) },
                { { .viommu = EOPNOTSUPP, .faults = EOPNOTSUPP }, IOMMU_HW_INFO_TYPE_INTEL_VTD, true,
                  FEATURE(NESTING), FEATURE(VIOMMU) | FEATURE(PAGE_FAULTS) },
                /* what an unknown driver has is not in any list */
                { { .viommu = EOPNOTSUPP }, 77, true, FEATURE(NESTING), 0 },
                /* kernels that don't know of it */
                { { .viommu = ENOTTY, .queue = ENOTTY }, IOMMU_HW_INFO_TYPE_INTEL_VTD, false,
                  FEATURE(NESTING), FEATURE(VIOMMU) | FEATURE(PAGE_FAULTS) },
                /* any other failure says nothing */
                { { .nest = EIO, .viommu = EIO, .attach = EBUSY }, IOMMU_HW_INFO_TYPE_INTEL_VTD, false, 0,
                  0 },
                { { .ioas = ENOMEM }, IOMMU_HW_INFO_TYPE_INTEL_VTD, false, 0, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (unsigned dirty = 0; dirty < 2; dirty++) {
                        unsigned bit = FEATURE(DIRTY_TRACKING);
                        HwInfo info;

                        answers = cases[i].answers;
                        type = cases[i].type;
                        capabilities = (dirty ? (uint32_t) IOMMU_HW_CAP_DIRTY_TRACKING : 0) |
                                       IOMMU_HW_CAP_PCI_PASID_EXEC;
                        assert(ask(cases[i].detached ? -EBADF : DEVICE, &info) == 0);
                        assert(info.asked && !info.emulated);
                        assert(info.has == (cases[i].has | (dirty ? bit : 0)));
                        assert(info.lacks == (cases[i].lacks | (dirty ? 0 : bit)));
                        assert(info.dirty_tracking == dirty);
                        assert(info.pasid_log2 == 20 && info.pasid_execute && !info.pasid_privileged);
                        assert(info.data_length == 3 && info.data[2] == 3);
                        assert(info.page_size == (cases[i].answers.ioas ? 0 : 4096));
                        assert(info.aperture.last == (cases[i].answers.ioas ? 0 : 0xffffffff));
                }
}

/* What is known beyond the smallest page. */
static void test_page_sizes(void) {
        const uint64_t k = 4096, m = UINT64_C(2) << 20, g = UINT64_C(1) << 30;
        const uint64_t second_2m = UINT64_C(1) << 34, second_1g = UINT64_C(1) << 35,
                       first_1g = UINT64_C(1) << 56, first = UINT64_C(1) << 47;
        const struct {
                IommuDriver driver;
                uint64_t cap, ecap, page_size, sizes;
        } cases[] = {
                { IOMMU_DRIVER_INTEL_VTD, second_2m | second_1g | first_1g, first, k, k + m + g },
                { IOMMU_DRIVER_INTEL_VTD, second_2m | second_1g, 0, k, k + m + g },
                /* by the first stage, or by the second */
                { IOMMU_DRIVER_INTEL_VTD, second_2m | second_1g, first, k, k + m },
                { IOMMU_DRIVER_INTEL_VTD, second_2m | first_1g, first, k, k + m },
                { IOMMU_DRIVER_INTEL_VTD, first_1g, first, k, k },
                { IOMMU_DRIVER_INTEL_VTD, first_1g, 0, k, k },
                { IOMMU_DRIVER_INTEL_VTD, second_2m, 0, 0, 0 },
                { IOMMU_DRIVER_ARM_SMMUV3, 0, 0, k, k + m + g },
                { IOMMU_DRIVER_ARM_SMMUV3, 0, 0, 4 * k, 4 * k + 16 * m },
                { IOMMU_DRIVER_ARM_SMMUV3, 0, 0, 16 * k, 16 * k + 256 * m },
                { IOMMU_DRIVER_ARM_SMMUV3, 0, 0, 0, 0 },
                { IOMMU_DRIVER_AMD, second_2m, first, k, 0 },
                { IOMMU_DRIVER_UNKNOWN, second_2m, first, k, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct iommu_hw_info_vtd vtd = { .cap_reg = cases[i].cap, .ecap_reg = cases[i].ecap };
                HwInfo info = { .driver = cases[i].driver, .page_size = cases[i].page_size };

                memcpy(info.data, &vtd, sizeof(vtd));
                info.data_length = sizeof(vtd);
                assert(page_sizes_of(&info) == cases[i].sizes);

                /* what an older kernel has not said is not read */
                info.data_length--;
                assert(page_sizes_of(&info) ==
                       (cases[i].driver == IOMMU_DRIVER_INTEL_VTD ? 0 : cases[i].sizes));
        }
}

static void test_emulated(void) {
        HwInfo info = {};

        answers = (Answers) { .info = ENOENT };
        assert(ask(DEVICE, &info) == 0);
        assert(info.asked && info.emulated && info.has == 0 && info.lacks == 0);
        assert(n_calls == 1);                /* nothing was tried */

        answers = (Answers) { .info = EIO };
        assert(ask(DEVICE, &info) == -EIO);
}

/* Whatever fails, nothing is left, and nothing is said that was not found out. */
static void test_failures(void) {
        HwInfo all, info;
        unsigned n;

        answers = (Answers) { .viommu = EOPNOTSUPP, .attach = ENODEV };
        type = IOMMU_HW_INFO_TYPE_INTEL_VTD;
        fail_at = 0;
        assert(ask(DEVICE, &all) == 0);
        n = n_calls;
        assert(n == 10);

        for (fail_at = 1; fail_at <= n; fail_at++) {
                if (ask(DEVICE, &info) < 0)
                        continue;
                assert((info.has & ~all.has) == 0 && (info.lacks & ~all.lacks) == 0);
        }
        fail_at = 0;
}

int main(void) {
        test_answers();
        test_page_sizes();
        test_emulated();
        test_failures();
        return 0;
}
