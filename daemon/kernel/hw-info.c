/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/ioctl.h>

#include "base/fd.h"
#include "core/kernel.h"
#include "kernel/hw-info.h"
#include "kernel/page-sizes.h"
#include "kernel/uapi.h"

static IommuDriver driver_of_type(uint32_t type) {
        switch (type) {

        case IOMMU_HW_INFO_TYPE_INTEL_VTD:
                return IOMMU_DRIVER_INTEL_VTD;
        case IOMMU_HW_INFO_TYPE_ARM_SMMUV3:
                return IOMMU_DRIVER_ARM_SMMUV3;
        case IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV:
                return IOMMU_DRIVER_TEGRA241_CMDQV;
        case IOMMU_HW_INFO_TYPE_AMD:
                return IOMMU_DRIVER_AMD;

        default:
                return IOMMU_DRIVER_UNKNOWN;
        }
}

static void set_feature(HwInfo *info, IommuFeature feature, bool has) {
        if (has)
                info->has |= 1U << feature;
        else
                info->lacks |= 1U << feature;
}

/*
 * Without a fault point, unlike all other calls: nothing is changed, or nothing is left of what is made
 * here, and what fails is not known then.
 */
static int try_ioctl(int fd, unsigned long request, void *argument) {
        int r;

        do
                r = ioctl(fd, request, argument);
        while (r < 0 && errno == EINTR);

        return r < 0 ? -errno : r;
}

int hw_info_read(int context, uint32_t device, HwInfo *ret, KernelFailure *reterr) {
        HwInfo info = { .asked = true };
        struct iommu_hw_info query = {
                .size = sizeof(query),
                .dev_id = device,
                .data_len = sizeof(info.data),
                .data_uptr = (uintptr_t) info.data,
        };
        int r;

        r = try_ioctl(context, IOMMU_GET_HW_INFO, &query);
        if (r == -ENOENT) {
                /* it was bound a moment ago, so that this says that no IOMMU stands behind it */
                *ret = (HwInfo) { .asked = true, .emulated = true };
                return 0;
        }
        if (r < 0)
                return kernel_failure(reterr, r, "ioctl IOMMU_GET_HW_INFO");

        info.type = query.out_data_type;
        info.driver = driver_of_type(query.out_data_type);
        info.dirty_tracking = query.out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING;
        set_feature(&info, IOMMU_FEATURE_DIRTY_TRACKING, info.dirty_tracking);
        info.pasid_log2 = query.out_max_pasid_log2;
        info.pasid_execute = query.out_capabilities & IOMMU_HW_CAP_PCI_PASID_EXEC;
        info.pasid_privileged = query.out_capabilities & IOMMU_HW_CAP_PCI_PASID_PRIV;
        /* what the kernel has beyond that, it has not written */
        info.data_length = query.data_len < sizeof(info.data) ? query.data_len : sizeof(info.data);
        *ret = info;
        return 0;
}

/* ---- trying */

typedef struct Probe {
        int context;
        uint32_t id;                         /* of the device in it */
        uint32_t ioas;
        HwInfo *info;
} Probe;

static void drop(const Probe *probe, uint32_t id) {
        struct iommu_destroy destroy = { .size = sizeof(destroy), .id = id };

        (void) try_ioctl(probe->context, IOMMU_DESTROY, &destroy);
}

static int try_domain(const Probe *probe, uint32_t flags, uint32_t queue, uint32_t *ret) {
        struct iommu_hwpt_alloc alloc = {
                .size = sizeof(alloc),
                .flags = flags,
                .dev_id = probe->id,
                .pt_id = probe->ioas,
                .fault_id = queue,
        };
        int r;

        r = try_ioctl(probe->context, IOMMU_HWPT_ALLOC, &alloc);
        if (r >= 0)
                *ret = alloc.out_hwpt_id;
        return r;
}

