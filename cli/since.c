/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "since.h"

#define USEC_PER_SEC UINT64_C(1000000)

static int parse_age(const char *text, uint64_t now_usec, uint64_t *ret) {
        static const struct {
                const char *unit;
                uint64_t seconds;
        } units[] = { { "s", 1 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 } };
        size_t digits = strspn(text, "0123456789");
        char number[12];
        uint32_t value;

        if (digits == 0 || digits >= sizeof(number))
                return -EINVAL;
        snprintf(number, sizeof(number), "%.*s", (int) digits, text);
        if (parse_u32(number, &value) < 0)
                return -EINVAL;

        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (strcmp(text + digits, units[i].unit) == 0) {
                        uint64_t age = value * units[i].seconds * USEC_PER_SEC;

                        *ret = age < now_usec ? now_usec - age : 0;
                        return 0;
                }

        return -EINVAL;
}

static int from_local(struct tm *tm, uint64_t *ret) {
        time_t seconds;

        tm->tm_isdst = -1;
        seconds = mktime(tm);
        if (seconds < 0)
                return -EINVAL;

        *ret = (uint64_t) seconds * USEC_PER_SEC;
        return 0;
}

/* The midnight that the day began with which was @days ago. */
static int midnight(uint64_t now_usec, int days, uint64_t *ret) {
        time_t now = (time_t) (now_usec / USEC_PER_SEC);
        struct tm tm;

        if (!localtime_r(&now, &tm))
                return -EINVAL;

        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        tm.tm_mday -= days;
        return from_local(&tm, ret);
}

int parse_since(const char *text, uint64_t now_usec, uint64_t *ret) {
        static const char *const formats[] = { "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S" };

        if (strcmp(text, "today") == 0)
                return midnight(now_usec, 0, ret);
        if (strcmp(text, "yesterday") == 0)
                return midnight(now_usec, 1, ret);

        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                struct tm tm = {};
                const char *end;

                end = strptime(text, formats[i], &tm);
                if (end && *end == '\0')
                        return from_local(&tm, ret);
        }

        return parse_age(text, now_usec, ret);
}
