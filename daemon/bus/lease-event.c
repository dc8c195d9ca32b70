/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <string.h>

#include "bus/audit.h"
#include "bus/client.h"
#include "bus/holder-end.h"
#include "bus/lease-event.h"
#include "bus/path.h"
#include "bus/request.h"
#include "core/change.h"
#include "core/device.h"
#include "core/group.h"
#include "core/lease.h"
#include "core/manager.h"
#include "names.h"
#include "sys/journal.h"

bool change_is_lease_event(const Change *change) {
        return change->kind >= CHANGE_LEASE_STALE && change->kind <= CHANGE_LEASE_KILL;
}

static int new_signal(BusServer *server, const Lease *lease, const char *member, const char *client,
                      sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = path_of_lease(lease->id, &path);
        if (r < 0)
                return r;

        r = sd_bus_message_new_signal(server->bus, &message, path, IOMMUD_INTERFACE_LEASE, member);
        if (r < 0)
                return r;

        r = sd_bus_message_set_destination(message, client);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(message);
        return 0;
}

/* To the one who acquired the lease. One who is not on this bus any more is not told; that is no failure. */
static int tell_client(BusServer *server, const Lease *lease, const char *member, const char *types, ...) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        const char *client;
        va_list ap;
        int r;

        client = client_on_bus(server->bus, lease->client);
        if (!client)
                return 0;

        r = new_signal(server, lease, member, client, &message);
        if (r < 0)
                return r;

        va_start(ap, types);
        r = sd_bus_message_appendv(message, types, ap);
        va_end(ap);
        if (r < 0)
                return r;

        return sd_bus_send(server->bus, message, /* ret_cookie= */ NULL);
}

static int ask_client(BusServer *server, const Lease *lease, const char *reason, uint64_t deadline_usec) {
        audit_requested(lease, reason);
        return tell_client(
                server, lease, IOMMUD_SIGNAL_RELEASE_REQUESTED, "st", reason, deadline_usec);
}

/* The clock of its end goes on while the host sleeps, that of the signal does not. */
static int announce_end(BusServer *server, const Lease *lease) {
        uint64_t now = bus_boottime_usec();

        return ask_client(server, lease, "its time is over then: the policy allows it no longer",
                          bus_monotonic_usec() + (lease->until_usec > now ? lease->until_usec - now : 0));
}

static void audit_stale_record(BusServer *server, const Lease *lease, const char *name) {
        const Device *device;

        device = manager_find_device(server->manager, name);
        if (device)
                audit_stale(lease, name, device->group->lease);
}

static void audit_growth(BusServer *server, const Lease *lease, const char *name) {
        const Device *device;

        device = manager_find_device(server->manager, name);
        if (device)
                audit_grew(lease, name, device->group->facts.id, device->facts.driver);
}

void lease_event_publish(BusServer *server, const Change *change) {
        const Lease *lease;
        int r = 0;

        lease = manager_find_lease(server->manager, change->id);
        if (!lease)
                return;

        if (change->kind == CHANGE_LEASE_STALE)
                audit_stale_record(server, lease, change->name);
        else if (change->kind == CHANGE_LEASE_REQUESTED)
                r = ask_client(server, lease, lease->request_reason, lease->request_deadline_usec);
        else if (change->kind == CHANGE_LEASE_EXPIRES)
                r = announce_end(server, lease);
        else if (change->kind == CHANGE_LEASE_DEVICE_GONE)
                r = tell_client(server, lease, IOMMUD_SIGNAL_DEVICE_GONE, "s", change->name);
        else if (change->kind == CHANGE_LEASE_GROUP_GREW) {
                audit_growth(server, lease, change->name);
                r = tell_client(server, lease, IOMMUD_SIGNAL_GROUP_GREW, "s", change->name);
        } else if (change->kind == CHANGE_LEASE_KILL)
                r = holder_end(server, lease, lease_find_device(lease, change->name), change->pid);

        if (r < 0 && r != -ENOTCONN)
                log_warning("What has happened to a lease could not be passed on, ignoring: %s",
                            strerrordesc_np(-r));
}
