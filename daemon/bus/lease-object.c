/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>

#include "base/cgroup-unit.h"
#include "base/fd.h"
#include "bus/error.h"
#include "bus/lease-methods.h"
#include "bus/objects.h"
#include "bus/path.h"
#include "bus/property.h"
#include "core/change.h"
#include "core/domain.h"
#include "core/ioas.h"
#include "core/lease.h"
#include "core/manager.h"
#include "names.h"

#define DEFINE_APPEND(member, type, value)                                                                  \
        static int append_##member(sd_bus_message *message, const void *object) {                           \
                const Lease *lease = object;                                                                \
                                                                                                            \
                return sd_bus_message_append(message, type, value);                                         \
        }                                                                                                   \
        struct _append_needs_a_semicolon_

DEFINE_APPEND(id, "t", lease->id);
DEFINE_APPEND(uid, "u", (uint32_t) lease->subject.uid);
DEFINE_APPEND(pid, "u", (uint32_t) lease->subject.pid);
DEFINE_APPEND(mode, "s", mode_to_string(lease->mode));
DEFINE_APPEND(accounting, "s", accounting_to_string(lease->accounting));
DEFINE_APPEND(state, "s", lease_state_to_string(lease->state));
DEFINE_APPEND(state_reason, "s", lease->reason);
DEFINE_APPEND(since, "t", lease->since_usec);
DEFINE_APPEND(revoked, "b", (int) (lease->context && lease->context->revoked));
DEFINE_APPEND(until, "t", lease->max_usec > 0 ? lease->since_usec + lease->max_usec : UINT64_C(0));

static const char *get_device(const void *object, size_t i) {
        const Lease *lease = object;

        return i < lease->n_given ? lease->devices[i].name : NULL;
}

static const char *get_companion(const void *object, size_t i) {
        const Lease *lease = object;

        return lease->n_given + i < lease->n_devices ? lease->devices[lease->n_given + i].name : NULL;
}

static int append_devices(sd_bus_message *message, const void *object) {
        return append_strings(message, get_device, object);
}

static int append_companions(sd_bus_message *message, const void *object) {
        return append_strings(message, get_companion, object);
}

static int append_groups(sd_bus_message *message, const void *object) {
        const Lease *lease = object;

        return sd_bus_message_append_array(
                message, 'u', lease->groups, lease->n_groups * sizeof(lease->groups[0]));
}

/* A process that has several devices of the lease is one holder. */
static bool is_new_holder(const Lease *lease, unsigned device, pid_t pid) {
        for (unsigned i = 0; i < device; i++)
                for (unsigned j = 0; j < lease->devices[i].holders.n_items; j++)
                        if (lease->devices[i].holders.items[j].pid == pid)
                                return false;

        return true;
}

static int append_holder(sd_bus_message *message, const Holder *holder) {
        char unit[sizeof(holder->cgroup)];

        cgroup_get_unit(holder->cgroup, unit, sizeof(unit));
        return sd_bus_message_append(
                message, "(usss)", (uint32_t) holder->pid, holder->comm, unit, holder->cgroup);
}

static int append_holders(sd_bus_message *message, const void *object) {
        const Lease *lease = object;
        int r;

        r = sd_bus_message_open_container(message, 'a', "(usss)");
        if (r < 0)
                return r;

        for (unsigned i = 0; i < lease->n_devices; i++) {
                const Holders *holders = &lease->devices[i].holders;

                for (unsigned j = 0; j < holders->n_items; j++) {
                        if (!is_new_holder(lease, i, holders->items[j].pid))
                                continue;
                        r = append_holder(message, &holders->items[j]);
                        if (r < 0)
                                return r;
                }
        }

        return sd_bus_message_close_container(message);
}

static const Property lease_properties[] = {
        { "Id", "t", append_id },
        { "Uid", "u", append_uid },
        { "Pid", "u", append_pid },
        { "Mode", "s", append_mode },
        { "State", "s", append_state },
        { "StateReason", "s", append_state_reason },
        { "Holders", "a(usss)", append_holders },
        { "Devices", "as", append_devices },
        { "Companions", "as", append_companions },
        { "Groups", "au", append_groups },
        { "Revoked", "b", append_revoked },
        { "Since", "t", append_since },
        { "Until", "t", append_until },
};

int lease_object_append(sd_bus_message *message, const Lease *lease) {
        return property_append_all(lease_properties, ELEMENTSOF(lease_properties), message, lease);
}

static int append_fd(sd_bus_message *message, const char *role, int fd) {
        return sd_bus_message_append(message, "{sh}", role, fd);
}

