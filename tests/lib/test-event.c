/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What iommud tells of a lease, in the event loop of the program. */

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"

#define _cleanup_client_ _cleanup_(iommud_client_freep)

/* What was told: "KIND LEASE DEVICE REASON DEADLINE;" */
static char told[1024];

static void on_event(const iommud_event *event, void *userdata) {
        size_t n = strlen(told);

        assert(strcmp(userdata, "ours") == 0);
        snprintf(told + n, sizeof(told) - n, "%d %" PRIu64 " %s %s %" PRIu64 ";", iommud_event_kind(event),
                 iommud_event_lease(event), iommud_event_device(event), iommud_event_reason(event),
                 iommud_event_deadline(event));
}

static iommud_client *client_that_listens(const char *scenario, iommud_event_func func) {
        static char userdata[] = "ours";
        iommud_client *client = client_of(scenario);
        _cleanup_(iommud_request_freep) iommud_request *request = request_for("group:13");
        _cleanup_(iommud_lease_freep) iommud_lease *lease = NULL;

        told[0] = '\0';
        assert(iommud_set_event_func(client, func, userdata) == 0);
        assert(iommud_acquire(client, request, &lease) == 0);
        return client;
}

/* As a program's own loop does it, until nothing has come for a while that a busy machine needs. */
static void loop(iommud_client *client, const char *last) {
        for (unsigned i = 0; i < 1000 && (!last || !strstr(told, last)); i++) {
                uint64_t timeout;
                int r;

                assert(iommud_get_timeout(client, &timeout) == 0);
                r = poll(&(struct pollfd) { .fd = iommud_get_fd(client),
                                            .events = (short) iommud_get_events(client) },
                         1, timeout == 0 ? 0 : 100);
                assert(r >= 0);
                if (r == 0 && timeout > 0 && !last)
                        return;
                assert(iommud_dispatch(client) == 0);
        }
}

static void test_told(void) {
        _cleanup_client_ iommud_client *client = client_that_listens("events", on_event);

        assert(strcmp(told, "") == 0);  /* not from within a call */
        loop(client, "1234567;");
        assert(strcmp(told, "3 7 0000:02:00.3  0;2 7 0000:02:00.1  0;1 7  reboot ? 1234567;") == 0);

        /* nobody listens any more, and everything else works */
        assert(iommud_set_event_func(client, NULL, NULL) == 0);
        assert(iommud_release(client, 7) == 0);
}

/* Nobody owns iommud's name: whatever comes is not from it. */
static void test_forged(void) {
        _cleanup_client_ iommud_client *client = client_that_listens("away", on_event);

        loop(client, NULL);
        assert(strcmp(told, "") == 0);
}

static void test_deaf(void) {
        _cleanup_client_ iommud_client *client = client_that_listens("events", NULL);

        loop(client, NULL);
        assert(strcmp(told, "") == 0);
}

static void test_ask(void) {
        _cleanup_client_ iommud_client *client = client_of("ok"), *left = client_of("left"),
                                       *no_root = client_of("no-root");

        assert(iommud_ask_for_release(client, 7, NULL, 0) == 0);
        assert(iommud_ask_for_release(client, 7, "reboot", 5) == 0);
        assert(iommud_ask_for_release(client, 9, NULL, 0) == IOMMUD_E_NO_SUCH_LEASE);
        assert(iommud_ask_for_release(client, 7, "\xff", 0) == -EINVAL);
        assert(iommud_ask_for_release(client, 0, NULL, 0) == -EINVAL);
        assert(iommud_ask_for_release(left, 7, NULL, 0) == IOMMUD_E_NOT_SUPPORTED);
        assert(iommud_kill_holders(client, 7) == 0);
        assert(iommud_kill_holders(client, 9) == IOMMUD_E_NO_SUCH_LEASE);
        assert(iommud_kill_holders(no_root, 7) == IOMMUD_E_DENIED);
}

static void on_news(uint64_t lease, void *userdata) {
        assert(lease == 7);
        (*(unsigned *) userdata)++;
}

/* Somebody else's lease too, and only as long as one wants. */
static void test_watch(void) {
        _cleanup_client_ iommud_client *client = client_of("ok");
        iommud_lease_info **leases;
        unsigned n = 0;

        assert(iommud_watch_lease(client, 7, on_news, &n) == 0);
        assert(iommud_release(client, 7) == 0);
        assert(iommud_list_leases(client, &leases) == 0);       /* the end comes with the answer */
        iommud_lease_infos_free(leases);
        assert(n == 0);                 /* not from within a call */
        for (unsigned i = 0; i < 1000 && n == 0; i++) {
                struct pollfd fd = { .fd = iommud_get_fd(client), .events = POLLIN };

                assert(poll(&fd, 1, 100) >= 0);
                assert(iommud_dispatch(client) == 0);
        }
        assert(n == 1);

        assert(iommud_watch_lease(client, 7, NULL, NULL) == 0);
        assert(iommud_watch_lease(client, 0, on_news, &n) == -EINVAL);
        assert(iommud_watch_lease(NULL, 7, on_news, &n) == -EINVAL);
}

static void test_arguments(void) {
        _cleanup_client_ iommud_client *client = client_of("disconnect");
        uint64_t usec;

        assert(iommud_set_event_func(NULL, on_event, NULL) == -EINVAL);
        assert(iommud_get_fd(NULL) == -EINVAL && iommud_get_events(NULL) == -EINVAL);
        assert(iommud_get_timeout(NULL, &usec) == -EINVAL && iommud_get_timeout(client, NULL) == -EINVAL);
        assert(iommud_dispatch(NULL) == -EINVAL);
        assert((int) iommud_event_kind(NULL) == 0 && iommud_event_lease(NULL) == 0);
        assert(strcmp(iommud_event_device(NULL), "") == 0 && strcmp(iommud_event_reason(NULL), "") == 0);
        assert(iommud_event_deadline(NULL) == 0);

        /* the end of the connection is told, once it is known */
        assert(iommud_reload(client) < 0);
        assert(iommud_dispatch(client) < 0 || iommud_get_fd(client) < 0 || iommud_dispatch(client) < 0);
}

int main(void) {
        unsigned before = count_fds();

        test_told();
        test_forged();
        test_deaf();
        test_ask();
        test_watch();
        test_arguments();
        assert(count_fds() == before);
        return EXIT_SUCCESS;
}
