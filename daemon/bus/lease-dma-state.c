/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Methods that tell what is in a context.
 */

#include "bus/denial.h"
#include "bus/error.h"
#include "bus/hw-info-message.h"
#include "bus/lease-methods.h"
#include "bus/path.h"
#include "bus/property.h"
#include "bus/server.h"
#include "core/domain.h"
#include "core/ioas.h"
#include "core/lease-context.h"
#include "core/manager.h"
#include "core/refusal.h"
#include "core/subject.h"
#include "core/virtual.h"

/* The lease, if its caller may look into it. Returns 1; 0 when the call was dealt with; a negative errno. */
static int identify_lease(sd_bus_message *message, BusServer *server, Lease **ret) {
        const Lease *lease;
        Refusal refusal;
        Subject subject;
        int r;

        r = bus_server_identify(server, message, &subject);
        if (r == 0)
                return 0;                    /* dispatched again */
        if (r < 0) {
                r = reply_failure(message, r, "identifying the caller");
                return r < 0 ? r : 0;
        }

        lease = path_to_lease(server->manager, sd_bus_message_get_path(message));
        assert(lease);                       /* the object was found a moment ago */

        if (manager_find_context(server->manager, &subject, lease->id, ret, &refusal) > 0) {
                r = reply_denial(server, message, &subject, &refusal);
                return r < 0 ? r : 0;
        }

        return 1;
}

/* ---- IovaRanges */

static int append_ranges(sd_bus_message *reply, const IovaRange *ranges, unsigned n) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(tt)");
        if (r < 0)
                return r;

        for (unsigned i = 0; i < n; i++) {
                r = sd_bus_message_append(reply, "(tt)", ranges[i].first, ranges[i].last);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(reply);
}

static int reply_iova_ranges(sd_bus_message *message, const IovaRanges *ranges) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;

        r = append_ranges(reply, ranges->items, ranges->n_items);
        if (r < 0)
                return r;

        r = sd_bus_message_append(reply, "t", ranges->alignment);
        if (r < 0)
                return r;

        return sd_bus_send(/* bus= */ NULL, reply, /* ret_cookie= */ NULL);
}

int method_iova_ranges(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Refusal refusal = {};
        IovaRanges ranges;
        uint64_t handle;
        Lease *lease;
        int r;

        r = sd_bus_message_read(message, "t", &handle);
        if (r < 0)
                return r;

        r = identify_lease(message, userdata, &lease);
        if (r <= 0)
                return r < 0 ? r : 1;

        if (lease_read_iova_ranges(lease, handle, &ranges, &refusal) > 0)
                return reply_refusal(message, &refusal);

        return reply_iova_ranges(message, &ranges);
}

/* ---- HwInfo */

int method_hw_info(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const LeaseDevice *device;
        const char *name;
        Refusal refusal;
        Lease *lease;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r < 0)
                return r;

        r = identify_lease(message, userdata, &lease);
        if (r <= 0)
                return r < 0 ? r : 1;

        device = lease_find_device(lease, name);
        if (!device) {
                refuse(&refusal, OUTCOME_NO_SUCH_DEVICE, "The lease has no device \"%.64s\"", name);
                return reply_refusal(message, &refusal);
        }

        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{sv}");
        if (r >= 0)
                r = append_entry(reply, "iommu", "s", device->dma.iommu);
        if (r >= 0)
                r = hw_info_append(reply, &device->dma.info);
        if (r >= 0 && !device->dma.info.emulated)
                r = hw_info_append_data(reply, &device->dma.info);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;

        return sd_bus_send(/* bus= */ NULL, reply, /* ret_cookie= */ NULL);
}

/* ---- DmaState */

