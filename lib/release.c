/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "lease-call.h"
#include "lease-info.h"
#include "names.h"
#include "public.h"
#include "watch.h"

/* @appended is the result of appending the options. */
static int call(iommud_client *client, uint64_t id, sd_bus_message *message, int appended) {
        int r;

        if (appended == -EINVAL)
                return client_fail(client, appended, "the reason is not text in UTF-8");
        if (appended < 0)
                return client_fail(
                        client, appended, "no memory to ask for the release of lease %" PRIu64, id);

        r = client_call(client, message, 0, /* ret_reply= */ NULL);
        if (r == -EBADR)                /* of sd-bus, for an object that is not there */
                return client_fail(client, IOMMUD_E_NO_SUCH_LEASE, "there is no lease %" PRIu64, id);

        return r;
}

_public_ int iommud_release(iommud_client *client, uint64_t id) {
        _cleanup_message_ sd_bus_message *message = NULL;
        int r;

        r = lease_prepare(client, id, "Release", &message);
        if (r < 0)
                return r;

        return call(client, id, message, sd_bus_message_append(message, "a{sv}", 0));
}

_public_ int iommud_ask_for_release(
                iommud_client *client, uint64_t id, const char *reason, uint64_t deadline_usec) {

        _cleanup_message_ sd_bus_message *message = NULL;
        int r;

        r = lease_prepare(client, id, "Release", &message);
        if (r < 0)
                return r;

        r = sd_bus_message_append(message, "a{sv}", 3, IOMMUD_OPTION_REQUEST, "b", true,
                                  IOMMUD_OPTION_DEADLINE, "t", deadline_usec,
                                  IOMMUD_OPTION_REASON, "s", reason ?: "");
        return call(client, id, message, r);
}

_public_ int iommud_kill_holders(iommud_client *client, uint64_t id) {
        _cleanup_message_ sd_bus_message *message = NULL;
        int r;

        r = lease_prepare(client, id, "Release", &message);
        if (r < 0)
                return r;

        r = sd_bus_message_append(message, "a{sv}", 1, IOMMUD_OPTION_KILL, "b", true);
        return call(client, id, message, r);
}

/*
 * Looks at the lease: 0 when it is gone, -ETIMEDOUT when it is there, IOMMUD_E_STUCK when it will stay
 * there, and whatever else can be wrong.
 */
static int lease_look(iommud_client *client, uint64_t id) {
        iommud_lease_info **leases;
        int r;

        r = iommud_list_leases(client, &leases);
        if (r != 0)
                return r;

        for (size_t i = 0; leases[i]; i++) {
                const iommud_lease_info *lease = leases[i];

                if (lease->id != id)
                        continue;

                r = strcmp(lease->state, "stuck") == 0 ? IOMMUD_E_STUCK : -ETIMEDOUT;
                r = client_fail(client, r, "lease %" PRIu64 " is %s%s%s", id, lease->state,
                                lease->state_reason[0] ? ": " : "", lease->state_reason);
                break;
        }

        iommud_lease_infos_free(leases);
        return r;
}

static uint64_t now_usec(void) {
        struct timespec ts;
        int r;

        r = clock_gettime(CLOCK_MONOTONIC, &ts);
        assert(r == 0);

        return (uint64_t) ts.tv_sec * UINT64_C(1000000) + (uint64_t) ts.tv_nsec / 1000;
}

static int on_signal(sd_bus_message *message, void *userdata, sd_bus_error *reterr_error) {
        bool *heard = userdata;

        *heard = true;
        return 0;
}

/* Waits until something has been heard. -ETIMEDOUT leaves the text of the last look. */
static int wait_for_signal(iommud_client *client, const bool *heard, uint64_t deadline) {
        int r;

        while (!*heard) {
                uint64_t now;

                r = sd_bus_process(client->bus, /* ret_message= */ NULL);
                if (r < 0)
                        return client_fail(client, r, "the connection is lost: %s", strerror(-r));
                if (r > 0)
                        continue;

                now = now_usec();
                if (now >= deadline)
                        return -ETIMEDOUT;
                r = sd_bus_wait(client->bus, deadline == UINT64_MAX ? UINT64_MAX : deadline - now);
                if (r < 0 && r != -EINTR)
                        return client_fail(client, r, "the connection is lost: %s", strerror(-r));
        }

        return 0;
}

static int wait_until_gone(iommud_client *client, uint64_t id, uint64_t deadline, bool *heard) {
        for (;;) {
                int r;

                /* What is heard while we look makes us look again */
                *heard = false;
                r = lease_look(client, id);
                if (r != -ETIMEDOUT)
                        return r;
                r = wait_for_signal(client, heard, deadline);
                if (r < 0)
                        return r;
        }
}

_public_ int iommud_wait(iommud_client *client, uint64_t id, uint64_t usec) {
        sd_bus_slot *slots[WATCH_MATCHES];
        uint64_t deadline;
        bool heard;
        int r;

        if (id == 0)
                return -EINVAL;

        r = client_begin(client);
        if (r < 0)
                return r;
        if (__builtin_add_overflow(now_usec(), usec, &deadline))
                deadline = UINT64_MAX;

        r = watch_lease(client->bus, id, on_signal, &heard, slots);
        if (r < 0)
                return client_fail(client, r, "the bus does not let us listen to iommud: %s", strerror(-r));

        r = wait_until_gone(client, id, deadline, &heard);
        unwatch_lease(slots);
        return r;
}
