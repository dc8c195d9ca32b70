/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-c/json.h>

#include "iommud.h"

/* Which features of an IOMMU are listed. */
typedef enum IommuKnown {
        IOMMU_HAS,
        IOMMU_LACKS,
        IOMMU_UNKNOWN,
} IommuKnown;

/* "dirty tracking, PASIDs 1 to 1023 (execute)"; "" for none. */
char *iommu_features(const iommud_hw_info *info, IommuKnown known);

/*
 * "0x0 to 0xffffffffffff, in pages of 4 KiB, 2 MiB"; "in pages of 4 KiB and more": of bigger ones nothing is
 * known; "": of all of it.
 */
char *iommu_addresses(const iommud_hw_info *info);

/* All of it, for people. @iommu is the instance. */
void print_iommu(const char *iommu, const iommud_hw_info *info);

/* "00ff10" */
char *hex_text(const void *data, size_t size);

/* Every feature, null for what is not known. */
json_object *json_from_iommu(const iommud_hw_info *info);