static int append_mappings(sd_bus_message *reply, const void *object) {
        const Ioas *ioas = object;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(tt)");
        if (r < 0)
                return r;

        for (size_t i = 0; i < ioas->n_mappings; i++) {
                r = sd_bus_message_append(
                        reply, "(tt)", ioas->mappings[i].iova, ioas->mappings[i].length);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(reply);
}

static int append_windows(sd_bus_message *reply, const void *object) {
        const Ioas *ioas = object;

        return append_ranges(reply, ioas->options.windows, ioas->options.n_windows);
}

static int append_pasids(sd_bus_message *reply, const void *object) {
        const LeaseDevice *device = object;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(ut)");
        if (r < 0)
                return r;

        for (size_t i = 0; i < device->dma.n_pasids; i++) {
                r = sd_bus_message_append(reply, "(ut)", device->dma.pasids[i].pasid,
                                          device->dma.pasids[i].domain->handle);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(reply);
}

#define DEFINE_APPEND(name, Type, type, value)                                                              \
        static int append_##name(sd_bus_message *reply, const void *object) {                               \
                const Type *item = object;                                                                  \
                                                                                                            \
                return sd_bus_message_append(reply, type, value);                                           \
        }                                                                                                   \
        struct _append_needs_a_semicolon_

DEFINE_APPEND(ioas_handle, Ioas, "t", item->handle);
DEFINE_APPEND(ioas_pinned, Ioas, "t", item->pinned);
DEFINE_APPEND(ioas_huge_pages, Ioas, "b", (int) !item->options.small_pages);
DEFINE_APPEND(domain_handle, Domain, "t", item->handle);
DEFINE_APPEND(domain_kind, Domain, "s", domain_kind_to_string(item->options.kind));
DEFINE_APPEND(domain_ioas, Domain, "t", item->ioas->handle);
DEFINE_APPEND(domain_parent, Domain, "t",
              item->viommu   ? item->viommu->handle
              : item->parent ? item->parent->handle
                             : 0);
DEFINE_APPEND(domain_iommu, Domain, "s", item->iommu);
DEFINE_APPEND(domain_dirty_tracking, Domain, "b", (int) item->options.dirty_tracking);
DEFINE_APPEND(domain_pasid, Domain, "b", (int) item->options.pasid);
DEFINE_APPEND(domain_fault_queue, Domain, "b", (int) item->options.fault_queue);
DEFINE_APPEND(domain_tracking, Domain, "b", (int) item->tracking);
DEFINE_APPEND(virtual_handle, Virtual, "t", item->handle);
DEFINE_APPEND(virtual_kind, Virtual, "s", virtual_kind_to_string(item->kind));
DEFINE_APPEND(virtual_parent, Virtual, "t", item->domain ? item->domain->handle : item->viommu->handle);
DEFINE_APPEND(virtual_iommu, Virtual, "s", item->iommu);
DEFINE_APPEND(virtual_device, Virtual, "s", item->device);
DEFINE_APPEND(virtual_type, Virtual, "u", item->type);
DEFINE_APPEND(virtual_number, Virtual, "t", item->virt_id);
DEFINE_APPEND(device_name, LeaseDevice, "s", item->name);
DEFINE_APPEND(device_target, LeaseDevice, "t",
              item->dma.domain ? item->dma.domain->handle
              : item->dma.ioas ? item->dma.ioas->handle
                               : 0);
DEFINE_APPEND(device_id, LeaseDevice, "u", item->dma.id);

static const Property ioas_properties[] = {
        { "handle", "t", append_ioas_handle },
        { "mappings", "a(tt)", append_mappings },
        { "pinned", "t", append_ioas_pinned },
        { "iova_windows", "a(tt)", append_windows },
        { "huge_pages", "b", append_ioas_huge_pages },
};

static const Property domain_properties[] = {
        { "handle", "t", append_domain_handle },
        { "kind", "s", append_domain_kind },
        { "ioas", "t", append_domain_ioas },
        { "parent", "t", append_domain_parent },
        { "iommu", "s", append_domain_iommu },
        { "dirty_tracking", "b", append_domain_dirty_tracking },
        { "pasid", "b", append_domain_pasid },
        { "fault_queue", "b", append_domain_fault_queue },
        { "tracking", "b", append_domain_tracking },
};

static const Property virtual_properties[] = {
        { "handle", "t", append_virtual_handle },
        { "kind", "s", append_virtual_kind },
        { "parent", "t", append_virtual_parent },
        { "iommu", "s", append_virtual_iommu },
        { "device", "s", append_virtual_device },
        { "type", "u", append_virtual_type },
        { "number", "t", append_virtual_number },
};

static const Property device_properties[] = {
        { "name", "s", append_device_name },
        { "target", "t", append_device_target },
        { "pasids", "a(ut)", append_pasids },
        { "id", "u", append_device_id },
};

static int append_items(
        sd_bus_message *reply, const PtrArray *items, const Property *properties, size_t n) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        if (r < 0)
                return r;

        for (size_t i = 0; i < items->n_items; i++) {
                r = property_append_all(properties, n, reply, items->items[i]);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(reply);
}

static int append_devices(sd_bus_message *reply, const Lease *lease) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        if (r < 0)
                return r;

        for (unsigned i = 0; i < lease->n_devices; i++) {
                r = property_append_all(
                        device_properties, ELEMENTSOF(device_properties), reply, &lease->devices[i]);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(reply);
}

int method_dma_state(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Lease *lease;
        int r;

        r = identify_lease(message, userdata, &lease);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = append_items(
                        reply, &lease->context->ioases, ioas_properties, ELEMENTSOF(ioas_properties));
        if (r >= 0)
                r = append_items(reply, &lease->context->domains, domain_properties,
                                 ELEMENTSOF(domain_properties));
        if (r >= 0)
                r = append_devices(reply, lease);
        if (r >= 0)
                r = append_items(reply, &lease->context->virtuals, virtual_properties,
                                 ELEMENTSOF(virtual_properties));
        if (r < 0)
                return r;

        return sd_bus_send(/* bus= */ NULL, reply, /* ret_cookie= */ NULL);
}
