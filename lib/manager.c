/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the Manager is asked for that is not a list of records. */

#include "names.h"
#include "public.h"
#include "record.h"
#include "text.h"

_public_ void iommud_strings_free(char **strings) {
        strv_free(strings);
}

/* A property of the Manager, into what its type reads. */
static int manager_get(iommud_client *client, const char *property, const FieldType *type, void *ret) {
        _cleanup_message_ sd_bus_message *message = NULL, *reply = NULL;
        int r;

        r = client_begin(client);
        if (r < 0)
                return r;
        r = client_prepare(client, IOMMUD_PATH, "org.freedesktop.DBus.Properties", "Get", &message);
        if (r < 0)
                return r;
        r = sd_bus_message_append(message, "ss", IOMMUD_INTERFACE_MANAGER, property);
        if (r < 0)
                return client_fail(client, r, "no memory to ask for %s", property);

        r = client_call(client, message, 0, &reply);
        if (r != 0)
                return r;

        r = client_expect(client, property, reply, "v");
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(reply, 'v', type->signature);
        if (r >= 0)
                r = type->read(reply, ret);
        if (r < 0)
                type->done(ret);

        return client_reply_read(client, property, r);
}

_public_ int iommud_get_version(iommud_client *client, char **ret_version) {
        char *version = NULL;
        int r;

        if (!ret_version)
                return -EINVAL;

        r = manager_get(client, "Version", &field_text, &version);
        if (r != 0)
                return r;

        *ret_version = version;
        return 0;
}

_public_ int iommud_get_features(iommud_client *client, char ***ret_features) {
        char **features = NULL;
        int r;

        if (!ret_features)
                return -EINVAL;

        r = manager_get(client, "Features", &field_texts, &features);
        if (r != 0)
                return r;

        *ret_features = features;
        return 0;
}

_public_ int iommud_reload(iommud_client *client) {
        int r;

        r = client_begin(client);
        if (r < 0)
                return r;

        return client_ask(client, "Reload", /* ret_reply= */ NULL);
}

/* Calls a method of the Manager whose one argument is a selector. @ret_reply may be NULL. */
static int manager_call_with_selector(
                iommud_client *client,
                const char *member,
                const char *selector,
                sd_bus_message **ret_reply) {

        _cleanup_message_ sd_bus_message *message = NULL;
        int r;

        r = client_begin(client);
        if (r < 0)
                return r;
        r = client_prepare(client, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, member, &message);
        if (r < 0)
                return r;
        r = sd_bus_message_append(message, "s", selector);
        if (r < 0)
                return client_fail(client, r, "the selector cannot be sent: it is not UTF-8");

        return client_call(client, message, 0, ret_reply);
}

static int push_text(char ***list, const char *text) {
        _cleanup_free_ char *copy = NULL;
        int r;

        copy = text_dup(text);
        if (!copy)
                return -ENOMEM;

        r = strv_push_take(list, copy);
        if (r < 0)
                return r;

        TAKE_PTR(copy);
        return 0;
}

static int read_quarantine(sd_bus_message *reply, char ***devices, char ***reasons) {
        const char *device, *reason;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "(ss)");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_read(reply, "(ss)", &device, &reason)) > 0) {
                if (!name_is_valid(device))
                        return -EBADMSG;
                r = push_text(devices, device);
                if (r >= 0)
                        r = push_text(reasons, reason);
                if (r < 0)
                        return r;
        }

        return r;
}

_public_ int iommud_list_quarantine(iommud_client *client, char ***ret_devices, char ***ret_reasons) {
        _cleanup_(strv_freep) char **devices = NULL, **reasons = NULL;
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r;

        if (!ret_devices || !ret_reasons)
                return -EINVAL;

        r = client_begin(client);
        if (r < 0)
                return r;
        r = client_ask(client, "ListQuarantine", &reply);
        if (r != 0)
                return r;
        r = client_expect(client, "ListQuarantine", reply, "a(ss)");
        if (r < 0)
                return r;

        devices = calloc(1, sizeof(*devices));
        reasons = calloc(1, sizeof(*reasons));
        r = devices && reasons ? read_quarantine(reply, &devices, &reasons) : -ENOMEM;
        r = client_reply_read(client, "ListQuarantine", r);
        if (r < 0)
                return r;

        *ret_devices = TAKE_PTR(devices);
        *ret_reasons = TAKE_PTR(reasons);
        return 0;
}

_public_ int iommud_clear_quarantine(iommud_client *client, const char *selector) {
        if (!selector)
                return -EINVAL;

        return manager_call_with_selector(client, "ClearQuarantine", selector, /* ret_reply= */ NULL);
}

_public_ int iommud_find(iommud_client *client, const char *selector, char ***ret_names) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        if (!selector || !ret_names)
                return -EINVAL;

        r = manager_call_with_selector(client, "Find", selector, &reply);
        if (r != 0)
                return r;

        r = client_expect(client, "Find", reply, "ao");
        if (r < 0)
                return r;
        r = client_reply_read(client, "Find", field_devices.read(reply, &names));
        if (r < 0)
                return r;

        *ret_names = TAKE_PTR(names);
        return 0;
}
