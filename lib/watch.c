/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "names.h"
#include "public.h"
#include "watch.h"

#define MATCH_MAX 256

#define MATCH_SIGNAL "type='signal',sender='" IOMMUD_BUS_NAME "'"

/*
 * The news may be a signal of the lease, or about it; or that iommud itself comes or goes. Those of other
 * leases are none, and there may be many.
 */
static void print_matches(uint64_t id, char ret[WATCH_MATCHES][MATCH_MAX]) {
        (void) snprintf(ret[0], MATCH_MAX, MATCH_SIGNAL ",path='" IOMMUD_PATH_LEASE "/%" PRIu64 "'", id);
        (void) snprintf(ret[1], MATCH_MAX,
                        MATCH_SIGNAL ",path='" IOMMUD_PATH "',arg0path='" IOMMUD_PATH_LEASE "/%" PRIu64 "'",
                        id);
        (void) snprintf(ret[2], MATCH_MAX,
                        "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'"
                        ",arg0='" IOMMUD_BUS_NAME "'");
}

int watch_lease(
                sd_bus *bus, uint64_t id, sd_bus_message_handler_t func, void *userdata,
                sd_bus_slot *slots[static WATCH_MATCHES]) {

        char matches[WATCH_MATCHES][MATCH_MAX];
        int r = 0;

        print_matches(id, matches);
        for (size_t i = 0; i < WATCH_MATCHES; i++)
                slots[i] = NULL;
        for (size_t i = 0; i < WATCH_MATCHES && r >= 0; i++)
                r = sd_bus_add_match(bus, &slots[i], matches[i], func, userdata);
        if (r < 0)
                unwatch_lease(slots);

        return r;
}

void unwatch_lease(sd_bus_slot *slots[static WATCH_MATCHES]) {
        for (size_t i = 0; i < WATCH_MATCHES; i++)
                slots[i] = sd_bus_slot_unref(slots[i]);
}

/* ---- in the event loop of the program */

static int on_news(sd_bus_message *message, void *userdata, sd_bus_error *reterr_error) {
        iommud_client *client = userdata;

        client->watch_func(client->watch_lease, client->watch_userdata);
        return 0;
}

void client_drop_watch(iommud_client *client) {
        client->watch_func = NULL;
        unwatch_lease(client->watch_slots);
}

_public_ int iommud_watch_lease(
                iommud_client *client, uint64_t id, iommud_watch_func func, void *userdata) {

        int r;

        if (id == 0)
                return -EINVAL;

        r = client_begin(client);
        if (r < 0)
                return r;

        client_drop_watch(client);
        if (!func)
                return 0;

        r = watch_lease(client->bus, id, on_news, client, client->watch_slots);
        if (r < 0)
                return client_fail(client, r, "the bus does not let us listen to iommud: %s", strerror(-r));

        client->watch_func = func;
        client->watch_userdata = userdata;
        client->watch_lease = id;
        return 0;
}
