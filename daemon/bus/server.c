/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <string.h>

#include "bus/audit.h"
#include "bus/error.h"
#include "bus/lease-event.h"
#include "bus/memlock.h"
#include "bus/objects.h"
#include "bus/operation-reply.h"
#include "bus/path.h"
#include "bus/server.h"
#include "core/change.h"
#include "core/claim.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/operation.h"
#include "core/quarantine.h"
#include "core/subject.h"
#include "names.h"
#include "sys/journal.h"

/* A call whose answer is due when its lease is ready, or its claim, or its operation is done. */
struct PendingCall {
        ChangeKind due;                      /* what brings the answer */
        uint64_t id;
        sd_bus_message *call;                /* a reference */
        PendingCall *next;
};

int enumerate_paths(const PtrArray *items, int (*path_of)(const void *item, char **ret), char ***ret) {
        char **paths;

        paths = calloc(items->n_items + 1, sizeof(*paths));
        if (!paths)
                return -ENOMEM;

        for (size_t i = 0; i < items->n_items; i++) {
                int r;

                r = path_of(items->items[i], &paths[i]);
                if (r < 0) {
                        for (size_t j = 0; j < i; j++)
                                free(paths[j]);
                        free(paths);
                        return r;
                }
        }

        *ret = paths;
        return 0;
}

int bus_server_new(sd_bus *bus, Manager *manager, const char *const *features, const BusServerFuncs *funcs,
                   void *userdata, BusServer **ret) {
        static int (*const add[])(BusServer *server) = {
                manager_object_add,
                device_object_add,
                group_object_add,
                lease_object_add,
        };
        _cleanup_(bus_server_freep) BusServer *server = NULL;
        int r;

        server = calloc(1, sizeof(*server));
        if (!server)
                return -ENOMEM;

        *server = (BusServer) {
                .bus = sd_bus_ref(bus),
                .manager = manager,
                .features = features,
                .funcs = funcs,
                .userdata = userdata,
        };

        r = polkit_new(bus, &server->polkit);
        if (r < 0)
                return r;

        r = sd_bus_add_object_manager(bus, /* ret_slot= */ NULL, IOMMUD_PATH);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(add); i++) {
                r = add[i](server);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(server);
        return 0;
}

/* The vtables are not taken off the bus: it goes with the server. */
BusServer *bus_server_free(BusServer *server) {
        if (!server)
                return NULL;

        while (server->pending) {
                PendingCall *pending = server->pending;

                server->pending = pending->next;
                sd_bus_message_unref(pending->call);
                free(pending);
        }

        polkit_free(server->polkit);
        sd_bus_flush_close_unref(server->bus);
        free(server);
        return NULL;
}

int bus_server_identify(BusServer *server, sd_bus_message *message, Subject *ret) {
        return server->funcs->identify(server->userdata, message, ret);
}

static int bus_server_add_pending(BusServer *server, sd_bus_message *call, ChangeKind due, uint64_t id) {
        PendingCall *pending;

        pending = calloc(1, sizeof(*pending));
        if (!pending)
                return -ENOMEM;

        *pending = (PendingCall) {
                .due = due,
                .id = id,
                .call = sd_bus_message_ref(call),
                .next = server->pending,
        };
        server->pending = pending;
        return 0;
}

int bus_server_defer(BusServer *server, sd_bus_message *call, uint64_t lease) {
        return bus_server_add_pending(server, call, CHANGE_LEASE_ANSWERED, lease);
}

int bus_server_defer_claim(BusServer *server, sd_bus_message *call, uint64_t claim) {
        return bus_server_add_pending(server, call, CHANGE_CLAIM_ANSWERED, claim);
}

int bus_server_defer_operation(BusServer *server, sd_bus_message *call, uint64_t operation) {
        return bus_server_add_pending(server, call, CHANGE_OPERATION_DONE, operation);
}

/* The call that waits for this, as the caller's reference; NULL: nobody does. */
static sd_bus_message *bus_server_take_pending(BusServer *server, ChangeKind due, uint64_t id) {
        for (PendingCall **link = &server->pending; *link; link = &(*link)->next) {
                PendingCall *pending = *link;
                sd_bus_message *call = pending->call;

                if (pending->due != due || pending->id != id)
                        continue;

                *link = pending->next;
                free(pending);
                return call;
        }

        return NULL;
}

