/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>

#include "base/cgroup-unit.h"
#include "base/fd.h"
#include "bus/error.h"
#include "bus/objects.h"
#include "bus/path.h"
#include "bus/property.h"
#include "core/change.h"
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
        { "Since", "t", append_since },
};

int lease_object_append(sd_bus_message *message, const Lease *lease) {
        return property_append_all(lease_properties, ELEMENTSOF(lease_properties), message, lease);
}

static int append_fd(sd_bus_message *message, const char *role, int fd) {
        return sd_bus_message_append(message, "{sh}", role, fd);
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

        r = append_fd(message, IOMMUD_FD_IOMMUFD, lease->iommufd);
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

/* The entries of @details that are the lease's properties under other names. */
static int append_details(sd_bus_message *message, const Lease *lease) {
        static const Property details[] = {
                { "id", "t", append_id },
                { "mode", "s", append_mode },
                { "groups", "au", append_groups },
                { "devices", "as", append_devices },
                { "companions", "as", append_companions },
                { "accounting", "s", append_accounting },
        };

        return property_append_all(details, ELEMENTSOF(details), message, lease);
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

        return sd_bus_send(/* bus= */ NULL, reply, /* ret_cookie= */ NULL);
}

static int method_release(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(change_set_done) ChangeSet changes = {};
        BusServer *server = userdata;
        Refusal refusal;
        Subject subject;
        Lease *lease;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        if (r < 0)
                return r;
        if (sd_bus_message_at_end(message, /* complete= */ false) == 0)
                return reply_invalid_option(message, "Release has no options yet");

        r = bus_server_identify(server, message, &subject);
        if (r == 0)
                return 1;                    /* dispatched again */
        if (r < 0)
                return reply_failure(message, r, "identifying the caller");

        lease = path_to_lease(server->manager, sd_bus_message_get_path(message));
        assert(lease);                       /* the object was found a moment ago */

        r = manager_release(server->manager, &subject, lease->id, &refusal, &changes);
        if (r > 0)
                return reply_refusal(message, &refusal);

        r = sd_bus_reply_method_return(message, NULL);
        server->funcs->commit(server->userdata, &changes);
        return r;
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

static const sd_bus_vtable lease_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_release,
                                SD_BUS_VTABLE_UNPRIVILEGED),
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
        SD_BUS_PROPERTY("Since", "t", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
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
