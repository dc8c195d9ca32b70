/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The method Release of a lease: ends it, asks its holder to, or has its holders ended.
 */

#include <stdlib.h>

#include "bus/client.h"
#include "bus/denial.h"
#include "bus/error.h"
#include "bus/objects.h"
#include "bus/options.h"
#include "bus/path.h"
#include "core/change.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/refusal.h"
#include "names.h"

/* Borrowed from the message. */
typedef struct ReleaseOptions {
        bool request, kill;
        bool has_deadline;
        uint64_t deadline_usec;
        const char *reason;                  /* NULL: not given */
} ReleaseOptions;

static int read_deadline(sd_bus_message *message, void *target, Refusal *reterr) {
        ReleaseOptions *options = target;
        int r;

        options->has_deadline = true;
        r = sd_bus_message_read_basic(message, 't', &options->deadline_usec);
        return r < 0 ? r : 0;
}

static int check_options(const ReleaseOptions *options, Refusal *reterr) {
        if (options->request && options->kill)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "A holder can be asked or ended: give request or kill, not both");

        if (!options->request && (options->has_deadline || options->reason))
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "The options deadline and reason belong to request, which is not there");

        return 0;
}

static int read_options(sd_bus_message *message, ReleaseOptions *ret, Refusal *reterr) {
        static const Option table[] = {
                { IOMMUD_OPTION_REQUEST, "b", offsetof(ReleaseOptions, request) },
                { IOMMUD_OPTION_DEADLINE, "t", .read = read_deadline },
                { IOMMUD_OPTION_REASON, "s", offsetof(ReleaseOptions, reason) },
                { IOMMUD_OPTION_KILL, "b", offsetof(ReleaseOptions, kill) },
                {},
        };
        ReleaseOptions options = {};
        int r;

        r = options_read(message, table, &options, reterr);
        if (r != 0)
                return r;

        r = check_options(&options, reterr);
        if (r > 0)
                return r;

        *ret = options;
        return 0;
}

static int reply_unheard(sd_bus_message *call) {
        Refusal refusal;

        refuse(&refusal, OUTCOME_NOT_SUPPORTED,
               "Who acquired the lease has left the bus, nobody was asked: \"iommuctl leases\" shows who it "
               "was, and \"iommuctl release\" ends it");
        return reply_refusal(call, &refusal);
}

/* A call that asks for a lease, while the bus is asked for the lease's holder. */
typedef struct HolderQuestion {
        BusServer *server;
        sd_bus_message *call;                /* a reference */
        Subject subject;
        uint64_t lease;
        const char *reason;                  /* of the call */
        uint64_t deadline_usec;
} HolderQuestion;

static void holder_question_free(void *userdata) {
        HolderQuestion *question = userdata;

        sd_bus_message_unref(question->call);
        free(question);
}

static int ask_holder(const HolderQuestion *question) {
        _cleanup_(change_set_done) ChangeSet changes = {};
        BusServer *server = question->server;
        Refusal refusal;
        int r;

        r = manager_request_release(server->manager, &question->subject, question->lease, question->reason,
                question->deadline_usec, &refusal, &changes);
        if (r > 0)
                return reply_denial(server, question->call, &question->subject, &refusal);

        server->funcs->commit(server->userdata, &changes);
        return sd_bus_reply_method_return(question->call, NULL);
}

/* Whether the holder is on the bus. One who leaves it from here on has left when it was asked. */
static int on_has_owner(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const HolderQuestion *question = userdata;
        int r, there;

        if (sd_bus_message_is_method_error(reply, NULL))
                r = -sd_bus_message_get_errno(reply);
        else
                r = sd_bus_message_read(reply, "b", &there);
        if (r < 0)
                return reply_failure(question->call, r, "asking the bus for the holder");

        return there ? ask_holder(question) : reply_unheard(question->call);
}

/*
 * Who is not there to hear it is not asked, and nothing is changed. The bus says so before, and not
 * afterwards: a holder may do as it is asked, and be gone, before a question reaches the bus.
 */
static int request_release(BusServer *server, sd_bus_message *call, const Subject *subject,
                           const Lease *lease, const ReleaseOptions *options) {
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        HolderQuestion *question;
        const char *name;
        Refusal refusal;
        int r;

        r = manager_check_request(server->manager, subject, lease->id, &refusal);
        if (r > 0)
                return reply_denial(server, call, subject, &refusal);

        name = client_on_bus(server->bus, lease->client);
        if (!name)
                return reply_unheard(call);  /* it was on a bus that is gone */

        question = calloc(1, sizeof(*question));
        if (!question)
                return -ENOMEM;

        *question = (HolderQuestion) {
                .server = server,
                .call = sd_bus_message_ref(call),
                .subject = *subject,
                .lease = lease->id,
                .reason = options->reason ?: "",
                .deadline_usec = options->deadline_usec,
        };

        r = sd_bus_call_method_async(server->bus, &slot, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                "org.freedesktop.DBus", "NameHasOwner", on_has_owner, question, "s", name);
        if (r >= 0)
                r = sd_bus_slot_set_destroy_callback(slot, holder_question_free);
        if (r < 0) {
                holder_question_free(question);
                return reply_failure(call, r, "asking the bus for the holder");
        }

        r = sd_bus_slot_set_floating(slot, true);
        return r < 0 ? reply_failure(call, r, "asking the bus for the holder") : 1;
}

int lease_method_release(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(change_set_done) ChangeSet changes = {};
        BusServer *server = userdata;
        ReleaseOptions options;
        Refusal refusal;
        Subject subject;
        Lease *lease;
        int r;

        r = read_options(message, &options, &refusal);
        if (r > 0)
                return reply_refusal(message, &refusal);
        if (r < 0)
                return r;

        r = bus_server_identify(server, message, &subject);
        if (r == 0)
                return 1;                    /* dispatched again */
        if (r < 0)
                return reply_failure(message, r, "identifying the caller");

        lease = path_to_lease(server->manager, sd_bus_message_get_path(message));
        assert(lease);                       /* the object was found a moment ago */

        if (options.request)
                return request_release(server, message, &subject, lease, &options);

        if (options.kill)
                r = manager_kill_holders(server->manager, &subject, lease->id, &refusal, &changes);
        else
                r = manager_release(server->manager, &subject, lease->id, &refusal, &changes);
        if (r > 0)
                return reply_denial(server, message, &subject, &refusal);

        r = sd_bus_reply_method_return(message, NULL);
        server->funcs->commit(server->userdata, &changes);
        return r;
}
