/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "error.h"
#include "names.h"
#include "public.h"
#include "text.h"

DEFINE_CLEANUP_FUNC(iommud_client, iommud_client_free);

static int client_start(iommud_client *client, const char *address) {
        int r;

        if (!address)
                return sd_bus_open_system(&client->bus);

        r = sd_bus_new(&client->bus);
        if (r < 0)
                return r;
        r = sd_bus_set_address(client->bus, address);
        if (r < 0)
                return r;
        r = sd_bus_set_bus_client(client->bus, true);
        if (r < 0)
                return r;
        return sd_bus_start(client->bus);
}

_public_ int iommud_connect(const char *address, iommud_client **ret_client) {
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        int r;

        if (!ret_client)
                return -EINVAL;

        client = calloc(1, sizeof(*client));
        if (!client)
                return -ENOMEM;

        r = client_start(client, address);
        if (r < 0)
                return r;

        *ret_client = TAKE_PTR(client);
        return 0;
}

_public_ void iommud_client_free(iommud_client *client) {
        if (!client)
                return;

        client_drop_events(client);
        client_drop_watch(client);

        /* Nothing is queued for sending: every call has waited for its answer */
        sd_bus_close_unref(client->bus);
        free(client->error_text);
        free(client);
}

_public_ int iommud_set_interactive(iommud_client *client, bool interactive) {
        if (!client)
                return -EINVAL;

        return sd_bus_set_allow_interactive_authorization(client->bus, interactive) < 0 ? -EINVAL : 0;
}

_public_ const char *iommud_error_text(const iommud_client *client) {
        return client && client->error_text ? client->error_text : "";
}

int client_begin(iommud_client *client) {
        if (!client)
                return -EINVAL;

        free(client->error_text);
        client->error_text = NULL;
        return 0;
}

int client_fail(iommud_client *client, int r, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;
        int n;

        assert(r != 0);

        free(client->error_text);
        client->error_text = NULL;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0)
                text = NULL;            /* left undefined by vasprintf() */
        else
                client->error_text = text_dup(text);

        return r;
}

int client_prepare(
                iommud_client *client,
                const char *path,
                const char *interface,
                const char *member,
                sd_bus_message **ret) {

        int r;

        r = sd_bus_message_new_method_call(client->bus, ret, IOMMUD_BUS_NAME, path, interface, member);
        if (r < 0)
                return client_fail(client, r, "cannot prepare the call of %s: %s", member, strerror(-r));

        return 0;
}

int client_call(iommud_client *client, sd_bus_message *message, uint64_t usec, sd_bus_message **ret_reply) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_call(client->bus, message, usec, &error, ret_reply);
        if (r >= 0)
                return 0;

        return client_fail(client, error_from_reply(&error, r), "%s", error.message ?: strerror(-r));
}

int client_ask(iommud_client *client, const char *member, sd_bus_message **ret_reply) {
        _cleanup_message_ sd_bus_message *message = NULL;
        int r;

        r = client_prepare(client, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, member, &message);
        if (r < 0)
                return r;

        return client_call(client, message, 0, ret_reply);
}

int client_expect(
                iommud_client *client,
                const char *member,
                sd_bus_message *reply,
                const char *signature) {

        bool same = sd_bus_message_has_signature(reply, signature) > 0;

        return client_reply_read(client, member, same ? 0 : -EBADMSG);
}

int client_reply_read(iommud_client *client, const char *member, int r) {
        if (r >= 0)
                return 0;
        if (r == -ENOMEM)
                return client_fail(client, r, "no memory for the answer to %s", member);

        return client_fail(client, -EBADMSG,
                           "the answer to %s does not follow the interface of iommud; "
                           "are iommud and libiommud of one version?", member);
}
