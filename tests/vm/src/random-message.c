/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "random-message.h"

#define DEPTH_MAX 4U

uint32_t random_next(Random *random) {
        random->state ^= random->state << 13;
        random->state ^= random->state >> 17;
        random->state ^= random->state << 5;
        return random->state;
}

unsigned random_below(Random *random, unsigned n) {
        return random_next(random) % n;
}

/* Appends one complete type to @types, which has room for it: not more than 16 characters. */
static void append_type(Random *random, char *types, unsigned depth) {
        static const char basic[] = "ybnqiuxtdsogh";
        char *end = types + strlen(types);

        switch (random_below(random, depth < 2 ? 8 : 5)) {

        case 5:
                strcpy(end, "a");
                append_type(random, types, depth + 1);
                return;

        case 6:
                strcpy(end, "a{sv}");
                return;

        case 7:
                strcpy(end, "(");
                append_type(random, types, depth + 1);
                strcat(types, "s)");
                return;

        case 4:
                strcpy(end, "v");
                return;

        default:
                end[0] = basic[random_below(random, sizeof(basic) - 1)];
                end[1] = '\0';
        }
}

static uint64_t random_number(Random *random) {
        static const uint64_t numbers[] = {
                0, 1, 2, 255, 256, INT16_MAX, UINT16_MAX, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX,
        };

        return random_below(random, 2) ? numbers[random_below(random, ELEMENTSOF(numbers))]
                                       : random_next(random);
}

/* Some words, with what doesn't belong between them. */
static const char *random_string(Random *random) {
        static const char *const between[] = {
                "", "", "", ":", ",", ".", "/", "=", " ", "%s", "\n", "\xc3\xa9",
        };
        static char text[70000];
        size_t n = 0;

        if (random_below(random, 200) == 0) {
                memset(text, 'x', sizeof(text) - 1);
                text[sizeof(text) - 1] = '\0';
                return text;
        }

        text[0] = '\0';
        for (unsigned i = random_below(random, 4); i > 0; i--)
                n += (size_t) snprintf(text + n, 1024, "%.500s%s",
                                       random->words[random_below(random, random->n_words)],
                                       between[random_below(random, ELEMENTSOF(between))]);
        return text;
}

static int append_value(
        Random *random, sd_bus_message *m, const char *type, size_t length, unsigned depth);

static int append_basic(Random *random, sd_bus_message *m, char type) {
        static const char *const paths[] = { "/", "/org/iommud1", "/org/iommud1/lease/1", "/a/b_2e" };
        static const char *const signatures[] = { "", "s", "a{sv}", "(ii)" };
        uint64_t number = random_number(random);
        double fraction = (double) number / 3;
        int boolean = (int) (number & 1);

        switch (type) {

        case 's':
                return sd_bus_message_append_basic(m, 's', random_string(random));

        case 'o':
                return sd_bus_message_append_basic(m, 'o', paths[random_below(random, ELEMENTSOF(paths))]);

        case 'g':
                return sd_bus_message_append_basic(
                        m, 'g', signatures[random_below(random, ELEMENTSOF(signatures))]);

        case 'h':
                return sd_bus_message_append_basic(m, 'h', &random->fd);

        case 'b':
                return sd_bus_message_append_basic(m, 'b', &boolean);

        case 'd':
                return sd_bus_message_append_basic(m, 'd', &fraction);

        default:
                return sd_bus_message_append_basic(m, type, &number);        /* the first of its bytes */
        }
}

/* Of the first complete type. */
static size_t type_length(const char *types) {
        size_t n = 1;

        if (types[0] == 'a')
                return 1 + type_length(types + 1);
        if (types[0] != '(' && types[0] != '{')
                return 1;

        while (types[n] != ')' && types[n] != '}')
                n += type_length(types + n);

        return n + 1;
}

/* A value of each of these types. */
static int append_values(Random *random, sd_bus_message *m, const char *types, unsigned depth) {
        int r;

        for (size_t length; *types; types += length) {
                length = type_length(types);
                r = append_value(random, m, types, length, depth);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int append_variant(Random *random, sd_bus_message *m, unsigned depth) {
        char types[RANDOM_TYPES_MAX] = "";
        int r;

        append_type(random, types, depth < DEPTH_MAX ? 1 : 2);
        if (depth >= DEPTH_MAX)
                strcpy(types, "s");

        r = sd_bus_message_open_container(m, 'v', types);
        if (r >= 0)
                r = append_values(random, m, types, depth + 1);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_value(
        Random *random, sd_bus_message *m, const char *type, size_t length, unsigned depth) {
        char contents[RANDOM_TYPES_MAX];
        char kind = type[0];
        int r;

        if (kind == 'v')
                return append_variant(random, m, depth);
        if (kind != 'a' && kind != '(' && kind != '{')
                return append_basic(random, m, kind);

        length -= kind == 'a' ? 1 : 2;          /* without its brackets */
        snprintf(contents, sizeof(contents), "%.*s", (int) length, type + 1);
        r = sd_bus_message_open_container(m, kind == '(' ? 'r' : kind == '{' ? 'e' : 'a', contents);
        if (r < 0)
                return r;

        for (unsigned n = kind == 'a' ? random_below(random, 4) : 1; n > 0; n--) {
                r = append_values(random, m, contents, depth + 1);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(m);
}

/* Nearly @types, or something else. */
static void random_types(Random *random, const char *types, char *ret) {
        size_t n = strlen(types);

        strcpy(ret, random_below(random, 2) && n < RANDOM_TYPES_MAX / 2 ? types : "");
        for (unsigned i = random_below(random, 3); i > 0; i--)
                append_type(random, ret, 0);
}

int random_append_arguments(Random *random, sd_bus_message *m, const char *types) {
        char other[RANDOM_TYPES_MAX];
        int r;

        if (random_below(random, 2))
                strcpy(other, types);
        else
                random_types(random, types, other);

        r = append_values(random, m, other, 0);
        return r < 0 ? r : strcmp(other, types) == 0;
}
