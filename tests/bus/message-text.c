/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "fake/assert.h"
#include "message-text.h"

static void print_value(sd_bus_message *m, FILE *f);

/* Up to the end of the container. */
static void print_values(sd_bus_message *m, const char *separator, FILE *f) {
        const char *between = "";

        while (assert_ok(sd_bus_message_at_end(m, /* complete= */ false)) == 0) {
                fputs(between, f);
                print_value(m, f);
                between = separator;
        }
}

static void print_container(sd_bus_message *m, char type, const char *contents, FILE *f) {
        assert_ok(sd_bus_message_enter_container(m, type, contents));

        switch (type) {

        case SD_BUS_TYPE_ARRAY:
                fputc(contents[0] == '{' ? '{' : '[', f);
                print_values(m, ", ", f);
                fputc(contents[0] == '{' ? '}' : ']', f);
                break;

        case SD_BUS_TYPE_VARIANT:
                fprintf(f, "<%s ", contents);
                print_value(m, f);
                fputc('>', f);
                break;

        case SD_BUS_TYPE_STRUCT:
                fputc('(', f);
                print_values(m, ", ", f);
                fputc(')', f);
                break;

        case SD_BUS_TYPE_DICT_ENTRY:
                print_values(m, ": ", f);
                break;
        }

        assert_ok(sd_bus_message_exit_container(m));
}

static void print_basic(sd_bus_message *m, char type, FILE *f) {
        union {
                const char *s;
                uint8_t y;
                uint16_t q;
                uint32_t u;
                int32_t i;
                uint64_t t;
                int b, h;
        } value;

        assert_ok(sd_bus_message_read_basic(m, type, &value));

        switch (type) {

        case SD_BUS_TYPE_STRING:
        case SD_BUS_TYPE_OBJECT_PATH:
        case SD_BUS_TYPE_SIGNATURE:
                fprintf(f, "\"%s\"", value.s);
                return;

        case SD_BUS_TYPE_BOOLEAN:
                fputs(value.b ? "true" : "false", f);
                return;

        case SD_BUS_TYPE_BYTE:
                fprintf(f, "%" PRIu8, value.y);
                return;

        case SD_BUS_TYPE_UINT16:
                fprintf(f, "%" PRIu16, value.q);
                return;

        case SD_BUS_TYPE_UINT32:
                fprintf(f, "%" PRIu32, value.u);
                return;

        case SD_BUS_TYPE_INT32:
                fprintf(f, "%" PRIi32, value.i);
                return;

        case SD_BUS_TYPE_UINT64:
                fprintf(f, "%" PRIu64, value.t);
                return;

        case SD_BUS_TYPE_UNIX_FD:
                fputs("fd", f);              /* the number is of no interest */
                return;
        }

        assert_failed(__FILE__, __LINE__, "type", "there is none '%c' in this interface", type);
}

static void print_value(sd_bus_message *m, FILE *f) {
        const char *contents;
        char type;

        assert(assert_ok(sd_bus_message_peek_type(m, &type, &contents)) > 0);
        if (contents)
                print_container(m, type, contents, f);
        else
                print_basic(m, type, f);
}

char *message_value_text(sd_bus_message *message) {
        size_t size;
        char *text;
        FILE *f;

        f = open_memstream(&text, &size);
        assert(f);
        print_value(message, f);
        assert_ok(fclose(f));
        return text;
}

char *message_text(sd_bus_message *message) {
        size_t size;
        char *text;
        FILE *f;

        f = open_memstream(&text, &size);
        assert(f);
        print_values(message, " ", f);
        assert_ok(fclose(f));
        return text;
}
