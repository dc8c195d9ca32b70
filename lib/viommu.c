/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/fd.h"
#include "domain-options.h"
#include "lease-call.h"
#include "names.h"
#include "public.h"
#include "record.h"

/* What comes with the handle of a new thing. */
typedef struct Details {
        uint32_t id;
        Bytes data;
} Details;

static const Field details_fields[] = {
        { "id",   &field_u32,   offsetof(Details, id),   .optional = true },
        { "data", &field_bytes, offsetof(Details, data), .optional = true },
};

static const RecordType details_type = { details_fields, ELEMENTSOF(details_fields), sizeof(Details) };

static void details_free(Details *details) {
        record_free(&details_type, details);
}

DEFINE_CLEANUP_FUNC(Details, details_free);

static int append_options(
                sd_bus_message *m, uint32_t type, const void *data, size_t size, const uint32_t *depth) {

        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", IOMMUD_DOMAIN_TYPE, "u", type);
        if (r >= 0 && depth)
                r = sd_bus_message_append(m, "{sv}", IOMMUD_DOMAIN_DEPTH, "u", *depth);
        if (r >= 0 && size > 0)
                r = message_append_bytes(m, IOMMUD_DOMAIN_DATA, data, size);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

_public_ int iommud_alloc_viommu(
                iommud_client *client, uint64_t lease, const char *device, uint64_t parent, uint32_t type,
                void *data, size_t size, uint64_t *ret_viommu, uint32_t *ret_id) {

        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_(details_freep) Details *details = NULL;
        uint64_t viommu = 0;
        int r;

        if (!device || !ret_viommu || (!data && size > 0))
                return -EINVAL;
        if (size > DATA_MAX)
                return -E2BIG;

        r = lease_prepare(client, lease, "AllocViommu", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "st", device, parent);
        if (r >= 0)
                r = append_options(m, type, data, size, /* depth= */ NULL);
        r = lease_call(client, lease, r, m, "ta{sv}", &reply);
        if (r != 0)
                return r;

        r = sd_bus_message_read(reply, "t", &viommu);
        if (r >= 0)
                r = record_read(reply, &details_type, (void **) &details);
        /* it answers in as many bytes as it was asked in */
        if (r >= 0 && details->data.size != size)
                r = -EBADMSG;
        r = client_reply_read(client, "AllocViommu", r);
        if (r < 0)
                return r;

        if (size > 0)
                memcpy(data, details->data.data, size);
        *ret_viommu = viommu;
        if (ret_id)
                *ret_id = details->id;
        return 0;
}

_public_ int iommud_alloc_vdevice(
                iommud_client *client, uint64_t lease, const char *device, uint64_t viommu, uint64_t number,
                uint64_t *ret_vdevice, uint32_t *ret_id) {

        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_(details_freep) Details *details = NULL;
        uint64_t vdevice = 0;
        int r;

        if (!device || !ret_vdevice)
                return -EINVAL;

        r = lease_prepare(client, lease, "AllocVdevice", &m);
        if (r < 0)
                return r;
        r = lease_call(client, lease, sd_bus_message_append(m, "stt", device, viommu, number), m, "ta{sv}",
                       &reply);
        if (r != 0)
                return r;

        r = sd_bus_message_read(reply, "t", &vdevice);
        if (r >= 0)
                r = record_read(reply, &details_type, (void **) &details);
        r = client_reply_read(client, "AllocVdevice", r);
        if (r < 0)
                return r;

        *ret_vdevice = vdevice;
        if (ret_id)
                *ret_id = details->id;
        return 0;
}

_public_ int iommud_alloc_veventq(
                iommud_client *client, uint64_t lease, uint64_t viommu, uint32_t type, uint32_t depth,
                uint64_t *ret_queue, uint32_t *ret_id, int *ret_fd) {

        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_(details_freep) Details *details = NULL;
        _cleanup_close_ int fd = -EBADF;
        uint64_t queue = 0;
        int r;

        if (!ret_queue || !ret_fd)
                return -EINVAL;

        r = lease_prepare(client, lease, "AllocVeventq", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "t", viommu);
        if (r >= 0)
                r = append_options(m, type, /* data= */ NULL, 0, depth > 0 ? &depth : NULL);
        r = lease_call(client, lease, r, m, "ta{sh}a{sv}", &reply);
        if (r != 0)
                return r;

        r = sd_bus_message_read(reply, "t", &queue);
        if (r >= 0)
                r = message_read_fd(reply, IOMMUD_FD_EVENT_QUEUE, &fd);
        if (r >= 0)
                r = record_read(reply, &details_type, (void **) &details);
        if (r >= 0 && fd < 0)
                r = -EBADMSG;
        r = client_reply_read(client, "AllocVeventq", r);
        if (r < 0)
                return r;

        *ret_queue = queue;
        *ret_fd = TAKE_FD(fd);
        if (ret_id)
                *ret_id = details->id;
        return 0;
}
