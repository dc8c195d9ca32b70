/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Many calls of Acquire at once: all are sent before the first answer is looked at.
 *
 *     acquire-at-once SELECTOR...
 *
 * Prints a line for each: "granted LEASE SELECTOR" or "refused ERROR SELECTOR", then "all", and holds what
 * it has been given until the end of its input.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "base/macro.h"
#include "names.h"

typedef struct Call {
        const char *selector;
        sd_bus_message *reply;               /* which owns the descriptors */
        unsigned *n_open;
} Call;

static void bus_unrefp(sd_bus **bus) {
        sd_bus_flush_close_unref(*bus);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const sd_bus_error *e = sd_bus_message_get_error(reply);
        Call *call = userdata;
        const char *lease;

        (*call->n_open)--;
        call->reply = sd_bus_message_ref(reply);

        if (e)
                printf("refused %s %s\n", e->name, call->selector);
        else if (sd_bus_message_read(reply, "o", &lease) < 0)
                printf("refused broken-reply %s\n", call->selector);
        else
                printf("granted %s %s\n", strrchr(lease, '/') + 1, call->selector);

        return 1;
}

static int run(sd_bus *bus, Call *calls, char **selectors, unsigned n) {
        unsigned n_open = n;
        int r;

        for (unsigned i = 0; i < n; i++) {
                calls[i] = (Call) { .selector = selectors[i], .n_open = &n_open };
                r = sd_bus_call_method_async(bus, /* ret_slot= */ NULL, IOMMUD_BUS_NAME, IOMMUD_PATH,
                        IOMMUD_INTERFACE_MANAGER, "Acquire", on_reply, &calls[i], "asa{sv}", 1, selectors[i],
                        0);
                if (r < 0)
                        return r;
        }

        r = sd_bus_flush(bus);
        while (r >= 0 && n_open > 0) {
                r = sd_bus_process(bus, /* ret= */ NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
        }

        return r;
}

int main(int argc, char *argv[]) {
        unsigned n = (unsigned) argc - 1;
        _cleanup_(bus_unrefp) sd_bus *bus = NULL;
        Call calls[64] = {};
        char c;
        int r;

        if (argc < 2 || n > ELEMENTSOF(calls))
                return 2;

        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = run(bus, calls, argv + 1, n);
        if (r < 0) {
                fprintf(stderr, "%s\n", strerrordesc_np(-r));
                return EXIT_FAILURE;
        }

        puts("all");
        (void) fflush(stdout);
        while (read(STDIN_FILENO, &c, 1) > 0)
                ;

        for (unsigned i = 0; i < n; i++)
                sd_bus_message_unref(calls[i].reply);
        return EXIT_SUCCESS;
}
