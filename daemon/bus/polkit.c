/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bus/error.h"
#include "bus/polkit-message.h"
#include "bus/polkit.h"
#include "core/device.h"
#include "core/refusal.h"
#include "core/subject.h"
#include "sys/journal.h"

/* A call that waits for polkit's answer, or to be dispatched again with it. */
typedef struct Query {
        Polkit *polkit;
        sd_bus_message *call;                /* a reference */
        PolkitAbout about;
        uint64_t device;                     /* what is asked about, its id */
        char id[32];                         /* what polkit knows the question by */
        sd_bus_slot *gone;                   /* the watch of the caller's name; owned */
        sd_bus_slot *answer;                 /* the call to polkit; owned; NULL: answered */
        Refusal refusal;                     /* the answer was no */
        Permits permits;                     /* of this question, if the answer was yes, and others before */
        struct Query *next;
} Query;

struct Polkit {
        sd_bus *bus;                         /* borrowed: the owner of this object keeps it */
        Query *queries;                      /* owned */
        uint64_t last_id;
};

/* Ends a question that is under way, and takes it back from polkit. */
static void query_free(Query *query) {
        if (!query)
                return;

        for (Query **link = &query->polkit->queries; *link; link = &(*link)->next)
                if (*link == query) {
                        *link = query->next;
                        break;
                }

        if (query->answer)
                polkit_message_cancel(query->polkit->bus, query->id);
        sd_bus_slot_unref(query->answer);
        sd_bus_slot_unref(query->gone);
        sd_bus_message_unref(query->call);
        free(query);
}
DEFINE_CLEANUP_FUNC(Query, query_free);

int polkit_new(sd_bus *bus, Polkit **ret) {
        Polkit *polkit;

        polkit = calloc(1, sizeof(*polkit));
        if (!polkit)
                return -ENOMEM;

        polkit->bus = bus;
        *ret = polkit;
        return 0;
}

Polkit *polkit_free(Polkit *polkit) {
        if (!polkit)
                return NULL;

        while (polkit->queries)
                query_free(polkit->queries);

        free(polkit);
        return NULL;
}

/* The answer is there: the caller's handler runs again, from the top, and will find it. */
static void query_resume(Query *query) {
        int r;

        query->answer = sd_bus_slot_unref(query->answer);

        r = sd_bus_message_rewind(query->call, /* complete= */ true);
        if (r >= 0)
                r = sd_bus_enqueue_for_read(query->polkit->bus, query->call);
        if (r >= 0)
                return;

        r = reply_failure(query->call, r, "going on with what polkit has answered");
        if (r < 0)
                log_warning("A caller could not be told what polkit has answered: %s", strerrordesc_np(-r));
        query_free(query);
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Query *query = userdata;

        if (sd_bus_message_is_method_error(reply, NULL))
                /* if it is because no answer came in time, nobody shall be bothered with it any longer */
                polkit_message_cancel(query->polkit->bus, query->id);

        if (polkit_message_read(reply, &query->about, &query->refusal) == 0)
                query->permits.devices[query->permits.n_devices++] = query->device;

        query_resume(query);
        return 1;
}

/*
 * NameOwnerChanged of the caller's unique name: it has left the bus, and there is nobody to answer to. When
 * polkit has answered already, that is forgotten.
 */
static int on_gone(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Query *query = userdata;

        if (query->answer)
                log_info("A caller (uid %u) has gone before polkit could answer whether it may have %s: it "
                         "may not", query->about.uid, query->about.device);
        query_free(query);
        return 0;
}

/* Who can't be watched can't be known to be there still. */
static int on_watched(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Query *query = userdata;

        if (!sd_bus_message_is_method_error(reply, NULL))
                return 1;

        polkit_message_cancel(query->polkit->bus, query->id);
        refuse(&query->refusal, OUTCOME_DENIED,
               "uid %u may not have %s: the bus does not say when the caller goes (%s), so that polkit "
               "can't be asked", query->about.uid, query->about.device,
               sd_bus_message_get_error(reply)->name);
        query_resume(query);
        return 1;
}

