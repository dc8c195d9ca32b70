/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "kernel/page-sizes.h"
#include "kernel/uapi.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* Of Intel's specification, 11.4.2 and 11.4.3 */
#define VTD_CAP_SECOND_2M (UINT64_C(1) << 34)
#define VTD_CAP_SECOND_1G (UINT64_C(1) << 35)
#define VTD_CAP_FIRST_1G (UINT64_C(1) << 56)
#define VTD_ECAP_FIRST (UINT64_C(1) << 47)

/*
 * The driver has the first stage translate where it may, which is a question of its mode too, and nobody
 * tells that: only what both stages have is known. The first one always has 2 MiB.
 */
static uint64_t vtd_sizes(const HwInfo *info) {
        struct iommu_hw_info_vtd vtd;
        uint64_t sizes = 4 * KIB;
        bool first;

        if (info->data_length < sizeof(vtd) || info->page_size != 4 * KIB)
                return 0;

        memcpy(&vtd, info->data, sizeof(vtd));
        first = vtd.ecap_reg & VTD_ECAP_FIRST;
        if (vtd.cap_reg & VTD_CAP_SECOND_2M)
                sizes += 2 * MIB;
        if ((vtd.cap_reg & VTD_CAP_SECOND_1G) && (!first || (vtd.cap_reg & VTD_CAP_FIRST_1G)))
                sizes += GIB;
        return sizes;
}

/* All follow from the smallest, of which an SMMU may have several, and the driver has chosen one. */
static uint64_t smmu_sizes(const HwInfo *info) {
        switch (info->page_size) {

        case 4 * KIB:
                return 4 * KIB + 2 * MIB + GIB;
        case 16 * KIB:
                return 16 * KIB + 32 * MIB;
        case 64 * KIB:
                return 64 * KIB + 512 * MIB;

        default:
                return 0;
        }
}

uint64_t page_sizes_of(const HwInfo *info) {
        switch (info->driver) {

        case IOMMU_DRIVER_INTEL_VTD:
                return vtd_sizes(info);
        case IOMMU_DRIVER_ARM_SMMUV3:
        case IOMMU_DRIVER_TEGRA241_CMDQV:
                return smmu_sizes(info);

        case IOMMU_DRIVER_AMD:               /* they are a matter of its driver's parameters */
        case IOMMU_DRIVER_UNKNOWN:
        case _IOMMU_DRIVER_MAX:
        case _IOMMU_DRIVER_INVALID:
                break;
        }

        return 0;
}
