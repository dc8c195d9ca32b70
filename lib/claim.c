/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "client.h"
#include "names.h"
#include "public.h"

/* Drivers come and go meanwhile, which can take long for each of many devices. */
#define CLAIM_TIMEOUT_USEC (UINT64_C(300) * 1000 * 1000)

/* A call of @member of a group, up to its options. */
static int group_prepare(
                iommud_client *client, uint32_t group, const char *member, sd_bus_message **ret) {

        char path[64];
        int r;

        r = client_begin(client);
        if (r < 0)
                return r;

        snprintf(path, sizeof(path), IOMMUD_PATH_GROUP "/%u", group);
        return client_prepare(client, path, IOMMUD_INTERFACE_GROUP, member, ret);
}

static int group_call(iommud_client *client, sd_bus_message *message, uint32_t group) {
        int r;

        r = client_call(client, message, CLAIM_TIMEOUT_USEC, /* ret_reply= */ NULL);
        if (r == -EBADR)                /* of sd-bus, for an object that is not there */
                return client_fail(client, IOMMUD_E_NO_SUCH_DEVICE, "there is no group %u", group);

        return r;
}

_public_ int iommud_group_claim(iommud_client *client, uint32_t group, unsigned flags) {
        _cleanup_message_ sd_bus_message *message = NULL;
        int r;

        if (flags & ~(IOMMUD_CLAIM_PERSISTENT | IOMMUD_CLAIM_ACCEPT))
                return -EINVAL;

        r = group_prepare(client, group, "Claim", &message);
        if (r < 0)
                return r;

        r = sd_bus_message_open_container(message, 'a', "{sv}");
        if (r >= 0 && flags & IOMMUD_CLAIM_PERSISTENT)
                r = sd_bus_message_append(message, "{sv}", IOMMUD_OPTION_PERSISTENT, "b", 1);
        if (r >= 0 && flags & IOMMUD_CLAIM_ACCEPT)
                r = sd_bus_message_append(message, "{sv}", IOMMUD_OPTION_ACCEPT, "b", 1);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        if (r < 0)
                return client_fail(client, r, "no memory to ask for group %u", group);

        return group_call(client, message, group);
}

_public_ int iommud_group_release(iommud_client *client, uint32_t group) {
        _cleanup_message_ sd_bus_message *message = NULL;
        int r;

        r = group_prepare(client, group, "Release", &message);
        if (r < 0)
                return r;

        r = sd_bus_message_append(message, "a{sv}", 0);
        if (r < 0)
                return client_fail(client, r, "no memory to ask for group %u", group);

        return group_call(client, message, group);
}
