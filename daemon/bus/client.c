/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "bus/client.h"

/* "00112233445566778899aabbccddeeff:1.42" */
#define BUS_ID_LENGTH 32

static int bus_id(sd_bus *bus, char *ret) {
        sd_id128_t id;
        int r;

        r = sd_bus_get_bus_id(bus, &id);
        if (r < 0)
                return r;

        (void) sd_id128_to_string(id, ret);
        return 0;
}

int client_of_sender(sd_bus_message *message, char *ret) {
        const char *sender = sd_bus_message_get_sender(message);
        char id[SD_ID128_STRING_MAX];
        int r;

        ret[0] = '\0';
        if (!sender || sender[0] != ':' || strlen(sender) >= CLIENT_MAX - BUS_ID_LENGTH)
                return 0;

        r = bus_id(sd_bus_message_get_bus(message), id);
        if (r < 0)
                return r;

        snprintf(ret, CLIENT_MAX, "%s%s", id, sender);
        return 0;
}

const char *client_on_bus(sd_bus *bus, const char *client) {
        char id[SD_ID128_STRING_MAX];

        if (strlen(client) <= BUS_ID_LENGTH || client[BUS_ID_LENGTH] != ':' || bus_id(bus, id) < 0)
                return NULL;

        return strncmp(client, id, BUS_ID_LENGTH) == 0 ? client + BUS_ID_LENGTH : NULL;
}