/*
 * What the rules let the client lock, before it can try to. It has the devices in any case: whether it will
 * really map so much, nobody knows.
 */
static void bus_server_raise_memlock(BusServer *server, sd_bus_message *call, const Lease *lease) {
        uid_t owner = subject_is_root(&lease->subject) ? (uid_t) -1 : lease->subject.uid;
        Memlock before = {};
        int pidfd, r;

        if (lease->memlock == 0)
                return;

        pidfd = lease->lifeline_is_pidfd ? lease->lifeline : server->funcs->pidfd(server->userdata, call);
        r = pidfd < 0 ? -ENODATA : memlock_raise(pidfd, owner, lease->memlock, &before);
        if (r != 0)
                audit_memlock(lease, before.pid, before.limit, r < 0 ? r : 0);
}

static void bus_server_answer(BusServer *server, uint64_t id, ChangeSet *more) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        Lease *lease;
        int r;

        lease = manager_find_lease(server->manager, id);
        call = bus_server_take_pending(server, CHANGE_LEASE_ANSWERED, id);
        if (!lease || !call)
                return;

        if (lease->refusal.outcome != OUTCOME_GRANTED) {
                r = reply_refusal(call, &lease->refusal);
                audit_failed(lease);
        } else {
                bus_server_raise_memlock(server, call, lease);
                r = lease_object_reply(call, lease);
                lease_close(lease);          /* the message has its own */
                if (r >= 0)
                        audit_granted(lease);
                else {
                        /* a lifeline would say by itself that nobody has got it, but a holder lives on */
                        (void) reply_failure(call, r, "sending what was acquired");
                        manager_hangup(server->manager, id, "its caller could not be answered", more);
                }
        }

        if (r < 0)
                log_warning("The answer to the Acquire of lease %" PRIu64 " could not be sent: %s", id,
                        strerrordesc_np(-r));
}

static void bus_server_answer_operation(BusServer *server, uint64_t id) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_(operation_freep) Operation *operation = NULL;
        int r;

        call = bus_server_take_pending(server, CHANGE_OPERATION_DONE, id);
        operation = manager_take_operation(server->manager, id);
        if (!operation || !call)
                return;

        r = operation_reply(call, operation);
        if (r < 0)
                log_warning("The answer to a call of %s could not be sent, ignoring: %s",
                            sd_bus_message_get_member(call), strerrordesc_np(-r));
}

static void bus_server_answer_claim(BusServer *server, uint64_t id) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        const Claim *claim;
        int r;

        claim = manager_find_claim(server->manager, id);
        call = bus_server_take_pending(server, CHANGE_CLAIM_ANSWERED, id);
        if (!claim || !call)
                return;

        if (claim->refusal.outcome != OUTCOME_GRANTED)
                r = reply_refusal(call, &claim->refusal);
        else
                r = sd_bus_reply_method_return(call, NULL);
        if (r < 0)
                log_warning("The answer to a call about claim %" PRIu64 " could not be sent: %s", id,
                            strerrordesc_np(-r));
}

/*
 * The same interfaces that sd-bus has listed when the object was added: it can't look them up any more when
 * the object has gone.
 */
static int emit_removed(sd_bus *bus, const char *path, const char *interface) {
        return sd_bus_emit_interfaces_removed(
                bus, path, "org.freedesktop.DBus.Peer", "org.freedesktop.DBus.Introspectable",
                "org.freedesktop.DBus.Properties", interface, NULL);
}

