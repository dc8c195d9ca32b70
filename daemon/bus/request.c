/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <time.h>

#include "base/pidfd.h"
#include "bus/client.h"
#include "bus/domain-options.h"
#include "bus/options.h"
#include "bus/request.h"
#include "core/refusal.h"
#include "core/subject.h"
#include "names.h"

/* More than any request that can be granted has; what is beyond would only cost us. */
#define SELECTORS_MAX 64

static int read_selectors(sd_bus_message *message, RequestMessage *request, Refusal *reterr) {
        const char *selector;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "s");
        if (r < 0)
                return r;

        request->selectors = calloc(SELECTORS_MAX, sizeof(*request->selectors));
        if (!request->selectors)
                return -ENOMEM;

        while ((r = sd_bus_message_read_basic(message, 's', &selector)) > 0) {
                if (request->request.n_selectors == SELECTORS_MAX)
                        return refuse(
                                reterr, OUTCOME_QUOTA, "More than %u selectors were given", SELECTORS_MAX);
                request->selectors[request->request.n_selectors++] = selector;
        }
        if (r < 0)
                return r;

        request->request.selectors = request->selectors;
        return sd_bus_message_exit_container(message) < 0 ? -EBADMSG : 0;
}

static int read_mode(sd_bus_message *message, void *target, Refusal *reterr) {
        return option_read_mode(message, &((RequestMessage *) target)->request.mode, reterr);
}

static int read_accounting(sd_bus_message *message, void *target, Refusal *reterr) {
        Request *request = &((RequestMessage *) target)->request;
        const char *value;
        int r;

        r = sd_bus_message_read_basic(message, 's', &value);
        if (r < 0)
                return r;

        r = accounting_from_string(value);
        if (r < 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "There is no accounting \"%.32s\": it is \"process\" or \"user\"", value);

        request->accounting = r;
        request->has_accounting = true;
        return 0;
}

static int read_domain(sd_bus_message *message, void *target, Refusal *reterr) {
        Request *request = &((RequestMessage *) target)->request;

        request->has_domain = true;
        return first_options_read(message, &request->ioas, &request->domain, reterr);
}

static int read_holder(sd_bus_message *message, void *target, Refusal *reterr) {
        Request *request = &((RequestMessage *) target)->request;
        pid_t pid;
        int r;

        r = sd_bus_message_read_basic(message, 'h', &request->holder);
        if (r < 0)
                return r;

        if (pidfd_get_pid(request->holder, &pid) < 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "Option \"holder\" must be a pidfd (pidfd_open(2)) of a process that runs");

        return 0;
}

/*
 * A user of this host and all of his groups, as he will be when he asks: what is to be known of his process
 * is not.
 */
static int read_as(sd_bus_message *message, void *target, Refusal *reterr) {
        RequestMessage *request = target;
        Subject *as = &request->as;
        const uint32_t *gids;
        uint32_t uid;
        size_t size;
        int r;

        r = sd_bus_message_enter_container(message, 'r', "uau");
        if (r >= 0)
                r = sd_bus_message_read_basic(message, 'u', &uid);
        if (r >= 0)
                r = sd_bus_message_read_array(message, 'u', (const void **) &gids, &size);
        if (r < 0)
                return r;

        if (uid == UINT32_MAX || size / sizeof(*gids) > SUBJECT_GIDS_MAX)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "Option \"as\" must be a user, with %d groups at most", SUBJECT_GIDS_MAX);

        *as = (Subject) {
                .uid = uid,
                .known = SUBJECT_KNOWS_GIDS | SUBJECT_KNOWS_USERNS,
                .own_userns = true,
                .n_gids = (unsigned) (size / sizeof(*gids)),
        };
        for (unsigned i = 0; i < as->n_gids; i++)
                as->gids[i] = gids[i];
        request->request.as = as;

        return sd_bus_message_exit_container(message) < 0 ? -EBADMSG : 0;
}

#define ACQUIRE_OPTIONS                                                                                     \
        { IOMMUD_OPTION_MODE, "s", .read = read_mode },                                                     \
                { IOMMUD_OPTION_ACCOUNTING, "s", .read = read_accounting },                                 \
                { IOMMUD_OPTION_HOLDER, "h", .read = read_holder },                                         \
                { IOMMUD_OPTION_DOMAIN, "a{sv}", .read = read_domain },                                     \
                { IOMMUD_OPTION_RAM, "t", offsetof(RequestMessage, request.ram) }

static int read_options(sd_bus_message *message, RequestMessage *request, Refusal *reterr) {
        static const Option acquire[] = { ACQUIRE_OPTIONS, {} };
        static const Option plan[] = {
                ACQUIRE_OPTIONS,
                { IOMMUD_OPTION_EXPLAIN, "b", offsetof(RequestMessage, request.explain) },
                { IOMMUD_OPTION_AS, "(uau)", .read = read_as },
                {},
        };
        bool planned = strcmp(sd_bus_message_get_member(message), "Plan") == 0;

        return options_read(message, planned ? plan : acquire, request, reterr);
}

static uint64_t clock_usec(clockid_t clock) {
        struct timespec now;

        (void) clock_gettime(clock, &now);   /* can't fail for these clocks */
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

uint64_t bus_boottime_usec(void) {
        return clock_usec(CLOCK_BOOTTIME);
}

uint64_t bus_monotonic_usec(void) {
        return clock_usec(CLOCK_MONOTONIC);
}

int request_message_read(sd_bus_message *message, RequestMessage *ret, Refusal *reterr) {
        _cleanup_(request_message_done) RequestMessage request = { .request = { .holder = -EBADF } };
        int r;

        r = read_selectors(message, &request, reterr);
        if (r != 0)
                return r;

        r = read_options(message, &request, reterr);
        if (r != 0)
                return r;

        if (request.request.has_domain && request.request.mode == MODE_VMM)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "In mode vmm the client makes the domains: option \"domain\" is for the modes "
                              "attached and confined");
        if (request.request.has_accounting && request.request.mode == MODE_CONFINED)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "In mode confined iommud maps, and counts what is mapped itself: there is no "
                              "accounting to choose");

        r = client_of_sender(message, request.request.client);
        if (r < 0)
                return r;

        request.request.now_usec = clock_usec(CLOCK_REALTIME);
        request.request.boottime_usec = clock_usec(CLOCK_BOOTTIME);

        *ret = request;
        if (request.request.as)
                ret->request.as = &ret->as;
        request = (RequestMessage) {};
        return 0;
}

void request_message_done(RequestMessage *request) {
        free(request->selectors);
        *request = (RequestMessage) {};
}
