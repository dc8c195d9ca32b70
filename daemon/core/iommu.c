/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "core/device.h"
#include "core/group.h"
#include "core/iommu.h"
#include "core/manager.h"

static int iommu_compare(const void *key, const void *item) {
        const IommuFacts *iommu = item;

        return strcmp(key, iommu->name);
}

int manager_add_iommu(Manager *manager, const IommuFacts *facts) {
        _cleanup_free_ IommuFacts *iommu = NULL;
        int r;

        iommu = malloc(sizeof(*iommu));
        if (!iommu)
                return -ENOMEM;

        *iommu = *facts;
        r = ptr_array_insert(&manager->iommus, iommu->name, iommu, iommu_compare);
        if (r < 0)
                return r == -EEXIST ? 0 : r;

        (void) TAKE_PTR(iommu);
        return 0;
}

HwInfo device_known_info(const Device *device) {
        const IommuFacts *iommu;

        if (device->info)
                return *device->info;

        iommu = ptr_array_find(&device->group->manager->iommus, device->facts.iommu, iommu_compare);
        if (!iommu)
                return (HwInfo) {};

        return (HwInfo) { .driver = iommu->driver, .lacks = iommu->lacks, .no_pasids = iommu->no_pasids };
}