static int append_fault_queues(sd_bus_message *message, const Lease *lease) {
        for (size_t i = 0; lease->context && i < lease->context->domains.n_items; i++) {
                const Domain *domain = lease->context->domains.items[i];
                char role[sizeof(IOMMUD_FD_FAULT_QUEUE_PREFIX) + 20];
                int r;

                if (domain->fault_fd < 0)
                        continue;
                snprintf(role, sizeof(role), IOMMUD_FD_FAULT_QUEUE_PREFIX "%" PRIu64, domain->handle);
                r = append_fd(message, role, domain->fault_fd);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* a{sh}: sd-bus keeps duplicates, ours are the lease's until lease_close(). */
static int append_fds(sd_bus_message *message, const Lease *lease) {
        int r;

        r = sd_bus_message_open_container(message, 'a', "{sh}");
        if (r < 0)
                return r;

        if (lease->lifeline_client >= 0) {
                r = append_fd(message, IOMMUD_FD_LIFELINE, lease->lifeline_client);
                if (r < 0)
                        return r;
        }

        if (lease->mode != MODE_CONFINED) {
                r = append_fd(message, IOMMUD_FD_IOMMUFD, lease->iommufd);
                if (r < 0)
                        return r;
        }

        r = append_fault_queues(message, lease);
        if (r < 0)
                return r;

        for (unsigned i = 0; i < lease->n_given; i++) {
                char role[sizeof(IOMMUD_FD_DEVICE_PREFIX) + KERNEL_NAME_MAX];

                snprintf(role, sizeof(role), IOMMUD_FD_DEVICE_PREFIX "%s", lease->devices[i].name);
                r = append_fd(message, role, lease->devices[i].fd);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(message);
}

static uint64_t lease_first_ioas(const Lease *lease) {
        const Ioas *ioas = lease->context->ioases.items[0];

        return ioas->handle;
}

static uint32_t lease_first_ioas_id(const Lease *lease) {
        const Ioas *ioas = lease->context->ioases.items[0];

        return ioas->id;
}

DEFINE_APPEND(ioas, "t", lease_first_ioas(lease));
DEFINE_APPEND(ioas_id, "u", lease_first_ioas_id(lease));

static int append_domains(sd_bus_message *message, const void *object) {
        const Lease *lease = object;
        int r;

        r = sd_bus_message_open_container(message, 'a', "{st}");
        if (r < 0)
                return r;

        for (unsigned i = 0; i < lease->n_given; i++) {
                const LeaseDevice *device = &lease->devices[i];

                if (!device->dma.domain)
                        continue;
                r = sd_bus_message_append(message, "{st}", device->name, device->dma.domain->handle);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(message);
}

/* a{su}: the kernel's numbers of the devices, or of their domains. */
static int append_ids(sd_bus_message *message, const Lease *lease, bool domains) {
        int r;

        r = sd_bus_message_open_container(message, 'a', "{su}");
        if (r < 0)
                return r;

        for (unsigned i = 0; i < lease->n_given; i++) {
                const LeaseDevice *device = &lease->devices[i];

                if (domains && !device->dma.domain)
                        continue;
                r = sd_bus_message_append(message, "{su}", device->name,
                                          domains ? device->dma.domain->id : device->dma.id);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(message);
}

static int append_domain_ids(sd_bus_message *message, const void *object) {
        return append_ids(message, object, /* domains= */ true);
}

static int append_device_ids(sd_bus_message *message, const void *object) {
        return append_ids(message, object, /* domains= */ false);
}

/* The entries of @details that are the lease's properties under other names. */
static int append_details(sd_bus_message *message, const Lease *lease) {
        static const Property details[] = {
                { "id", "t", append_id },
                { "mode", "s", append_mode },
                { "groups", "au", append_groups },
                { "devices", "as", append_devices },
                { "companions", "as", append_companions },
                { "accounting", "s", append_accounting },
                /* where iommud has made domains */
                { "ioas", "t", append_ioas },
                { "domains", "a{st}", append_domains },
                /* where the client has the iommufd */
                { "ioas_id", "u", append_ioas_id },
                { "domain_ids", "a{su}", append_domain_ids },
                { "device_ids", "a{su}", append_device_ids },
        };
        static const size_t n_details[] = {
                [MODE_VMM] = 6,
                [MODE_CONFINED] = 8,
                [MODE_ATTACHED] = ELEMENTSOF(details),
        };

        return property_append_all(details, n_details[lease->mode], message, lease);
}

int lease_object_reply(sd_bus_message *call, Lease *lease) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = path_of_lease(lease->id, &path);
        if (r < 0)
                return r;

        r = sd_bus_message_new_method_return(call, &reply);
        if (r < 0)
                return r;

        r = sd_bus_message_append(reply, "o", path);
        if (r < 0)
                return r;

        r = append_fds(reply, lease);
        if (r < 0)
                return r;

        r = append_details(reply, lease);
        if (r < 0)
                return r;

        r = sd_bus_send(/* bus= */ NULL, reply, /* ret_cookie= */ NULL);
        if (r < 0)
                return r;

        /* what is left to be done is waited for by nobody: who has one processor with us goes first */
        (void) sched_yield();
        return 0;
}

static int get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        BusServer *server = userdata;

        return property_append(lease_properties, ELEMENTSOF(lease_properties), property, reply,
                               path_to_lease(server->manager, path));
}

/* The object is the server, since Release needs it; the lease is found again by the path. */
static int find_lease(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                      sd_bus_error *error) {
        BusServer *server = userdata;

        if (!path_to_lease(server->manager, path))
                return 0;

        *ret_found = server;
        return 1;
}

static int path_of_item(const void *item, char **ret) {
        return path_of_lease(((const Lease *) item)->id, ret);
}

static int enumerate_leases(
        sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *error) {
        BusServer *server = userdata;

        return enumerate_paths(&server->manager->leases, path_of_item, ret);
}

static const sd_bus_vtable lease_vtable[] = { SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT,
                lease_method_release, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("AllocIoas", SD_BUS_ARGS("a{sv}", options),
                SD_BUS_RESULT("t", ioas, "a{sv}", details), method_alloc_ioas, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("AllocDomain", SD_BUS_ARGS("s", device, "t", parent, "a{sv}", options),
                SD_BUS_RESULT("t", domain, "a{sh}", fds, "a{sv}", details), method_alloc_domain,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("AllocViommu", SD_BUS_ARGS("s", device, "t", parent, "a{sv}", options),
                SD_BUS_RESULT("t", viommu, "a{sv}", details), method_alloc_viommu,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("AllocVdevice", SD_BUS_ARGS("s", device, "t", viommu, "t", number),
                SD_BUS_RESULT("t", vdevice, "a{sv}", details), method_alloc_vdevice,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("AllocVeventq", SD_BUS_ARGS("t", viommu, "a{sv}", options),
                SD_BUS_RESULT("t", queue, "a{sh}", fds, "a{sv}", details), method_alloc_veventq,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Attach", SD_BUS_ARGS("s", device, "t", target, "a{sv}", options),
                SD_BUS_RESULT("a{sv}", details), method_attach, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Detach", SD_BUS_ARGS("s", device, "a{sv}", options), SD_BUS_NO_RESULT,
                method_detach, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Destroy", SD_BUS_ARGS("t", handle), SD_BUS_NO_RESULT, method_destroy,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("MapFile",
                SD_BUS_ARGS("t", ioas, "h", memory, "t", offset, "t", length, "a{sv}", options),
                SD_BUS_RESULT("t", iova), method_map_file, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Unmap", SD_BUS_ARGS("t", ioas, "t", iova, "t", length),
                SD_BUS_RESULT("t", unmapped), method_unmap, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("IovaRanges", SD_BUS_ARGS("t", ioas),
                SD_BUS_RESULT("a(tt)", ranges, "t", alignment), method_iova_ranges,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SetDirtyTracking", SD_BUS_ARGS("t", domain, "b", on), SD_BUS_NO_RESULT,
                method_set_dirty_tracking, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetDirtyBitmap",
                SD_BUS_ARGS("t", domain, "t", iova, "t", length, "a{sv}", options),
                SD_BUS_RESULT("h", bitmap), method_get_dirty_bitmap, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("HwInfo", SD_BUS_ARGS("s", device), SD_BUS_RESULT("a{sv}", info),
                method_hw_info, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("DmaState", SD_BUS_NO_ARGS,
                SD_BUS_RESULT("aa{sv}", ioases, "aa{sv}", domains, "aa{sv}", devices,
                              "aa{sv}", virtuals), method_dma_state,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Revoke", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", details),
                method_revoke, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS(IOMMUD_SIGNAL_RELEASE_REQUESTED,
                SD_BUS_ARGS("s", reason, "t", deadline_usec), 0),
        SD_BUS_SIGNAL_WITH_ARGS(IOMMUD_SIGNAL_DEVICE_GONE, SD_BUS_ARGS("s", device), 0),
        SD_BUS_SIGNAL_WITH_ARGS(IOMMUD_SIGNAL_GROUP_GREW, SD_BUS_ARGS("s", device), 0),
        SD_BUS_PROPERTY("Id", "t", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Uid", "u", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Pid", "u", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Mode", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("StateReason", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Holders", "a(usss)", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Devices", "as", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Companions", "as", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Groups", "au", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Revoked", "b", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Since", "t", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Until", "t", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_VTABLE_END
};

int lease_object_add(BusServer *server) {
        int r;

        r = sd_bus_add_fallback_vtable(server->bus, /* ret_slot= */ NULL, IOMMUD_PATH_LEASE,
                IOMMUD_INTERFACE_LEASE, lease_vtable, find_lease, server);
        if (r < 0)
                return r;

        return sd_bus_add_node_enumerator(
                server->bus, /* ret_slot= */ NULL, IOMMUD_PATH_LEASE, enumerate_leases, server);
}
