/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <pwd.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "lease-text.h"

char *user_name(uid_t uid) {
        const struct passwd *user;

        user = getpwuid(uid);
        return user ? need(strdup(user->pw_name)) : print_string("%u", uid);
}

char *local_time(uint64_t usec) {
        time_t seconds = (time_t) (usec / 1000000);
        char buffer[64];
        struct tm tm;

        if (!localtime_r(&seconds, &tm) || strftime(buffer, sizeof(buffer), "%Y-%m-%d %H:%M:%S", &tm) == 0)
                return need(strdup(""));

        return need(strdup(buffer));
}
