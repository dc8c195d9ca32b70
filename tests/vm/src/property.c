/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Prints properties of an object on the system bus, a number or a string each, a line each.
 *
 *     property SERVICE OBJECT INTERFACE NAME...
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
                uint8_t y;
                int16_t n;
                uint16_t q;
                int32_t i;
                uint32_t u;
                int64_t x;
                uint64_t t;
                const char *s;
                int b;
        } value;
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(message, NULL, &contents);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, contents);
        if (r < 0)
                return r;
        r = sd_bus_message_peek_type(message, &type, NULL);
        if (r < 0)
                return r;
        if (!strchr("ynqiuxtsogb", type))
                return -EOPNOTSUPP;
        r = sd_bus_message_read_basic(message, type, &value);
        if (r < 0)
                return r;

        switch (type) {
        case SD_BUS_TYPE_BYTE:
                printf("%" PRIu8 "\n", value.y);
                break;
        case SD_BUS_TYPE_INT16:
                printf("%" PRIi16 "\n", value.n);
                break;
        case SD_BUS_TYPE_UINT16:
                printf("%" PRIu16 "\n", value.q);
                break;
        case SD_BUS_TYPE_INT32:
                printf("%" PRIi32 "\n", value.i);
                break;
        case SD_BUS_TYPE_UINT32:
                printf("%" PRIu32 "\n", value.u);
                break;
        case SD_BUS_TYPE_INT64:
                printf("%" PRIi64 "\n", value.x);
                break;
        case SD_BUS_TYPE_UINT64:
                printf("%" PRIu64 "\n", value.t);
                break;
        case SD_BUS_TYPE_BOOLEAN:
                printf("%s\n", value.b ? "true" : "false");
                break;
        default:
                printf("%s\n", value.s);
                break;
        }
        return 0;
}

int main(int argc, char *argv[]) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus *bus = NULL;
        int r;

        if (argc < 5)
                return 2;

        r = sd_bus_open_system(&bus);
        for (int i = 4; r >= 0 && i < argc; i++) {
                sd_bus_message *reply = NULL;

                r = sd_bus_call_method(bus, argv[1], argv[2], "org.freedesktop.DBus.Properties", "Get",
                                       &error, &reply, "ss", argv[3], argv[i]);
                if (r >= 0)
                        r = print_value(reply);
                sd_bus_message_unref(reply);
        }
        if (r < 0)
                fprintf(stderr, "%s of %s: %s\n", argv[3], argv[2],
                        error.message ? error.message : strerrordesc_np(-r));

        sd_bus_error_free(&error);
        sd_bus_flush_close_unref(bus);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
