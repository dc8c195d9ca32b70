/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>

#include "bytes.h"
#include "cli.h"
#include "iommu-text.h"
#include "label.h"
#include "to-json.h"

static const struct {
        const char *name, *text;
} features[] = {
        { "dirty_tracking", "dirty tracking" },
        { "nesting", "nesting" },
        { "page_faults", "page faults" },
        { "viommu", "virtual IOMMUs" },
};

static bool has(const iommud_hw_info *info, const char *feature) {
        bool there;

        return iommud_hw_info_has(info, feature, &there) == 0 && there;
}

static IommuKnown feature_known(const iommud_hw_info *info, const char *feature) {
        bool there;

        if (iommud_hw_info_has(info, feature, &there) < 0)
                return IOMMU_UNKNOWN;

        return there ? IOMMU_HAS : IOMMU_LACKS;
}

static void print_pasids(FILE *f, const iommud_hw_info *info, uint32_t n) {
        bool execute = has(info, "pasid_execute"), privileged = has(info, "pasid_privileged");

        fprintf(f, "PASIDs 1 to %u", n);
        if (execute || privileged)
                fprintf(f, " (%s%s%s)", execute ? "execute" : "", execute && privileged ? ", " : "",
                        privileged ? "privileged" : "");
}

char *iommu_features(const iommud_hw_info *info, IommuKnown known) {
        const char *separator = "";
        IommuKnown pasids;
        char *text = NULL;
        uint32_t n = 0;
        size_t size;
        FILE *f;

        f = need(open_memstream(&text, &size));
        for (size_t i = 0; i < ELEMENTSOF(features); i++)
                if (feature_known(info, features[i].name) == known) {
                        fprintf(f, "%s%s", separator, features[i].text);
                        separator = ", ";
                }

        pasids = iommud_hw_info_pasids(info, &n) < 0 ? IOMMU_UNKNOWN : n > 0 ? IOMMU_HAS : IOMMU_LACKS;
        if (pasids == known) {
                fputs(separator, f);
                if (known == IOMMU_HAS)
                        print_pasids(f, info, n);
                else
                        fputs("PASIDs", f);
        }

        if (fclose(f) != 0)
                need(NULL);
        return text;
}

static char *page_sizes_text(const iommud_hw_info *info) {
        uint64_t sizes = iommud_hw_info_page_sizes(info);
        char *text;

        text = print_bytes(iommud_hw_info_page_size(info));
        if (sizes == 0) {
                _cleanup_free_ char *smallest = text;

                return print_string("%s and more", smallest);
        }

        for (sizes &= ~iommud_hw_info_page_size(info); sizes > 0; sizes &= sizes - 1) {
                _cleanup_free_ char *before = text, *size = print_bytes(sizes & -sizes);

                text = print_string("%s, %s", before, size);
        }

        return text;
}

char *iommu_addresses(const iommud_hw_info *info) {
        _cleanup_free_ char *pages = NULL;
        uint64_t first, last;

        if (iommud_hw_info_aperture(info, &first, &last) < 0)
                return print_string("%s", "");

        pages = page_sizes_text(info);
        return print_string("0x%" PRIx64 " to 0x%" PRIx64 ", in pages of %s", first, last, pages);
}

void print_iommu(const char *iommu, const iommud_hw_info *info) {
        const char *driver = iommud_hw_info_driver(info);

        print_line_take("IOMMU", print_string("%s%s%s", iommu, *driver ? ", " : "", driver));
        if (has(info, "emulated")) {
                print_line("IOMMU has", "nothing: the kernel itself maps for this device");
                return;
        }

        print_line_take("IOMMU has", iommu_features(info, IOMMU_HAS));
        print_line_take("IOMMU has no", iommu_features(info, IOMMU_LACKS));
        print_line_take("Not known yet", iommu_features(info, IOMMU_UNKNOWN));
        print_line_take("IOMMU translates", iommu_addresses(info));
}

char *hex_text(const void *data, size_t size) {
        static const char digits[] = "0123456789abcdef";
        const unsigned char *bytes = data;
        char *text;

        text = need(calloc(size + 1, 2));
        for (size_t i = 0; i < size; i++) {
                text[2 * i] = digits[bytes[i] >> 4];
                text[2 * i + 1] = digits[bytes[i] & 0xf];
        }

        return text;
}

static json_object *json_from_page_sizes(const iommud_hw_info *info) {
        uint64_t sizes = iommud_hw_info_page_sizes(info);
        json_object *array;

        if (sizes == 0)
                return NULL;

        array = need(json_object_new_array());
        for (; sizes > 0; sizes &= sizes - 1)
                json_array_put(array, need(json_object_new_uint64(sizes & -sizes)));
        return array;
}

static void put_flag(json_object *o, const iommud_hw_info *info, const char *name) {
        IommuKnown known = feature_known(info, name);

        json_put(o, name, known == IOMMU_UNKNOWN ? /* null */ NULL
                                                 : need(json_object_new_boolean(known == IOMMU_HAS)));
}

json_object *json_from_iommu(const iommud_hw_info *info) {
        static const char *const more[] = { "pasid_execute", "pasid_privileged", "hitless", "emulated" };
        json_object *o = need(json_object_new_object()), *aperture = NULL;
        uint64_t first, last;
        uint32_t n;

        json_put_string(o, "driver", iommud_hw_info_driver(info));
        for (size_t i = 0; i < ELEMENTSOF(features); i++)
                put_flag(o, info, features[i].name);
        json_put(o, "pasids",
                 iommud_hw_info_pasids(info, &n) < 0 ? /* null */ NULL : need(json_object_new_uint64(n)));
        for (size_t i = 0; i < ELEMENTSOF(more); i++)
                put_flag(o, info, more[i]);

        if (iommud_hw_info_aperture(info, &first, &last) == 0) {
                aperture = need(json_object_new_object());
                json_put_number(aperture, "first", first);
                json_put_number(aperture, "last", last);
        }
        json_put(o, "aperture", aperture);
        json_put_number(o, "page_size", iommud_hw_info_page_size(info));
        json_put(o, "page_sizes", json_from_page_sizes(info));
        return o;
}
