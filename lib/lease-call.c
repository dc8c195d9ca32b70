/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "lease-call.h"
#include "names.h"

#define PATH_LEASE_MAX (sizeof(IOMMUD_PATH_LEASE "/") + 20)

int lease_prepare(iommud_client *client, uint64_t lease, const char *member, sd_bus_message **ret) {
        char path[PATH_LEASE_MAX];
        int r;

        if (lease == 0)
                return -EINVAL;

        r = client_begin(client);
        if (r < 0)
                return r;

        (void) snprintf(path, sizeof(path), IOMMUD_PATH_LEASE "/%" PRIu64, lease);
        return client_prepare(client, path, IOMMUD_INTERFACE_LEASE, member, ret);
}

int lease_call(
                iommud_client *client, uint64_t lease, int r, sd_bus_message *m, const char *types,
                sd_bus_message **ret_reply) {

        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *member = sd_bus_message_get_member(m);

        if (r < 0)
                return client_fail(client, r, "the call of %s cannot be sent: %s", member, strerror(-r));

        r = client_call(client, m, 0, &reply);
        if (r == -EBADR)                /* of sd-bus, for an object that is not there */
                return client_fail(client, IOMMUD_E_NO_SUCH_LEASE, "there is no lease %" PRIu64, lease);
        if (r != 0)
                return r;

        r = client_expect(client, member, reply, types);
        if (r < 0)
                return r;

        *ret_reply = TAKE_PTR(reply);
        return 0;
}

int message_read_fd(sd_bus_message *m, const char *role, int *ret_fd) {
        const char *other;
        int r, fd, copy = -EBADF;

        r = sd_bus_message_enter_container(m, 'a', "{sh}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_read(m, "{sh}", &other, &fd)) > 0)
                if (strcmp(other, role) == 0 && copy < 0) {
                        copy = fd_dup(fd);
                        if (copy < 0)
                                return copy;
                }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0) {
                close_fd(copy);
                return r;
        }

        *ret_fd = copy;
        return 0;
}

int message_append_bytes(sd_bus_message *m, const char *key, const void *data, size_t size) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", key);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "ay");
        if (r >= 0)
                r = sd_bus_message_append_array(m, 'y', data, size);
        for (unsigned i = 0; i < 2 && r >= 0; i++)
                r = sd_bus_message_close_container(m);

        return r;
}
