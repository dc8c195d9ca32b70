/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "bus/denial.h"
#include "bus/error.h"
#include "bus/objects.h"
#include "bus/options.h"
#include "bus/path.h"
#include "bus/property.h"
#include "core/change.h"
#include "core/claim.h"
#include "core/device.h"
#include "core/group.h"
#include "core/manager.h"
#include "core/refusal.h"
#include "core/subject.h"
#include "names.h"

static int append_id(sd_bus_message *message, const void *object) {
        const Group *group = object;

        return sd_bus_message_append(message, "u", group->facts.id);
}

static int append_type(sd_bus_message *message, const void *object) {
        const Group *group = object;

        return sd_bus_message_append(message, "s", group->facts.type);
}

static int append_dma_owner(sd_bus_message *message, const void *object) {
        return sd_bus_message_append(message, "s", dma_owner_to_string(group_dma_owner(object)));
}

static int append_viable(sd_bus_message *message, const void *object) {
        return sd_bus_message_append(message, "b", (int) group_is_viable(object));
}

static int append_blockers(sd_bus_message *message, const void *object) {
        const Group *group = object;
        int r;

        r = sd_bus_message_open_container(message, 'a', "(ss)");
        if (r < 0)
                return r;

        for (const Device *device = group->devices; device; device = device->next) {
                if (!device_facts_own_dma(&device->facts))
                        continue;
                r = sd_bus_message_append(message, "(ss)", device->facts.name, device->facts.driver);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(message);
}

static int append_devices(sd_bus_message *message, const void *object) {
        const Group *group = object;
        int r;

        r = sd_bus_message_open_container(message, 'a', "o");
        if (r < 0)
                return r;

        for (const Device *device = group->devices; device; device = device->next) {
                _cleanup_free_ char *path = NULL;

                r = path_of_device(device->facts.name, &path);
                if (r < 0)
                        return r;

                r = sd_bus_message_append_basic(message, 'o', path);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(message);
}

static int append_lease(sd_bus_message *message, const void *object) {
        _cleanup_free_ char *path = NULL;
        const Group *group = object;
        int r;

        r = path_of_lease_or_none(group->lease, &path);
        if (r < 0)
                return r;

        return sd_bus_message_append(message, "o", path);
}

static int append_claim(sd_bus_message *message, const void *object) {
        const Group *group = object;

        return sd_bus_message_append(
                message, "s", group->claim ? claim_state_to_string(group->claim->state) : "none");
}

static int append_claim_persistent(sd_bus_message *message, const void *object) {
        const Group *group = object;

        return sd_bus_message_append(message, "b", (int) (group->claim && group->claim->persistent));
}

static int append_claim_reason(sd_bus_message *message, const void *object) {
        const Group *group = object;

        return sd_bus_message_append(message, "s", group->claim ? group->claim->reason : "");
}

static int append_reserved_regions(sd_bus_message *message, const void *object) {
        const Group *group = object;
        int r;

        r = sd_bus_message_open_container(message, 'a', "(tts)");
        if (r < 0)
                return r;

        for (unsigned i = 0; i < group->facts.n_regions; i++) {
                const ReservedRegion *region = &group->facts.regions[i];

                r = sd_bus_message_append(message, "(tts)", region->first, region->last, region->kind);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(message);
}

static const Property group_properties[] = {
        { "Id", "u", append_id },
        { "Type", "s", append_type },
        { "DmaOwner", "s", append_dma_owner },
        { "Viable", "b", append_viable },
        { "Blockers", "a(ss)", append_blockers },
        { "Devices", "ao", append_devices },
        { "Lease", "o", append_lease },
        { "Claim", "s", append_claim },
        { "ClaimPersistent", "b", append_claim_persistent },
        { "ClaimReason", "s", append_claim_reason },
        { "ReservedRegions", "a(tts)", append_reserved_regions },
};

int group_object_append(sd_bus_message *message, const Group *group) {
        return property_append_all(group_properties, ELEMENTSOF(group_properties), message, group);
}

static int get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        BusServer *server = userdata;

        return property_append(group_properties, ELEMENTSOF(group_properties), property, reply,
                               path_to_group(server->manager, path));
}

static int read_persistent(sd_bus_message *message, void *target, Refusal *reterr) {
        ClaimRequest *request = target;
        int r, value;

        r = sd_bus_message_read_basic(message, 'b', &value);
        if (r < 0)
                return r;

        request->set_persistent = true;
        request->persistent = value;
        return 0;
}

static const Option claim_options[] = {
        { IOMMUD_OPTION_PERSISTENT, "b", .read = read_persistent },
        { IOMMUD_OPTION_ACCEPT, "b", offsetof(ClaimRequest, accept) },
        {},
};

static const Option no_options[] = { {} };

/* What is common to both: @r is what the core said, and @claim what the answer waits for. */
static int finish_call(BusServer *server, sd_bus_message *message, const Subject *subject, int r,
                       uint64_t claim, const Refusal *refusal) {
        if (r > 0)
                return reply_denial(server, message, subject, refusal);
        if (r == 0)
                r = bus_server_defer_claim(server, message, claim);
        return r < 0 ? reply_failure(message, r, "claiming") : 1;
}

/* The group that the call is for. It may have gone while we asked who is calling. */
static uint32_t group_of_call(BusServer *server, sd_bus_message *message) {
        const Group *group;

        group = path_to_group(server->manager, sd_bus_message_get_path(message));
        return group ? group->facts.id : GROUP_NONE;
}

static int method_claim(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(change_set_done) ChangeSet changes = {};
        BusServer *server = userdata;
        ClaimRequest request = {};
        uint64_t claim = 0;
        Refusal refusal;
        Subject subject;
        int r;

        r = options_read(message, claim_options, &request, &refusal);
        if (r > 0)
                return reply_refusal(message, &refusal);
        if (r < 0)
                return r;

        r = bus_server_identify(server, message, &subject);
        if (r == 0)
                return 1;                    /* dispatched again */
        if (r < 0)
                return reply_failure(message, r, "identifying the caller");

        r = manager_claim(server->manager, &subject, group_of_call(server, message), &request, &claim,
                          &refusal, &changes);
        r = finish_call(server, message, &subject, r, claim, &refusal);
        server->funcs->commit(server->userdata, &changes);
        return r;
}

static int method_release(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(change_set_done) ChangeSet changes = {};
        BusServer *server = userdata;
        uint64_t claim = 0;
        Refusal refusal;
        Subject subject;
        int r;

        r = options_read(message, no_options, /* target= */ NULL, &refusal);
        if (r > 0)
                return reply_refusal(message, &refusal);
        if (r < 0)
                return r;

        r = bus_server_identify(server, message, &subject);
        if (r == 0)
                return 1;
        if (r < 0)
                return reply_failure(message, r, "identifying the caller");

        r = manager_unclaim(server->manager, &subject, group_of_call(server, message), &claim, &refusal,
                            &changes);
        r = finish_call(server, message, &subject, r, claim, &refusal);
        server->funcs->commit(server->userdata, &changes);
        return r;
}

/* The object is the server, since the methods need it; the group is found again by the path. */
static int find_group(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                      sd_bus_error *error) {
        BusServer *server = userdata;

        if (!path_to_group(server->manager, path))
                return 0;

        *ret_found = server;
        return 1;
}

static int path_of_item(const void *item, char **ret) {
        return path_of_group(((const Group *) item)->facts.id, ret);
}

static int enumerate_groups(
        sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *error) {
        BusServer *server = userdata;

        return enumerate_paths(&server->manager->groups, path_of_item, ret);
}

static const sd_bus_vtable group_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Claim", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_claim,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_release,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Id", "u", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Type", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("DmaOwner", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Viable", "b", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Blockers", "a(ss)", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Devices", "ao", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Lease", "o", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Claim", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("ClaimPersistent", "b", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("ClaimReason", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("ReservedRegions", "a(tts)", get_property, 0, 0),
        SD_BUS_VTABLE_END
};

int group_object_add(BusServer *server) {
        int r;

        r = sd_bus_add_fallback_vtable(server->bus, /* ret_slot= */ NULL, IOMMUD_PATH_GROUP,
                IOMMUD_INTERFACE_GROUP, group_vtable, find_group, server);
        if (r < 0)
                return r;

        return sd_bus_add_node_enumerator(
                server->bus, /* ret_slot= */ NULL, IOMMUD_PATH_GROUP, enumerate_groups, server);
}
