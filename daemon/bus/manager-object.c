/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bus/denial.h"
#include "bus/error.h"
#include "bus/objects.h"
#include "bus/path.h"
#include "bus/property.h"
#include "core/change.h"
#include "core/device.h"
#include "core/group.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/quarantine.h"
#include "core/refusal.h"
#include "core/selector.h"
#include "core/subject.h"
#include "names.h"

/* a(oa{sv}) of all items of a table of the manager. */
static int reply_list(sd_bus_message *message, const PtrArray *items,
        int (*path_of)(const void *item, char **ret),
        int (*append)(sd_bus_message *reply, const void *item)) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;

        r = sd_bus_message_open_container(reply, 'a', "(oa{sv})");
        if (r < 0)
                return r;

        for (size_t i = 0; i < items->n_items; i++) {
                _cleanup_free_ char *path = NULL;

                r = path_of(items->items[i], &path);
                if (r < 0)
                        return r;

                r = sd_bus_message_open_container(reply, 'r', "oa{sv}");
                if (r < 0)
                        return r;

                r = sd_bus_message_append_basic(reply, 'o', path);
                if (r < 0)
                        return r;

                r = append(reply, items->items[i]);
                if (r < 0)
                        return r;

                r = sd_bus_message_close_container(reply);
                if (r < 0)
                        return r;
        }

        r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;

        return sd_bus_send(/* bus= */ NULL, reply, /* ret_cookie= */ NULL);
}

static int device_path(const void *item, char **ret) {
        return path_of_device(((const Device *) item)->facts.name, ret);
}

static int device_append(sd_bus_message *reply, const void *item) {
        return device_object_append(reply, item);
}

static int group_path(const void *item, char **ret) {
        return path_of_group(((const Group *) item)->facts.id, ret);
}

static int group_append(sd_bus_message *reply, const void *item) {
        return group_object_append(reply, item);
}

static int lease_path(const void *item, char **ret) {
        return path_of_lease(((const Lease *) item)->id, ret);
}

static int lease_append(sd_bus_message *reply, const void *item) {
        return lease_object_append(reply, item);
}

static int method_list_devices(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        BusServer *server = userdata;

        return reply_list(message, &server->manager->devices, device_path, device_append);
}

static int method_list_groups(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        BusServer *server = userdata;

        return reply_list(message, &server->manager->groups, group_path, group_append);
}

static int method_list_leases(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        BusServer *server = userdata;

        return reply_list(message, &server->manager->leases, lease_path, lease_append);
}

/* Appends the paths of the devices that @selector names; returns how many there are. */
static int append_found(sd_bus_message *reply, const Manager *manager, const Selector *selector) {
        int r, n = 0;

        r = sd_bus_message_open_container(reply, 'a', "o");
        if (r < 0)
                return r;

        for (size_t i = 0; i < manager->devices.n_items; i++) {
                const Device *device = manager->devices.items[i];
                _cleanup_free_ char *path = NULL;

                if (!manager_selects(manager, selector, device))
                        continue;

                r = path_of_device(device->facts.name, &path);
                if (r < 0)
                        return r;

                r = sd_bus_message_append_basic(reply, 'o', path);
                if (r < 0)
                        return r;
                n++;
        }

        r = sd_bus_message_close_container(reply);
        return r < 0 ? r : n;
}

static int method_find(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        BusServer *server = userdata;
        Selector selector;
        Refusal refusal;
        const char *text;
        int r;

        r = sd_bus_message_read(message, "s", &text);
        if (r < 0)
                return r;

        if (selector_parse(text, &selector, &refusal) > 0)
                return reply_refusal(message, &refusal);

        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;

        r = append_found(reply, server->manager, &selector);
        if (r < 0)
                return r;
        if (r == 0) {
                refuse(&refusal, OUTCOME_NO_SUCH_DEVICE, "No device in an IOMMU group answers to \"%.64s\"",
                        text);
                return reply_refusal(message, &refusal);
        }

        return sd_bus_send(/* bus= */ NULL, reply, /* ret_cookie= */ NULL);
}

