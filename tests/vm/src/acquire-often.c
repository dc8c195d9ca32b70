/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One lease after the other, as a client does it that is well made: what it may try again, it tries again.
 *
 *     acquire-often COUNT SELECTOR…      COUNT 0: until the end of its input
 *
 * A lease is looked at while it is held: it must be there and active, and iommud must have kept its end of
 * the lifeline. Then it is let go of, and its end is awaited. Of several devices, each has its turn, and is
 * left to itself until its next one: that is how to have many leases in little time. Prints "granted" for
 * each, "again ERROR" for each error that passes, and in the end "done". Whatever else there is to say is
 * wrong.
 */

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/parse.h"
#include "iommud.h"

static inline void clientp(iommud_client **client) {
        iommud_client_free(*client);
}

static inline void requestp(iommud_request **request) {
        iommud_request_free(*request);
}

static inline void leasesp(iommud_lease_info ***leases) {
        iommud_lease_infos_free(*leases);
}

static const char *error_text(int r) {
        return r > 0 ? iommud_error_name(r) : strerrorname_np(-r);
}

/* What iommud.h says about a daemon that goes away meanwhile, and about a lease that is not yet over. */
static bool is_passing(int r) {
        return r == -ETIMEDOUT || r == IOMMUD_E_DRAINING;
}

/* @r is what @call came to. Returns false when that is for good. */
static bool try_again(iommud_client *client, const char *call, int r) {
        if (!is_passing(r)) {
                printf("%s: %s: %s\n", call, error_text(r), iommud_error_text(client));
                return false;
        }

        printf("again %s\n", error_text(r));
        return true;
}

static bool names(const char *const *list, const char *name) {
        for (; *list; list++)
                if (strcmp(*list, name) == 0)
                        return true;

        return false;
}

/* Waits for the lease, of whomever, that @name is in. Returns whether it makes sense to go on. */
static bool wait_for_other(iommud_client *client, const char *name) {
        _cleanup_(leasesp) iommud_lease_info **leases = NULL;
        int r;

        r = iommud_list_leases(client, &leases);
        if (r != 0)
                return try_again(client, "ListLeases", r);

        for (size_t i = 0; leases[i]; i++)
                if (names(iommud_lease_info_devices(leases[i]), name)) {
                        r = iommud_wait(client, iommud_lease_info_id(leases[i]), UINT64_MAX);
                        if (r != 0)
                                return try_again(client, "wait", r);
                }

        return true;
}

static bool is_active(iommud_lease_info *const *leases, uint64_t id) {
        for (; *leases; leases++)
                if (iommud_lease_info_id(*leases) == id)
                        return strcmp(iommud_lease_info_state(*leases), "active") == 0 &&
                               iommud_lease_info_uid(*leases) == getuid();

        return false;
}

/* False: it is not what it was when it was granted. */
static bool look_at(iommud_client *client, const iommud_lease *lease) {
        struct pollfd lifeline = { .fd = iommud_lease_fd(lease, "lifeline") };
        int r;

        do {
                _cleanup_(leasesp) iommud_lease_info **leases = NULL;

                r = iommud_list_leases(client, &leases);
                if (r == 0 && !is_active(leases, iommud_lease_id(lease))) {
                        puts("the lease is lost");
                        return false;
                }
        } while (r != 0 && try_again(client, "ListLeases", r));

        if (r == 0 && poll(&lifeline, 1, /* timeout= */ 0) != 0) {
                puts("the lifeline is lost");
                return false;
        }
        return r == 0;
}

/*
 * @await: look at the lease, and wait for its end. Returns 1 when there was a lease, 0 when it is worth
 * another try, and a negative value for good.
 */
static int cycle(iommud_client *client, const char *name, bool await) {
        _cleanup_(requestp) iommud_request *request = NULL;
        iommud_lease *lease = NULL;
        uint64_t id;
        bool good;
        int r;

        r = iommud_request_new(&request);
        if (r >= 0)
                r = iommud_request_add_device(request, name);
        if (r < 0)
                return r;

        r = iommud_acquire(client, request, &lease);
        if (r != 0)
                return try_again(client, "Acquire", r) && wait_for_other(client, name) ? 0 : -EIO;

        puts("granted");
        good = !await || look_at(client, lease);
        id = iommud_lease_id(lease);
        iommud_lease_free(lease);
        if (!good)
                return -EIO;
        if (!await)
                return 1;

        do
                r = iommud_wait(client, id, UINT64_MAX);
        while (r != 0 && try_again(client, "wait", r));
        return r == 0 ? 1 : -EIO;
}

static bool input_has_ended(void) {
        struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

        return poll(&input, 1, /* timeout= */ 0) != 0;
}

int main(int argc, char *argv[]) {
        _cleanup_(clientp) iommud_client *client = NULL;
        const char *const *selectors = (const char *const *) argv + 2;
        uint32_t count, n = 0;
        int r;

        if (argc < 3 || parse_u32(argv[1], &count) < 0)
                return 2;

        (void) setvbuf(stdout, NULL, _IOLBF, 0);
        r = iommud_connect(/* address= */ NULL, &client);
        while (r >= 0 && (count == 0 ? !input_has_ended() : n < count)) {
                r = cycle(client, selectors[n % (unsigned) (argc - 2)], /* await= */ argc == 3);
                n += r > 0;
        }
        if (r < 0) {
                fprintf(stderr, "%s\n", strerrordesc_np(-r));
                return EXIT_FAILURE;
        }

        puts("done");
        return EXIT_SUCCESS;
}
