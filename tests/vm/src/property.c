/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Prints a property of an object on the system bus, an unsigned number or a string.
 *
 *     property SERVICE OBJECT INTERFACE NAME
 *
 * As `busctl get-property` does, in half the time that this takes on an emulated machine: cases ask often.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

static int print_value(sd_bus_message *message) {
        union {
                uint32_t u;
                uint64_t t;
                const char *s;
        } value;
        const char *type;
        int r;

        r = sd_bus_message_peek_type(message, NULL, &type);
        if (r < 0)
                return r;
        if (strlen(type) != 1 || !strchr("utso", *type))
                return -EOPNOTSUPP;

        r = sd_bus_message_read(message, "v", type, &value);
        if (r < 0)
                return r;

        if (*type == SD_BUS_TYPE_UINT32)
                printf("%" PRIu32 "\n", value.u);
        else if (*type == SD_BUS_TYPE_UINT64)
                printf("%" PRIu64 "\n", value.t);
        else
                puts(value.s);
        return 0;
}

int main(int argc, char *argv[]) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        sd_bus *bus = NULL;
        int r;

        if (argc != 5)
                return 2;

        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_call_method(bus, argv[1], argv[2], "org.freedesktop.DBus.Properties", "Get",
                                       &error, &reply, "ss", argv[3], argv[4]);
        if (r >= 0)
                r = print_value(reply);
        if (r < 0)
                fprintf(stderr, "%s of %s: %s\n", argv[4], argv[2],
                        error.message ? error.message : strerrordesc_np(-r));

        sd_bus_message_unref(reply);
        sd_bus_error_free(&error);
        sd_bus_flush_close_unref(bus);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
