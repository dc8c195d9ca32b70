/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bus/error.h"
#include "bus/operation-reply.h"
#include "bus/property.h"
#include "core/operation.h"
#include "names.h"

static int append_id(sd_bus_message *reply, const Operation *operation) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{sv}");
        if (r < 0)
                return r;

        if (operation->kernel_id != 0) {
                r = append_entry(reply, "id", "u", operation->kernel_id);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(reply);
}

static int append_handle(sd_bus_message *reply, const Operation *operation) {
        int r;

        r = sd_bus_message_append(reply, "t", operation->handle);
        if (r < 0)
                return r;

        return append_id(reply, operation);
}

static int append_alloc_domain(sd_bus_message *reply, const Operation *operation) {
        int r;

        r = sd_bus_message_append(reply, "t", operation->handle);
        if (r < 0)
                return r;

        r = operation->fd >= 0
                    ? sd_bus_message_append(reply, "a{sh}", 1, IOMMUD_FD_FAULT_QUEUE, operation->fd)
                    : sd_bus_message_append(reply, "a{sh}", 0);
        if (r < 0)
                return r;

        return append_id(reply, operation);
}

/* What the driver has answered. */
static int append_viommu_details(sd_bus_message *reply, const Operation *operation) {
        const VirtualSpec *spec = &operation->virtual;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{sv}");
        if (r >= 0 && operation->kernel_id != 0)
                r = append_entry(reply, "id", "u", operation->kernel_id);
        if (r >= 0 && spec->data_length > 0)
                r = append_bytes_entry(reply, "data", spec->data, spec->data_length);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_alloc_viommu(sd_bus_message *reply, const Operation *operation) {
        int r;

        r = sd_bus_message_append(reply, "t", operation->handle);
        if (r < 0)
                return r;

        return append_viommu_details(reply, operation);
}

static int append_alloc_veventq(sd_bus_message *reply, const Operation *operation) {
        int r;

        r = sd_bus_message_append(
                reply, "ta{sh}", operation->handle, 1, IOMMUD_FD_EVENT_QUEUE, operation->fd);
        if (r < 0)
                return r;

        return append_id(reply, operation);
}

static int append_attach(sd_bus_message *reply, const Operation *operation) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{sv}");
        if (r < 0)
                return r;

        r = append_entry(reply, "replaced", "b", (int) operation->replaced);
        if (r < 0)
                return r;

        if (operation->pasid != PASID_NONE) {
                r = append_entry(reply, "pasid", "u", operation->pasid);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(reply);
}

static int append_nothing(sd_bus_message *reply, const Operation *operation) {
        return 0;
}

static int append_map(sd_bus_message *reply, const Operation *operation) {
        return sd_bus_message_append(reply, "t", operation->map.iova);
}

static int append_unmap(sd_bus_message *reply, const Operation *operation) {
        return sd_bus_message_append(reply, "t", operation->length);
}

static int append_bitmap(sd_bus_message *reply, const Operation *operation) {
        return sd_bus_message_append(reply, "h", operation->fd);
}

static const char *get_not_reset(const void *object, size_t i) {
        const Operation *operation = object;

        return i < operation->n_not_reset ? operation->not_reset[i] : NULL;
}

static int append_not_reset(sd_bus_message *reply, const void *object) {
        return append_strings(reply, get_not_reset, object);
}

static int append_revoke(sd_bus_message *reply, const Operation *operation) {
        static const Property details[] = {
                { "not_reset", "as", append_not_reset },
        };

        return property_append_all(details, ELEMENTSOF(details), reply, operation);
}

int operation_reply(sd_bus_message *call, const Operation *operation) {
        static int (*const append[])(sd_bus_message *reply, const Operation *operation) = {
                [OPERATION_ALLOC_IOAS] = append_handle,
                [OPERATION_ALLOC_DOMAIN] = append_alloc_domain,
                [OPERATION_ALLOC_VIOMMU] = append_alloc_viommu,
                [OPERATION_ALLOC_VDEVICE] = append_handle,
                [OPERATION_ALLOC_VEVENTQ] = append_alloc_veventq,
                [OPERATION_ATTACH] = append_attach,
                [OPERATION_DETACH] = append_nothing,
                [OPERATION_DESTROY] = append_nothing,
                [OPERATION_MAP] = append_map,
                [OPERATION_UNMAP] = append_unmap,
                [OPERATION_SET_DIRTY_TRACKING] = append_nothing,
                [OPERATION_READ_DIRTY] = append_bitmap,
                [OPERATION_REVOKE] = append_revoke,
                [OPERATION_SETTLE] = append_nothing,
        };
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        static_assert(ELEMENTSOF(append) == _OPERATION_KIND_MAX, "a kind of operation has no answer");

        if (operation->refusal.outcome != OUTCOME_GRANTED)
                return reply_refusal(call, &operation->refusal);

        r = sd_bus_message_new_method_return(call, &reply);
        if (r < 0)
                return r;

        r = append[operation->kind](reply, operation);
        if (r < 0)
                return r;

        return sd_bus_send(/* bus= */ NULL, reply, /* ret_cookie= */ NULL);
}
