/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <time.h>

#include "base/pidfd.h"
#include "bus/client.h"
#include "bus/domain-options.h"
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

static int read_string_option(sd_bus_message *message, const char *key, const char **ret, Refusal *reterr) {
        int r;

        r = sd_bus_message_verify_type(message, 'v', "s");
        if (r < 0)
                return r;
        if (r == 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION, "Option \"%s\" must be a string", key);

        r = sd_bus_message_read(message, "v", "s", ret);
        return r < 0 ? r : 0;
}

static int read_mode(sd_bus_message *message, RequestMessage *request, Refusal *reterr) {
        const char *value;
        int r;

        r = read_string_option(message, IOMMUD_OPTION_MODE, &value, reterr);
        if (r != 0)
                return r;

        r = mode_from_string(value);
        if (r < 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                        "There is no mode \"%.32s\": it is \"vmm\", \"attached\" or \"confined\"", value);

        request->request.mode = r;
        return 0;
}

static int read_accounting(sd_bus_message *message, RequestMessage *request, Refusal *reterr) {
        const char *value;
        int r;

        r = read_string_option(message, IOMMUD_OPTION_ACCOUNTING, &value, reterr);
        if (r != 0)
                return r;

        r = accounting_from_string(value);
        if (r < 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "There is no accounting \"%.32s\": it is \"process\" or \"user\"", value);

        request->request.accounting = r;
        request->request.has_accounting = true;
        return 0;
}

static int read_domain(sd_bus_message *message, RequestMessage *request, Refusal *reterr) {
        int r;

        r = sd_bus_message_verify_type(message, 'v', "a{sv}");
        if (r < 0)
                return r;
        if (r == 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION, "Option \"domain\" must be of type a{sv}");

        r = sd_bus_message_enter_container(message, 'v', "a{sv}");
        if (r < 0)
                return r;

        r = first_options_read(message, &request->request.ioas, &request->request.domain, reterr);
        if (r != 0)
                return r;

        request->request.has_domain = true;
        return sd_bus_message_exit_container(message) < 0 ? -EBADMSG : 0;
}

static int read_holder(sd_bus_message *message, RequestMessage *request, Refusal *reterr) {
        pid_t pid;
        int r;

        r = sd_bus_message_verify_type(message, 'v', "h");
        if (r < 0)
                return r;
        if (r == 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION, "Option \"holder\" must be a file descriptor");

        r = sd_bus_message_read(message, "v", "h", &request->request.holder);
        if (r < 0)
                return r;

        if (pidfd_get_pid(request->request.holder, &pid) < 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "Option \"holder\" must be a pidfd (pidfd_open(2)) of a process that runs");

        return 0;
}

static int read_explain(sd_bus_message *message, RequestMessage *request, Refusal *reterr) {
        int r, value;

        r = sd_bus_message_verify_type(message, 'v', "b");
        if (r < 0)
                return r;
        if (r == 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION, "Option \"explain\" must be a boolean");

        r = sd_bus_message_read(message, "v", "b", &value);
        if (r < 0)
                return r;

        request->request.explain = value;
        return 0;
}

static int read_ram(sd_bus_message *message, RequestMessage *request, Refusal *reterr) {
        int r;

        r = sd_bus_message_verify_type(message, 'v', "t");
        if (r < 0)
                return r;
        if (r == 0)
                return refuse(
                        reterr, OUTCOME_INVALID_OPTION, "Option \"ram\" must be a number of bytes (t)");

        r = sd_bus_message_read(message, "v", "t", &request->request.ram);
        return r < 0 ? r : 0;
}

/*
 * A user of this host and all of his groups, as he will be when he asks: what is to be known of his process
 * is not.
 */
static int read_as(sd_bus_message *message, RequestMessage *request, Refusal *reterr) {
        Subject *as = &request->as;
        const uint32_t *gids;
        uint32_t uid;
        size_t size;
        int r;

        r = sd_bus_message_verify_type(message, 'v', "(uau)");
        if (r < 0)
                return r;
        if (r == 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "Option \"as\" must be the number of a user and of his groups (uau)");

        r = sd_bus_message_enter_container(message, 'v', "(uau)");
        if (r >= 0)
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

        r = sd_bus_message_exit_container(message);
        return r < 0 ? r : sd_bus_message_exit_container(message) < 0 ? -EBADMSG : 0;
}

static int read_option(sd_bus_message *message, RequestMessage *request, Refusal *reterr) {
        static const struct {
                const char *key;
                bool plan;                   /* for Plan alone */
                int (*read)(sd_bus_message *message, RequestMessage *request, Refusal *reterr);
        } options[] = {
                { IOMMUD_OPTION_MODE, false, read_mode },
                { IOMMUD_OPTION_ACCOUNTING, false, read_accounting },
                { IOMMUD_OPTION_HOLDER, false, read_holder },
                { IOMMUD_OPTION_DOMAIN, false, read_domain },
                { IOMMUD_OPTION_RAM, false, read_ram },
                { IOMMUD_OPTION_EXPLAIN, true, read_explain },
                { IOMMUD_OPTION_AS, true, read_as },
        };
        bool plan = strcmp(sd_bus_message_get_member(message), "Plan") == 0;
        const char *key;
        int r;

        r = sd_bus_message_read_basic(message, 's', &key);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (strcmp(options[i].key, key) == 0 && (plan || !options[i].plan))
                        return options[i].read(message, request, reterr);

        return refuse(reterr, OUTCOME_INVALID_OPTION,
                      "There is no option \"%.32s\": there are mode, accounting, holder, domain and ram%s",
                      key, plan ? ", explain and as" : "");
}

static int read_options(sd_bus_message *message, RequestMessage *request, Refusal *reterr) {
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                r = read_option(message, request, reterr);
                if (r != 0)
                        return r;

                r = sd_bus_message_exit_container(message);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(message) < 0 ? -EBADMSG : 0;
}

static uint64_t clock_usec(clockid_t clock) {
        struct timespec now;

        (void) clock_gettime(clock, &now);   /* can't fail for these clocks */
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

uint64_t bus_boottime_usec(void) {
        return clock_usec(CLOCK_BOOTTIME);
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
