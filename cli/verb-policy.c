/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define IOMMUD IOMMUD_LIBEXEC_DIR "/iommud"

/*
 * The program of the daemon knows what a policy is, and reads it here as whoever asks: nothing that may be
 * wrong goes to the daemon, and it need not run.
 */
static Status check(const Options *options, char **paths) {
        static char program[] = IOMMUD, check_policy[] = "--check-policy", json[] = "--json", end[] = "--";
        _cleanup_free_ char **arguments = NULL;
        size_t n_paths = 0, n = 0;

        while (paths[n_paths])
                n_paths++;

        arguments = need(calloc(n_paths + 5, sizeof(*arguments)));
        arguments[n++] = program;
        arguments[n++] = check_policy;
        if (options->json)
                arguments[n++] = json;
        arguments[n++] = end;
        memcpy(arguments + n, paths, n_paths * sizeof(*paths));

        execv(program, arguments);
        complain("cannot run %s: %s", program, strerror(errno));
        return STATUS_BROKEN;
}

Status verb_policy(const Options *options, char **arguments) {
        if (strcmp(arguments[0], "check") == 0)
                return check(options, arguments + 1);

        complain("it is 'iommuctl policy check [PATH...]'");
        return STATUS_USAGE;
}
