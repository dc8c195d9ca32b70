/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "acquire.h"
#include "base/fd.h"
#include "names.h"
#include "text-list.h"
#include "to-json.h"
#include "wait.h"

static void print_lease(const iommud_lease *lease) {
        _cleanup_free_ char *devices = join_strings(iommud_lease_devices(lease), " ");

        printf("%" PRIu64 "\n", iommud_lease_id(lease));
        if (isatty(STDIN_FILENO))
                fprintf(stderr, "Holding %s; end with Ctrl-D or Ctrl-C.\n", devices);
}

static void print_lease_json(const iommud_lease *lease) {
        json_object *o = need(json_object_new_object());
        const uint32_t *groups;
        size_t n_groups;

        json_put_lease(o, "id", iommud_lease_id(lease));
        json_put_string(o, "mode", iommud_lease_mode(lease));
        json_put_string(o, "accounting", iommud_lease_accounting(lease));
        json_put_strings(o, "devices", iommud_lease_devices(lease));
        json_put_strings(o, "companions", iommud_lease_companions(lease));
        groups = iommud_lease_groups(lease, &n_groups);
        json_put_numbers(o, "groups", groups, n_groups);
        json_print(o);
}

/* Reads and drops what is on standard input. Returns whether it goes on. */
static bool input_goes_on(void) {
        char buffer[4096];
        ssize_t n;

        n = read(STDIN_FILENO, buffer, sizeof(buffer));
        return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static Status hold(const iommud_lease *lease, int signals) {
        for (;;) {
                struct pollfd fds[] = {
                        { .fd = signals, .events = POLLIN },
                        { .fd = STDIN_FILENO, .events = POLLIN },
                        { .fd = iommud_lease_fd(lease, IOMMUD_FD_LIFELINE) },  /* POLLERR: iommud let go */
                };

                if (poll(fds, ELEMENTSOF(fds), -1) < 0) {
                        if (errno == EINTR)
                                continue;
                        complain("cannot wait: %s", strerror(errno));
                        return STATUS_BROKEN;
                }

                if (fds[0].revents)
                        return STATUS_OK;
                if (fds[2].revents) {
                        complain("iommud has ended lease %" PRIu64, iommud_lease_id(lease));
                        return STATUS_BROKEN;
                }
                if (fds[1].revents && !input_goes_on())
                        return STATUS_OK;
        }
}

Status verb_acquire(const Options *options, char **arguments) {
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        _cleanup_(iommud_lease_freep) iommud_lease *lease = NULL;
        _cleanup_close_ int signals = -EBADF;
        Status status;

        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;
        status = acquire_devices(options, client, arguments, &lease);
        if (status != STATUS_OK)
                return status;

        /* before that, a signal just ends us and what we wait for */
        signals = signals_open();
        if (signals < 0) {
                complain("cannot wait for signals: %s", strerror(-signals));
                return STATUS_BROKEN;
        }

        if (options->json)
                print_lease_json(lease);
        else
                print_lease(lease);

        /* Whoever has started us waits for the line before he goes on */
        if (fflush(stdout) != 0) {
                complain("cannot write to standard output: %s", strerror(errno));
                return STATUS_BROKEN;
        }

        return hold(lease, signals);
}