static int emit(sd_bus *bus, const Change *change, const char *path) {
        switch (change->kind) {

        case CHANGE_DEVICE_ADDED:
        case CHANGE_GROUP_ADDED:
        case CHANGE_LEASE_ADDED:
                return sd_bus_emit_object_added(bus, path);

        case CHANGE_DEVICE_CHANGED:
        case CHANGE_DEVICE_QUARANTINED:
        case CHANGE_DEVICE_CLEARED:
                return sd_bus_emit_properties_changed_strv(
                        bus, path, IOMMUD_INTERFACE_DEVICE, /* names= */ NULL);

        case CHANGE_GROUP_CHANGED:
                return sd_bus_emit_properties_changed_strv(
                        bus, path, IOMMUD_INTERFACE_GROUP, /* names= */ NULL);

        case CHANGE_LEASE_CHANGED:
                return sd_bus_emit_properties_changed_strv(
                        bus, path, IOMMUD_INTERFACE_LEASE, /* names= */ NULL);

        case CHANGE_DEVICE_REMOVED:
                return emit_removed(bus, path, IOMMUD_INTERFACE_DEVICE);

        case CHANGE_GROUP_REMOVED:
                return emit_removed(bus, path, IOMMUD_INTERFACE_GROUP);

        case CHANGE_LEASE_ENDED:
                return emit_removed(bus, path, IOMMUD_INTERFACE_LEASE);

        case CHANGE_DEVICE_RESET:
        case CHANGE_LEASE_ANSWERED:
        case CHANGE_LEASE_ENDING:
        case CHANGE_LEASE_STALE:
        case CHANGE_OPERATION_DONE:
        case CHANGE_LEASE_REQUESTED:
        case CHANGE_LEASE_EXPIRES:
        case CHANGE_LEASE_DEVICE_GONE:
        case CHANGE_LEASE_GROUP_GREW:
        case CHANGE_LEASE_KILL:
        case CHANGE_CLAIM_CHANGED:
        case CHANGE_CLAIM_ANSWERED:
        case CHANGE_CLAIM_ENDED:
        case _CHANGE_KIND_MAX:
                break;
        }

        return 0;
}

static int path_of_change(const Change *change, char **ret) {
        switch (change->kind) {

        case CHANGE_DEVICE_ADDED:
        case CHANGE_DEVICE_CHANGED:
        case CHANGE_DEVICE_QUARANTINED:
        case CHANGE_DEVICE_CLEARED:
        case CHANGE_DEVICE_RESET:
        case CHANGE_DEVICE_REMOVED:
                return path_of_device(change->name, ret);

        case CHANGE_GROUP_ADDED:
        case CHANGE_GROUP_CHANGED:
        case CHANGE_GROUP_REMOVED:
                return path_of_group((uint32_t) change->id, ret);

        case CHANGE_LEASE_ADDED:
        case CHANGE_LEASE_CHANGED:
        case CHANGE_LEASE_ANSWERED:
        case CHANGE_LEASE_ENDING:
        case CHANGE_LEASE_ENDED:
        case CHANGE_LEASE_STALE:
        case CHANGE_OPERATION_DONE:
        case CHANGE_LEASE_REQUESTED:
        case CHANGE_LEASE_EXPIRES:
        case CHANGE_LEASE_DEVICE_GONE:
        case CHANGE_LEASE_GROUP_GREW:
        case CHANGE_LEASE_KILL:
        case CHANGE_CLAIM_CHANGED:
        case CHANGE_CLAIM_ANSWERED:
        case CHANGE_CLAIM_ENDED:
        case _CHANGE_KIND_MAX:
                break;
        }

        return path_of_lease(change->id, ret);
}

/*
 * Whether there is something to be announced: what has gone again in the same set of changes was never there
 * for the world, or its end is all that is left to say. What has come in the same set was announced with all
 * that there is to be seen of it now.
 */
