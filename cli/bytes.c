/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "bytes.h"
#include "cli.h"

static const char units[] = "KMGTPE";

int parse_bytes(const char *text, uint64_t *ret) {
        size_t digits = strspn(text, "0123456789");
        const char *unit = text + digits;
        char number[24];
        uint64_t value;
        int r;

        if (digits == 0)
                return -EINVAL;
        if (digits >= sizeof(number))
                return -ERANGE;
        snprintf(number, sizeof(number), "%.*s", (int) digits, text);
        r = parse_u64(number, &value);
        if (r < 0)
                return r;

        if (*unit) {
                const char *found = strchr(units, *unit);

                if (!found || unit[1])
                        return -EINVAL;
                for (const char *u = units; u <= found; u++)
                        if (__builtin_mul_overflow(value, 1024, &value))
                                return -ERANGE;
        }

        *ret = value;
        return 0;
}

int parse_address(const char *text, uint64_t *ret) {
        return text[0] == '0' && text[1] == 'x' ? parse_hex_u64(text, ret) : parse_bytes(text, ret);
}

char *print_bytes(uint64_t bytes) {
        uint64_t unit = 1024;
        unsigned tenths;
        size_t i = 0;

        if (bytes < 1024)
                return print_string("%u", (unsigned) bytes);

        while (i + 1 < strlen(units) && bytes / 1024 >= unit) {
                unit *= 1024;
                i++;
        }

        /* rounded down: what is shown is there */
        tenths = (unsigned) (bytes % unit * 10 / unit);
        if (tenths == 0)
                return print_string("%u %ciB", (unsigned) (bytes / unit), units[i]);
        return print_string("%u.%u %ciB", (unsigned) (bytes / unit), tenths, units[i]);
}
