/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "core/dma.h"

static const char *const domain_kind_table[] = {
        [DOMAIN_PAGING] = "paging",
        [DOMAIN_NEST_PARENT] = "nest-parent",
        [DOMAIN_NESTED] = "nested",
};

DEFINE_STRING_TABLE(domain_kind, DomainKind, _DOMAIN_KIND_MAX);

static const char *const iommu_driver_table[] = {
        [IOMMU_DRIVER_UNKNOWN] = "unknown",
        [IOMMU_DRIVER_INTEL_VTD] = "intel-vtd",
        [IOMMU_DRIVER_ARM_SMMUV3] = "arm-smmuv3",
        [IOMMU_DRIVER_TEGRA241_CMDQV] = "tegra241-cmdqv",
        [IOMMU_DRIVER_AMD] = "amd",
};

DEFINE_STRING_TABLE(iommu_driver, IommuDriver, _IOMMU_DRIVER_MAX);

static const char *const iommu_feature_table[] = {
        [IOMMU_FEATURE_DIRTY_TRACKING] = "dirty_tracking",
        [IOMMU_FEATURE_NESTING] = "nesting",
        [IOMMU_FEATURE_PAGE_FAULTS] = "page_faults",
        [IOMMU_FEATURE_VIOMMU] = "viommu",
};

DEFINE_STRING_TABLE(iommu_feature, IommuFeature, _IOMMU_FEATURE_MAX);

static const char *const virtual_kind_table[] = {
        [VIRTUAL_IOMMU] = "viommu",
        [VIRTUAL_DEVICE] = "vdevice",
        [VIRTUAL_QUEUE] = "veventq",
};

DEFINE_STRING_TABLE(virtual_kind, VirtualKind, _VIRTUAL_KIND_MAX);

bool iommu_driver_is_hitless(IommuDriver driver) {
        switch (driver) {

        case IOMMU_DRIVER_ARM_SMMUV3:
        case IOMMU_DRIVER_TEGRA241_CMDQV:    /* an extension of it */
                return true;

        case IOMMU_DRIVER_UNKNOWN:
        case IOMMU_DRIVER_INTEL_VTD:         /* blocks the device first, then sets it up */
        case IOMMU_DRIVER_AMD:               /* detaches, then attaches */
        case _IOMMU_DRIVER_MAX:
        case _IOMMU_DRIVER_INVALID:
                break;
        }

        return false;
}

bool iommu_driver_can_return(IommuDriver driver) {
        switch (driver) {

        case IOMMU_DRIVER_INTEL_VTD:
        case IOMMU_DRIVER_ARM_SMMUV3:
        case IOMMU_DRIVER_TEGRA241_CMDQV:
        case IOMMU_DRIVER_AMD:
                return true;

        /* virtio-iommu is among these: it counts the devices of a domain wrong once an attach has failed */
        case IOMMU_DRIVER_UNKNOWN:
        case _IOMMU_DRIVER_MAX:
        case _IOMMU_DRIVER_INVALID:
                break;
        }

        return false;
}

size_t dirty_range_size(const DirtyRange *range) {
        uint64_t pages = (range->length - 1) / range->page_size + 1;

        return (size_t) ((pages - 1) / 64 + 1) * sizeof(uint64_t);
}

unsigned domain_options_features(const DomainOptions *options) {
        return (options->kind != DOMAIN_PAGING ? 1U << DOMAIN_FEATURE_NESTING : 0) |
               (options->dirty_tracking ? 1U << DOMAIN_FEATURE_DIRTY_TRACKING : 0) |
               (options->pasid ? 1U << DOMAIN_FEATURE_PASID : 0) |
               (options->fault_queue ? 1U << DOMAIN_FEATURE_FAULT_QUEUE : 0);
}
