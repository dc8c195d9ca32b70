/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Points in time as people give them. */

#include <stdlib.h>

#include "since.h"

/* 2023-11-14 22:13:20 UTC */
#define NOW UINT64_C(1700000000)

static void check(const char *text, uint64_t seconds) {
        uint64_t usec = 77;
        int r;

        r = parse_since(text, NOW * 1000000, &usec);
        assert(r == (seconds > 0 ? 0 : -EINVAL));
        assert(usec == (seconds > 0 ? seconds * 1000000 : 77));
}

int main(void) {
        assert(setenv("TZ", "UTC", 1) == 0);

        check("2023-11-14", 1699920000);
        check("2023-11-14 22:13", 1699999980);
        check("2023-11-14 22:13:20", NOW);
        check("today", 1699920000);
        check("yesterday", 1699833600);
        check("90s", NOW - 90);
        check("15min", NOW - 900);
        check("2h", NOW - 7200);
        check("3d", NOW - 3 * 86400);

        check("", 0);
        check("2023", 0);
        check("2023-11-14T22", 0);
        check("2023-13-14", 0);
        check("2h ago", 0);
        check("-2h", 0);
        check("2", 0);
        check("h", 0);
        check("99999999999h", 0);

        /* midnight is where the user is */
        assert(setenv("TZ", "CET-1", 1) == 0);
        check("2023-11-14", 1699920000 - 3600);
        check("today", 1699920000 - 3600);
        return 0;
}
