/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "hw-info.h"
#include "lease-call.h"
#include "public.h"
#include "text.h"

typedef struct Feature {
        char *name;
        bool there;
} Feature;

struct iommud_hw_info {
        char *iommu;
        char *driver;
        Feature *features;              /* whatever is said to be or not to be, also by a newer iommud */
        size_t n_features;
        KnownNumber pasids;
        KnownRange aperture;
        uint64_t page_size, page_sizes;
        uint32_t type;
        Bytes data;
};

static const Field hw_info_fields[] = {
        { "iommu",     &field_text,         offsetof(iommud_hw_info, iommu),     .optional = true },
        { "driver",    &field_text,         offsetof(iommud_hw_info, driver),    .optional = true },
        { "pasids",    &field_known_number, offsetof(iommud_hw_info, pasids),    .optional = true },
        { "aperture",  &field_range,        offsetof(iommud_hw_info, aperture),  .optional = true },
        { "page_size", &field_u64,          offsetof(iommud_hw_info, page_size), .optional = true },
        { "page_sizes", &field_u64,         offsetof(iommud_hw_info, page_sizes), .optional = true },
        { "type",      &field_u32,          offsetof(iommud_hw_info, type),      .optional = true },
        { "data",      &field_bytes,        offsetof(iommud_hw_info, data),      .optional = true },
};

static int read_feature(sd_bus_message *m, const char *key, void *record) {
        iommud_hw_info *info = record;
        const char *contents;
        Feature *feature;
        int r, there;
        char type;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        if (type != 'v' || !contents || strcmp(contents, "b") != 0)
                return sd_bus_message_skip(m, "v");

        r = sd_bus_message_read(m, "v", "b", &there);
        if (r < 0)
                return r;

        r = array_grow(&info->features, info->n_features, sizeof(*info->features));
        if (r < 0)
                return r;

        feature = &info->features[info->n_features++];
        feature->there = there;
        feature->name = text_dup(key);
        return feature->name ? 0 : -ENOMEM;
}

static void done_features(void *record) {
        iommud_hw_info *info = record;

        for (size_t i = 0; i < info->n_features; i++)
                free(info->features[i].name);
        free(info->features);
}

static const RecordType hw_info_type = {
        .fields = hw_info_fields,
        .n_fields = ELEMENTSOF(hw_info_fields),
        .size = sizeof(iommud_hw_info),
        .read_other = read_feature,
        .done_other = done_features,
};

static int read_hw_info(sd_bus_message *m, void *field) {
        return record_read(m, &hw_info_type, field);
}

static void done_hw_info(void *field) {
        record_free(&hw_info_type, *(void **) field);
}

const FieldType field_hw_info = { "a{sv}", read_hw_info, done_hw_info };

_public_ int iommud_get_hw_info(
                iommud_client *client, uint64_t lease, const char *device, iommud_hw_info **ret_info) {

        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r;

        if (!device || !ret_info)
                return -EINVAL;

        r = lease_prepare(client, lease, "HwInfo", &m);
        if (r < 0)
                return r;
        r = lease_call(client, lease, sd_bus_message_append(m, "s", device), m, "a{sv}", &reply);
        if (r != 0)
                return r;

        return client_reply_read(client, "HwInfo", read_hw_info(reply, ret_info));
}

_public_ void iommud_hw_info_free(iommud_hw_info *info) {
        record_free(&hw_info_type, info);
}

DEFINE_GETTER_TEXT(hw_info, iommu);
DEFINE_GETTER_TEXT(hw_info, driver);
DEFINE_GETTER(hw_info, uint64_t, page_size, 0);
DEFINE_GETTER(hw_info, uint64_t, page_sizes, 0);

_public_ int iommud_hw_info_has(const iommud_hw_info *info, const char *feature, bool *ret) {
        if (!feature || !ret)
                return -EINVAL;

        for (size_t i = 0; info && i < info->n_features; i++)
                if (strcmp(info->features[i].name, feature) == 0) {
                        *ret = info->features[i].there;
                        return 0;
                }

        return -ENODATA;
}

_public_ int iommud_hw_info_pasids(const iommud_hw_info *info, uint32_t *ret_n) {
        if (!ret_n)
                return -EINVAL;
        if (!info || !info->pasids.known)
                return -ENODATA;

        *ret_n = info->pasids.number;
        return 0;
}

_public_ int iommud_hw_info_aperture(const iommud_hw_info *info, uint64_t *ret_first, uint64_t *ret_last) {
        if (!ret_first || !ret_last)
                return -EINVAL;
        if (!info || !info->aperture.known)
                return -ENODATA;

        *ret_first = info->aperture.first;
        *ret_last = info->aperture.last;
        return 0;
}

_public_ const void *iommud_hw_info_data(const iommud_hw_info *info, uint32_t *ret_type, size_t *ret_size) {
        if (ret_type)
                *ret_type = info ? info->type : 0;
        if (ret_size)
                *ret_size = info ? info->data.size : 0;
        return info && info->data.size > 0 ? info->data.data : NULL;
}
