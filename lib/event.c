/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What iommud tells a client of its leases. Anybody on a bus can send a signal that looks like one of
 * iommud's to us alone: what counts is that its sender owns iommud's name, which the bus vouches for.
 */

#include <string.h>

#include "client.h"
#include "names.h"
#include "public.h"
#include "text.h"

struct iommud_event {
        enum iommud_event_kind kind;
        uint64_t lease;
        const char *device;
        const char *reason;
        uint64_t deadline_usec;
};

static const char owner_match[] =
        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
        "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" IOMMUD_BUS_NAME "'";

_public_ enum iommud_event_kind iommud_event_kind(const iommud_event *event) {
        return event ? event->kind : 0;
}

_public_ uint64_t iommud_event_lease(const iommud_event *event) {
        return event ? event->lease : 0;
}

_public_ const char *iommud_event_device(const iommud_event *event) {
        return event ? event->device : "";
}

_public_ const char *iommud_event_reason(const iommud_event *event) {
        return event ? event->reason : "";
}

_public_ uint64_t iommud_event_deadline(const iommud_event *event) {
        return event ? event->deadline_usec : 0;
}

static enum iommud_event_kind kind_of(const char *member) {
        static const struct {
                const char *member;
                enum iommud_event_kind kind;
        } table[] = {
                { IOMMUD_SIGNAL_RELEASE_REQUESTED, IOMMUD_EVENT_RELEASE_REQUESTED },
                { IOMMUD_SIGNAL_DEVICE_GONE,       IOMMUD_EVENT_DEVICE_GONE       },
                { IOMMUD_SIGNAL_GROUP_GREW,        IOMMUD_EVENT_GROUP_GREW        },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (strcmp(table[i].member, member) == 0)
                        return table[i].kind;

        return 0;                       /* of a later version */
}

/* What does not follow the contract is no event. */
static int tell(iommud_client *client, sd_bus_message *message) {
        _cleanup_free_ char *text = NULL;
        iommud_event event = { .device = "", .reason = "" };
        const char *argument;

        event.kind = kind_of(sd_bus_message_get_member(message));
        if (!event.kind ||
            path_to_number(sd_bus_message_get_path(message), IOMMUD_PATH_LEASE, &event.lease) < 0 ||
            sd_bus_message_read(message, "s", &argument) < 0)
                return 0;
        if (event.kind == IOMMUD_EVENT_RELEASE_REQUESTED
                            ? sd_bus_message_read(message, "t", &event.deadline_usec) < 0
                            : !name_is_valid(argument))
                return 0;

        text = text_dup(argument);
        if (!text)
                return -ENOMEM;

        *(event.kind == IOMMUD_EVENT_RELEASE_REQUESTED ? &event.reason : &event.device) = text;
        client->event_func(&event, client->event_userdata);
        return 0;
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *reterr_error) {
        iommud_client *client = userdata;
        const char *sender;

        if (!client->event_func || !sd_bus_message_is_signal(message, IOMMUD_INTERFACE_LEASE, NULL))
                return 0;

        sender = sd_bus_message_get_sender(message);
        if (!sender || !client->daemon_name || strcmp(sender, client->daemon_name) != 0)
                return 0;

        return tell(client, message);
}

static int set_daemon_name(iommud_client *client, const char *name) {
        char *copy = NULL;

        if (name[0]) {
                copy = strdup(name);
                if (!copy)
                        return -ENOMEM;
        }

        free(client->daemon_name);
        client->daemon_name = copy;
        return 0;
}

static int on_owner_changed(sd_bus_message *message, void *userdata, sd_bus_error *reterr_error) {
        const char *name, *before, *now, *sender = sd_bus_message_get_sender(message);
        iommud_client *client = userdata;

        /* a match does not keep out what somebody sends to us alone */
        if (!sender || strcmp(sender, "org.freedesktop.DBus") != 0 ||
            sd_bus_message_read(message, "sss", &name, &before, &now) < 0 ||
            strcmp(name, IOMMUD_BUS_NAME) != 0)
                return 0;

        return set_daemon_name(client, now);
}

static int find_daemon(iommud_client *client) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *name;
        int r;

        r = sd_bus_call_method(client->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                               "org.freedesktop.DBus", "GetNameOwner", &error, &reply, "s",
                               IOMMUD_BUS_NAME);
        if (r < 0 && sd_bus_error_has_name(&error, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
                return set_daemon_name(client, "");
        if (r < 0)
                return r;

        r = sd_bus_message_read(reply, "s", &name);
        return r < 0 ? r : set_daemon_name(client, name);
}

void client_drop_events(iommud_client *client) {
        client->event_func = NULL;
        client->event_slot = sd_bus_slot_unref(client->event_slot);
        client->owner_slot = sd_bus_slot_unref(client->owner_slot);
        free(client->daemon_name);
        client->daemon_name = NULL;
}

static int client_listen(iommud_client *client) {
        int r;

        r = sd_bus_add_filter(client->bus, &client->event_slot, on_message, client);
        if (r < 0)
                return r;

        /* before it is asked for, so that no change is missed */
        r = sd_bus_add_match(client->bus, &client->owner_slot, owner_match, on_owner_changed, client);
        if (r < 0)
                return r;

        return find_daemon(client);
}

_public_ int iommud_set_event_func(iommud_client *client, iommud_event_func func, void *userdata) {
        int r;

        r = client_begin(client);
        if (r < 0)
                return r;

        client_drop_events(client);
        if (!func)
                return 0;

        r = client_listen(client);
        if (r < 0) {
                client_drop_events(client);
                return client_fail(client, r, "the bus does not let us listen to iommud: %s", strerror(-r));
        }

        client->event_func = func;
        client->event_userdata = userdata;
        return 0;
}

_public_ int iommud_get_fd(iommud_client *client) {
        return client ? sd_bus_get_fd(client->bus) : -EINVAL;
}

_public_ int iommud_get_events(iommud_client *client) {
        return client ? sd_bus_get_events(client->bus) : -EINVAL;
}

_public_ int iommud_get_timeout(iommud_client *client, uint64_t *ret_usec) {
        uint64_t usec;
        int r;

        if (!client || !ret_usec)
                return -EINVAL;

        r = sd_bus_get_timeout(client->bus, &usec);
        if (r < 0)
                return r;

        *ret_usec = usec;
        return 0;
}

_public_ int iommud_dispatch(iommud_client *client) {
        int r;

        r = client_begin(client);
        if (r < 0)
                return r;

        do
                r = sd_bus_process(client->bus, /* ret_message= */ NULL);
        while (r > 0);

        return r < 0 ? client_fail(client, r, "the connection is lost: %s", strerror(-r)) : 0;
}
