/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "lease.h"
#include "names.h"
#include "public.h"
#include "request.h"
#include "text.h"

_public_ int iommud_acquire(iommud_client *client, const iommud_request *request, iommud_lease **ret_lease) {
        _cleanup_message_ sd_bus_message *message = NULL, *reply = NULL;
        int r;

        if (!request || !ret_lease)
                return -EINVAL;

        r = client_begin(client);
        if (r < 0)
                return r;
        r = request_prepare(client, request, "Acquire", &message);
        if (r < 0)
                return r;
        r = client_call(client, message, request->timeout_usec, &reply);
        if (r != 0)
                return r;

        r = client_expect(client, "Acquire", reply, "oa{sh}a{sv}");
        if (r < 0)
                return r;

        /* When it makes no sense: the lifeline is closed together with the reply, and the lease ends */
        return client_reply_read(client, "Acquire", lease_read(reply, request->holder >= 0, ret_lease));
}

_public_ void iommud_lease_free(iommud_lease *lease) {
        if (!lease)
                return;

        /* The lifeline is last: when iommud hears of the end, the device fds are closed already */
        for (size_t i = 0; i < lease->n_handouts; i++) {
                close_fd(lease->handouts[i].fd);
                free(lease->handouts[i].role);
        }

        free(lease->handouts);
        free(lease->roles);
        strv_free(lease->devices);
        strv_free(lease->companions);
        field_handles.done(&lease->domains);
        field_ids.done(&lease->domain_ids);
        field_ids.done(&lease->device_ids);
        free(lease->groups.items);
        free(lease->accounting);
        free(lease->mode);
        free(lease->path);
        free(lease);
}

DEFINE_GETTER(lease, uint64_t, id, 0);
DEFINE_GETTER(lease, uint64_t, ioas, 0);
DEFINE_GETTER(lease, uint32_t, ioas_id, 0);
DEFINE_GETTER_TEXT(lease, path);
DEFINE_GETTER_TEXT(lease, mode);
DEFINE_GETTER_TEXT(lease, accounting);
DEFINE_GETTER_LIST(lease, devices);
DEFINE_GETTER_LIST(lease, companions);
DEFINE_GETTER_LIST(lease, roles);
DEFINE_GETTER_NUMBERS(lease, groups);

/* The number that belongs to the device at @index; 0 when there is none. */
static uint64_t lease_find_number(const iommud_lease *lease, const NamedNumbers *numbers, size_t index) {
        for (size_t i = 0; lease->devices[i]; i++)
                if (i == index)
                        return named_numbers_find(numbers, lease->devices[i]);

        return 0;
}

_public_ uint64_t iommud_lease_domain(const iommud_lease *lease, size_t index) {
        return lease ? lease_find_number(lease, &lease->domains, index) : 0;
}

_public_ uint32_t iommud_lease_domain_id(const iommud_lease *lease, size_t index) {
        return lease ? (uint32_t) lease_find_number(lease, &lease->domain_ids, index) : 0;
}

_public_ uint32_t iommud_lease_device_id(const iommud_lease *lease, size_t index) {
        return lease ? (uint32_t) lease_find_number(lease, &lease->device_ids, index) : 0;
}

Handout *lease_find(const iommud_lease *lease, const char *role) {
        for (size_t i = 0; i < lease->n_handouts; i++)
                if (strcmp(lease->handouts[i].role, role) == 0)
                        return &lease->handouts[i];

        return NULL;
}

_public_ int iommud_lease_fd(const iommud_lease *lease, const char *role) {
        const Handout *handout;

        if (!lease || !role)
                return -EINVAL;

        handout = lease_find(lease, role);
        return handout ? handout->fd : -ENOENT;
}

_public_ int iommud_lease_device_fd(const iommud_lease *lease, size_t index) {
        char role[sizeof(IOMMUD_FD_DEVICE_PREFIX) + NAME_LENGTH_MAX];
        size_t n = 0;

        if (!lease)
                return -EINVAL;

        while (lease->devices[n])
                n++;
        if (index >= n)
                return -ENOENT;

        (void) snprintf(role, sizeof(role), IOMMUD_FD_DEVICE_PREFIX "%s", lease->devices[index]);
        return iommud_lease_fd(lease, role);
}

_public_ int iommud_lease_take_fd(iommud_lease *lease, const char *role) {
        Handout *handout;

        if (!lease || !role)
                return -EINVAL;

        handout = lease_find(lease, role);
        return handout ? TAKE_FD(handout->fd) : -ENOENT;
}