static bool bus_server_has_news(const BusServer *server, const ChangeSet *changes, size_t i) {
        const Change *change = &changes->items[i];

        if ((change->kind == CHANGE_DEVICE_CHANGED || change->kind == CHANGE_GROUP_CHANGED ||
             change->kind == CHANGE_LEASE_CHANGED) &&
            change_set_has_come(changes, i))
                return false;

        switch (change->kind) {

        case CHANGE_DEVICE_ADDED:
        case CHANGE_DEVICE_CHANGED:
        case CHANGE_DEVICE_QUARANTINED:
        case CHANGE_DEVICE_CLEARED:
                return manager_find_device(server->manager, change->name);

        case CHANGE_GROUP_ADDED:
        case CHANGE_GROUP_CHANGED:
                return manager_find_group(server->manager, (uint32_t) change->id);

        case CHANGE_LEASE_ADDED:
        case CHANGE_LEASE_CHANGED:
                return manager_find_lease(server->manager, change->id);

        case CHANGE_DEVICE_REMOVED:
        case CHANGE_GROUP_REMOVED:
        case CHANGE_LEASE_ENDED:
                return true;

        case CHANGE_DEVICE_RESET:
        case CHANGE_LEASE_ANSWERED:
        case CHANGE_LEASE_ENDING:
        case CHANGE_LEASE_STALE:
        case CHANGE_OPERATION_DONE:
        case CHANGE_LEASE_REQUESTED:
        case CHANGE_LEASE_EXPIRES:
        case CHANGE_LEASE_DEVICE_GONE:
        case CHANGE_LEASE_GROUP_GREW:
        case CHANGE_LEASE_KILL:
        case CHANGE_CLAIM_CHANGED:
        case CHANGE_CLAIM_ANSWERED:
        case CHANGE_CLAIM_ENDED:
        case _CHANGE_KIND_MAX:
                break;
        }

        return false;
}

static void bus_server_audit_claim(BusServer *server, const Change *change) {
        const Claim *claim;

        claim = manager_find_claim(server->manager, change->id);
        if (!claim)
                return;

        if (change->kind == CHANGE_CLAIM_ENDED)
                audit_unclaimed(claim);
        else if (claim->state == CLAIM_PARKED)
                audit_parked(claim);
        else if (claim->state == CLAIM_FAILED)
                audit_claim_failed(claim);
}

static void bus_server_audit(BusServer *server, const Change *change) {
        const QuarantineEntry *entry;
        const Lease *lease;

        if (change->kind == CHANGE_DEVICE_CLEARED)
                audit_cleared(change->name);

        if (change->kind == CHANGE_DEVICE_RESET)
                audit_reset(change->name, change->id);

        if (change->kind == CHANGE_DEVICE_QUARANTINED) {
                entry = quarantine_find(server->manager->quarantine, change->name);
                if (entry)
                        audit_quarantined(entry);
        }

        if (change->kind == CHANGE_CLAIM_CHANGED || change->kind == CHANGE_CLAIM_ENDED)
                bus_server_audit_claim(server, change);

        if (change->kind != CHANGE_LEASE_CHANGED && change->kind != CHANGE_LEASE_ENDING &&
            change->kind != CHANGE_LEASE_ENDED)
                return;

        lease = manager_find_lease(server->manager, change->id);
        if (!lease)
                return;

        if (change->kind == CHANGE_LEASE_ENDING)
                audit_ending(lease);
        else if (change->kind == CHANGE_LEASE_ENDED)
                audit_ended(lease);
        else if (lease->state == LEASE_STUCK)
                audit_stuck(lease);
}

void bus_server_publish(BusServer *server, const ChangeSet *changes, ChangeSet *more) {
        for (size_t i = 0; i < changes->n_items; i++)
                if (changes->items[i].kind == CHANGE_LEASE_ANSWERED)
                        bus_server_answer(server, changes->items[i].id, more);
                else if (changes->items[i].kind == CHANGE_OPERATION_DONE)
                        bus_server_answer_operation(server, changes->items[i].id);
                else if (changes->items[i].kind == CHANGE_CLAIM_ANSWERED)
                        bus_server_answer_claim(server, changes->items[i].id);

        for (size_t i = 0; i < changes->n_items; i++) {
                const Change *change = &changes->items[i];
                _cleanup_free_ char *path = NULL;
                int r;

                if (change_is_lease_event(change)) {
                        lease_event_publish(server, change);
                        continue;
                }

                bus_server_audit(server, change);
                if (!bus_server_has_news(server, changes, i))
                        continue;

                r = path_of_change(change, &path);
                if (r >= 0)
                        r = emit(server->bus, change, path);
                if (r < 0 && r != -ENOTCONN)
                        log_warning("A signal could not be sent, ignoring: %s", strerrordesc_np(-r));
        }

        if (changes->lost)
                log_warning("Out of memory: not all changes could be announced");
}