/* Without a device that is attached the ranges are those of the domain alone. */
static void probe_aperture(const Probe *probe) {
        struct iommu_iova_range range;
        struct iommu_ioas_iova_ranges query = {
                .size = sizeof(query),
                .ioas_id = probe->ioas,
                .num_iovas = 1,
                .allowed_iovas = (uintptr_t) &range,
        };
        uint32_t domain;

        if (try_domain(probe, 0, 0, &domain) < 0)
                return;

        if (try_ioctl(probe->context, IOMMU_IOAS_IOVA_RANGES, &query) >= 0 && query.num_iovas == 1) {
                probe->info->aperture = (IovaRange) { .first = range.start, .last = range.last };
                probe->info->page_size = query.out_iova_alignment;
                probe->info->page_sizes = page_sizes_of(probe->info);
        }
        drop(probe, domain);
}

static void probe_nesting(const Probe *probe) {
        uint32_t domain;
        int r;

        r = try_domain(probe, IOMMU_HWPT_ALLOC_NEST_PARENT, 0, &domain);
        if (r >= 0)
                drop(probe, domain);
        if (r >= 0 || r == -EOPNOTSUPP)
                set_feature(probe->info, IOMMU_FEATURE_NESTING, r >= 0);
}

/*
 * The kernel looks for the parent domain, of which there is none, when it knows that the driver has this
 * type. Types of drivers that don't say who they are can't be known here.
 */
static void probe_viommu(const Probe *probe) {
        static const uint32_t types[] = { IOMMU_VIOMMU_TYPE_ARM_SMMUV3, IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV };
        bool known = probe->info->driver != IOMMU_DRIVER_UNKNOWN;

        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                struct iommu_viommu_alloc alloc = {
                        .size = sizeof(alloc),
                        .type = types[i],
                        .dev_id = probe->id,
                };
                int r;

                r = try_ioctl(probe->context, IOMMU_VIOMMU_ALLOC, &alloc);
                if (r == -ENOENT) {
                        set_feature(probe->info, IOMMU_FEATURE_VIOMMU, true);
                        return;
                }
                known = known && (r == -EOPNOTSUPP || r == -ENOTTY);
        }

        /* AMD's has a type that is newer than our header */
        if (known && probe->info->driver != IOMMU_DRIVER_AMD)
                set_feature(probe->info, IOMMU_FEATURE_VIOMMU, false);
}

/* That the domain can be made says little: only an attach asks the device. */
static void probe_attach(const Probe *probe, int device, uint32_t domain) {
        struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach), .pt_id = domain };
        struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };
        int r;

        r = try_ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
        if (r >= 0)
                (void) try_ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
        if (r >= 0 || r == -ENODEV || r == -EOPNOTSUPP)
                set_feature(probe->info, IOMMU_FEATURE_PAGE_FAULTS, r >= 0);
}

static void probe_faults(const Probe *probe, int device) {
        struct iommu_fault_alloc alloc = { .size = sizeof(alloc) };
        uint32_t domain;
        int r;

        r = try_ioctl(probe->context, IOMMU_FAULT_QUEUE_ALLOC, &alloc);
        if (r >= 0) {
                _cleanup_close_ _unused_ int queue = (int) alloc.out_fault_fd;

                r = try_domain(probe, IOMMU_HWPT_FAULT_ID_VALID, alloc.out_fault_id, &domain);
                if (r >= 0 && device >= 0)
                        probe_attach(probe, device, domain);
                if (r >= 0)
                        drop(probe, domain);
        }
        if (alloc.out_fault_id != 0)
                drop(probe, alloc.out_fault_id);
        if (r == -EOPNOTSUPP || r == -ENOTTY)
                set_feature(probe->info, IOMMU_FEATURE_PAGE_FAULTS, false);
}

void hw_info_probe(int context, uint32_t id, int device, HwInfo *info) {
        struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
        Probe probe = { .context = context, .id = id, .info = info };

        if (info->emulated || try_ioctl(context, IOMMU_IOAS_ALLOC, &alloc) < 0)
                return;

        probe.ioas = alloc.out_ioas_id;
        probe_aperture(&probe);
        probe_nesting(&probe);
        probe_viommu(&probe);
        probe_faults(&probe, device);
        drop(&probe, probe.ioas);
}
