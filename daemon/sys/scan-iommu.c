/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/parse.h"
#include "sys/attribute.h"
#include "sys/scan-iommu.h"

#define IOMMUS_DIR "class/iommu"

/* Of the extended capabilities of VT-d, as its specification numbers the bits. */
#define ECAP_NEST (UINT64_C(1) << 26)
#define ECAP_PAGE_REQUESTS (UINT64_C(1) << 29)
#define ECAP_PASID (UINT64_C(1) << 40)
#define ECAP_SCALABLE (UINT64_C(1) << 43)
#define ECAP_SECOND_LEVEL_DIRTY (UINT64_C(1) << 45)

/* All of these are in use in scalable mode alone. */
static void read_vtd(uint64_t ecap, IommuFacts *facts) {
        static const struct {
                uint64_t bit;
                IommuFeature feature;
        } features[] = {
                { ECAP_NEST, IOMMU_FEATURE_NESTING },
                { ECAP_PAGE_REQUESTS, IOMMU_FEATURE_PAGE_FAULTS },
                { ECAP_SECOND_LEVEL_DIRTY, IOMMU_FEATURE_DIRTY_TRACKING },
        };

        for (size_t i = 0; i < ELEMENTSOF(features); i++)
                if ((~ecap & (ECAP_SCALABLE | features[i].bit)) != 0)
                        facts->lacks |= 1U << features[i].feature;
        facts->no_pasids = (~ecap & (ECAP_SCALABLE | ECAP_PASID)) != 0;
}

static int parse_ecap(const char *text, uint64_t *ret) {
        uint32_t high = 0, low;
        size_t length = strlen(text);
        char part[9] = "";

        /* without "0x" and leading zeros, of 64 bits at most */
        if (length == 0 || length > 16)
                return -EINVAL;
        if (length > 8) {
                memcpy(part, text, length - 8);
                if (parse_hex_u32(part, &high) < 0)
                        return -EINVAL;
                text += length - 8;
        }
        if (parse_hex_u32(text, &low) < 0)
                return -EINVAL;

        *ret = (uint64_t) high << 32 | low;
        return 0;
}

static void read_iommu(int iommus, IommuFacts *facts) {
        char path[sizeof(facts->name) + 32], text[32];
        uint64_t ecap;

        snprintf(path, sizeof(path), "%s/amd-iommu", facts->name);
        if (faccessat(iommus, path, F_OK, 0) >= 0)
                facts->driver = IOMMU_DRIVER_AMD;

        snprintf(path, sizeof(path), "%s/intel-iommu", facts->name);
        if (faccessat(iommus, path, F_OK, 0) < 0)
                return;

        facts->driver = IOMMU_DRIVER_INTEL_VTD;
        snprintf(path, sizeof(path), "%s/intel-iommu/ecap", facts->name);
        attribute_read(iommus, path, text, sizeof(text));
        if (parse_ecap(text, &ecap) >= 0)
                read_vtd(ecap, facts);
}

int scan_iommus(int sysfs, int (*on_iommu)(const IommuFacts *facts, void *userdata), void *userdata) {
        _cleanup_dir_ Dir *iommus = NULL;
        const char *entry;
        int r;

        r = dir_open_at(sysfs, IOMMUS_DIR, &iommus);
        if (r < 0)
                return r == -ENOENT ? 0 : r;         /* there is none */

        for (;;) {
                IommuFacts facts = {};

                r = dir_next(iommus, &entry);
                if (r != DIR_ENTRY)
                        return r;
                if (copy_string(facts.name, sizeof(facts.name), entry) < 0)
                        continue;

                read_iommu(dir_fd(iommus), &facts);
                r = on_iommu(&facts, userdata);
                if (r < 0)
                        return r;
        }
}