static int query_watch_caller(Query *query) {
        char match[256];
        int n;

        n = snprintf(match, sizeof(match),
                     "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                     "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'",
                     sd_bus_message_get_sender(query->call));
        if ((size_t) n >= sizeof(match))
                return -E2BIG;

        return sd_bus_add_match_async(query->polkit->bus, &query->gone, match, on_gone, on_watched, query);
}

/*
 * Watch first: the bus takes our messages in order, so that polkit is told of the question when every later
 * end of the caller is told to us, and polkit itself notices an earlier one.
 */
static int query_start(Query *query, const PolkitQuestion *question) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus *bus = query->polkit->bus;
        int r;

        r = query_watch_caller(query);
        if (r < 0)
                return r;

        r = polkit_message_new(bus, query->call, question, query->id, &m);
        if (r < 0)
                return r;

        return sd_bus_call_async(bus, &query->answer, m, on_answer, query,
                                 query->about.interactive ? LIMIT_QUESTION_HUMAN_USEC : LIMIT_QUESTION_USEC);
}

/* Returns 0, or OUTCOME_QUOTA. */
static int polkit_check_limits(const Polkit *polkit, uid_t uid, const Permits *permits, Refusal *reterr) {
        unsigned n_uid = 0, n_all = 0;

        for (const Query *query = polkit->queries; query; query = query->next) {
                n_all++;
                n_uid += query->about.uid == uid;
        }

        if (n_uid >= LIMIT_UID_QUESTIONS)
                return refuse(reterr, OUTCOME_QUOTA,
                              "uid %u has %u requests that polkit has not answered yet: wait for those",
                              uid, n_uid);
        if (n_all >= LIMIT_QUESTIONS)
                return refuse(reterr, OUTCOME_QUOTA,
                              "There are %u requests that polkit has not answered yet: try again later",
                              n_all);
        if (permits->n_devices >= LIMIT_REQUEST_QUESTIONS)
                return refuse(reterr, OUTCOME_QUOTA,
                              "polkit would have to be asked about more than %u devices: acquire them in "
                              "several leases", LIMIT_REQUEST_QUESTIONS);

        return 0;
}

int polkit_ask(Polkit *polkit, sd_bus_message *call, const PolkitQuestion *question, const Permits *permits,
               Refusal *reterr) {
        _cleanup_(query_freep) Query *query = NULL;
        int r;

        if (!sd_bus_message_get_sender(call))
                return -EBADMSG;

        r = polkit_check_limits(polkit, question->subject->uid, permits, reterr);
        if (r > 0)
                return r;

        query = calloc(1, sizeof(*query));
        if (!query)
                return -ENOMEM;

        *query = (Query) {
                .polkit = polkit,
                .call = sd_bus_message_ref(call),
                .about = {
                        .uid = question->subject->uid,
                        .interactive = sd_bus_message_get_allow_interactive_authorization(call) > 0,
                },
                .device = question->device->id,
                .permits = *permits,
                .next = polkit->queries,
        };
        strcpy(query->about.device, question->device->facts.name);
        snprintf(query->id, sizeof(query->id), "%" PRIu64, ++polkit->last_id);
        polkit->queries = query;

        r = query_start(query, question);
        if (r < 0)
                return r;

        (void) TAKE_PTR(query);
        return 0;
}

int polkit_take_answer(Polkit *polkit, sd_bus_message *call, Permits *ret, Refusal *reterr) {
        int r = 0;

        for (Query *query = polkit->queries; query; query = query->next) {
                if (query->call != call)
                        continue;

                assert(!query->answer);      /* it would not be dispatched before */
                *ret = query->permits;
                if (query->refusal.outcome != OUTCOME_GRANTED) {
                        *reterr = query->refusal;
                        r = reterr->outcome;
                }
                query_free(query);
                return r;
        }

        *ret = (Permits) {};
        return 0;
}
