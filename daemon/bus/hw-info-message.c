/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bus/hw-info-message.h"
#include "bus/property.h"

static int append_features(sd_bus_message *message, const HwInfo *info) {
        for (int i = 0; i < _IOMMU_FEATURE_MAX; i++) {
                unsigned bit = 1U << i;
                int r;

                if (!((info->has | info->lacks) & bit))
                        continue;
                r = append_entry(message, iommu_feature_to_string(i), "b", (int) !!(info->has & bit));
                if (r < 0)
                        return r;
        }

        return 0;
}

static int append_pasids(sd_bus_message *message, const HwInfo *info) {
        int r;

        if (!info->asked && !info->no_pasids)
                return 0;

        r = append_entry(message, "pasids", "u",
                         info->pasid_log2 > 0 ? (UINT32_C(1) << info->pasid_log2) - 1 : 0);
        if (r < 0 || info->pasid_log2 == 0)
                return r;

        r = append_entry(message, "pasid_execute", "b", (int) info->pasid_execute);
        if (r < 0)
                return r;

        return append_entry(message, "pasid_privileged", "b", (int) info->pasid_privileged);
}

static int append_addresses(sd_bus_message *message, const HwInfo *info) {
        int r;

        if (info->aperture.last > 0) {
                r = append_entry(message, "aperture", "(tt)", info->aperture.first, info->aperture.last);
                if (r < 0)
                        return r;
        }

        if (info->page_size > 0) {
                r = append_entry(message, "page_size", "t", info->page_size);
                if (r < 0)
                        return r;
        }

        return info->page_sizes > 0 ? append_entry(message, "page_sizes", "t", info->page_sizes) : 0;
}

int hw_info_append(sd_bus_message *message, const HwInfo *info) {
        int r;

        if (info->asked) {
                r = append_entry(message, "emulated", "b", (int) info->emulated);
                if (r < 0 || info->emulated)
                        return r;
        }

        if (info->driver != IOMMU_DRIVER_UNKNOWN) {
                r = append_entry(message, "driver", "s", iommu_driver_to_string(info->driver));
                if (r >= 0)
                        r = append_entry(
                                message, "hitless", "b", (int) iommu_driver_is_hitless(info->driver));
                if (r < 0)
                        return r;
        }

        r = append_features(message, info);
        if (r < 0)
                return r;

        r = append_pasids(message, info);
        if (r < 0)
                return r;

        return append_addresses(message, info);
}

int hw_info_append_data(sd_bus_message *message, const HwInfo *info) {
        int r;

        r = append_entry(message, "type", "u", info->type);
        return r < 0 ? r : append_bytes_entry(message, "data", info->data, info->data_length);
}
