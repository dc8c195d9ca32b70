/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "expand.h"
#include "handover.h"
#include "text-list.h"

static int set_variable(const char *name, char *value) {
        int r;

        r = setenv(name, value, /* overwrite= */ true) < 0 ? -errno : 0;
        free(value);
        return r;
}

/* The names are separated by colons, so a role goes in with a dash for each */
static int set_environment(const char *const *roles, int n) {
        char *names = need(strdup(""));
        int r;

        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *before = names, *role = need(strdup(roles[i]));

                for (char *c = role; *c; c++)
                        if (*c == ':')
                                *c = '-';
                names = print_string("%s%s%s", before, i > 0 ? ":" : "", role);
        }

        r = set_variable("LISTEN_FDNAMES", names);
        if (r == 0)
                r = set_variable("LISTEN_FDS", print_string("%d", n));
        if (r == 0)
                r = set_variable("LISTEN_PID", print_string("%d", (int) getpid()));
        return r;
}

int handover(const iommud_lease *lease) {
        const char *const *roles = iommud_lease_roles(lease);
        _cleanup_free_ int *copies = NULL;
        int n = 0, r;

        while (roles[n])
                n++;

        /* First out of the way: a descriptor of the lease may be where another one goes */
        copies = need(calloc((size_t) n + 1, sizeof(*copies)));
        for (int i = 0; i < n; i++) {
                copies[i] = fcntl(iommud_lease_fd(lease, roles[i]), F_DUPFD_CLOEXEC, EXPAND_FIRST_FD + n);
                if (copies[i] < 0)
                        return -errno;
        }

        /* The copies end with exec, or with us */
        for (int i = 0; i < n; i++)
                if (dup2(copies[i], EXPAND_FIRST_FD + i) < 0)
                        return -errno;

        r = set_environment(roles, n);
        return r == 0 ? set_variable("IOMMUD_LEASE", print_string("%" PRIu64, iommud_lease_id(lease))) : r;
}
