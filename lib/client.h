/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The connection to iommud, and the one way in which it is asked. Functions here that return an int do so as
 * iommud.h says: 0, a negative errno, or the code of a refusal; each failure leaves its text with the
 * client.
 */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "base/macro.h"
#include "iommud.h"
#include "watch.h"

struct iommud_client {
        sd_bus *bus;
        char *error_text;               /* NULL: nothing was wrong, or no memory to say so */

        /* lib/event.c */
        iommud_event_func event_func;   /* NULL: nobody listens */
        void *event_userdata;
        char *daemon_name;              /* the unique name of iommud; NULL: it is not on the bus */
        sd_bus_slot *event_slot, *owner_slot;

        /* lib/watch.c */
        iommud_watch_func watch_func;   /* NULL: no lease is watched */
        void *watch_userdata;
        uint64_t watch_lease;
        sd_bus_slot *watch_slots[WATCH_MATCHES];
};

#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)

/* Nobody listens any more: lib/event.c. */
void client_drop_events(iommud_client *client);

/* The same: lib/watch.c. */
void client_drop_watch(iommud_client *client);

/* Every public function that asks begins with it: forgets the last failure. -EINVAL without a client. */
int client_begin(iommud_client *client) _must_check_;

/* Leaves @format with the client as the text of the failure @r, which is not 0, and returns @r. */
int client_fail(iommud_client *client, int r, const char *format, ...) _printf_(3, 4);

/* A call of @member, to be filled with arguments. */
int client_prepare(
                iommud_client *client,
                const char *path,
                const char *interface,
                const char *member,
                sd_bus_message **ret) _must_check_;

/* Sends @message and waits for the answer; @usec of 0 is the usual time. @ret_reply may be NULL. */
int client_call(
                iommud_client *client,
                sd_bus_message *message,
                uint64_t usec,
                sd_bus_message **ret_reply) _must_check_;

/* Both for a method of the Manager that has no argument. */
int client_ask(iommud_client *client, const char *member, sd_bus_message **ret_reply) _must_check_;

/* Whether the reply to @member has the types that the contract says. */
int client_expect(
                iommud_client *client,
                const char *member,
                sd_bus_message *reply,
                const char *signature) _must_check_;

/*
 * The result for a reply that was read with the result @r of sd-bus or of our own readers: 0 if that is not
 * negative, -ENOMEM, or -EBADMSG for every way in which a reply can be other than the contract says.
 */
int client_reply_read(iommud_client *client, const char *member, int r) _must_check_;