static int method_reload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *text = NULL;
        BusServer *server = userdata;
        Refusal refusal;
        Subject subject;
        int r;

        r = bus_server_identify(server, message, &subject);
        if (r == 0)
                return 1;
        if (r < 0)
                return reply_failure(message, r, "identifying the caller");

        if (!subject_is_root(&subject)) {
                refuse(&refusal, OUTCOME_DENIED, "Only root can reload the policy%s",
                       subject_root_doubt(&subject));
                return reply_denial(server, message, &subject, &refusal);
        }

        r = server->funcs->reload(server->userdata, &subject, &text);
        if (r < 0)
                return sd_bus_reply_method_errorf(message, IOMMUD_ERROR_INVALID_POLICY,
                        "The policy in force stays: %s", text ?: "out of memory");

        return sd_bus_reply_method_return(message, NULL);
}

static int append_quarantined(sd_bus_message *reply, const char *device, const char *reason) {
        return sd_bus_message_append(reply, "(ss)", device, reason);
}

static int append_quarantine(sd_bus_message *reply, const Quarantine *quarantine) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(ss)");
        if (r >= 0 && quarantine->lost)
                r = append_quarantined(reply, QUARANTINE_ALL, quarantine_lost_reason);

        for (size_t i = 0; r >= 0 && i < quarantine->n_entries; i++)
                if (quarantine->entries[i].kind != QUARANTINE_CLEARED)
                        r = append_quarantined(
                                reply, quarantine->entries[i].device, quarantine->entries[i].reason);
        if (r < 0)
                return r;

        return sd_bus_message_close_container(reply);
}

static int method_list_quarantine(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        BusServer *server = userdata;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;

        r = append_quarantine(reply, server->manager->quarantine);
        if (r < 0)
                return r;

        return sd_bus_send(/* bus= */ NULL, reply, /* ret_cookie= */ NULL);
}

static int method_clear_quarantine(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(change_set_done) ChangeSet changes = {};
        BusServer *server = userdata;
        const char *selector;
        Refusal refusal;
        Subject subject;
        int r;

        r = sd_bus_message_read(message, "s", &selector);
        if (r < 0)
                return r;

        r = bus_server_identify(server, message, &subject);
        if (r == 0)
                return 1;
        if (r < 0)
                return reply_failure(message, r, "identifying the caller");

        r = manager_clear_quarantine(server->manager, &subject, selector, &refusal, &changes);
        if (r > 0)
                return reply_denial(server, message, &subject, &refusal);
        if (r < 0)
                return reply_failure(message, r, "ClearQuarantine");

        r = sd_bus_reply_method_return(message, NULL);
        server->funcs->commit(server->userdata, &changes);
        return r;
}

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", IOMMUD_VERSION);
}

static int get_features(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        BusServer *server = userdata;

        return sd_bus_message_append_strv(reply, (char **) server->features);
}

static const sd_bus_vtable manager_vtable[] = {SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Acquire", SD_BUS_ARGS("as", devices, "a{sv}", options),
                SD_BUS_RESULT("o", lease, "a{sh}", fds, "a{sv}", details), method_acquire,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Plan", SD_BUS_ARGS("as", devices, "a{sv}", options),
                SD_BUS_RESULT("b", possible, "aa{sv}", steps), method_plan, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListDevices", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(oa{sv})", devices),
                method_list_devices, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListGroups", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(oa{sv})", groups),
                method_list_groups, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListLeases", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(oa{sv})", leases),
                method_list_leases, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Find", SD_BUS_ARGS("s", selector), SD_BUS_RESULT("ao", devices),
                method_find, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ExplainPolicy", SD_BUS_ARGS("s", selector, "a{sv}", options),
                SD_BUS_RESULT("aa{sv}", steps), method_explain_policy, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                "Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_reload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListQuarantine", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ss)", devices),
                method_list_quarantine, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ClearQuarantine", SD_BUS_ARGS("s", selector), SD_BUS_NO_RESULT,
                method_clear_quarantine, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Features", "as", get_features, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_VTABLE_END
};

int manager_object_add(BusServer *server) {
        return sd_bus_add_object_vtable(server->bus, /* ret_slot= */ NULL, IOMMUD_PATH,
                IOMMUD_INTERFACE_MANAGER, manager_vtable, server);
}
