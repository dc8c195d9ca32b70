/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bus/audit.h"
#include "bus/error.h"
#include "bus/objects.h"
#include "bus/polkit.h"
#include "bus/request.h"
#include "core/change.h"
#include "core/lease-charge.h"
#include "core/manager.h"
#include "core/refusal.h"
#include "core/subject.h"

/* An Acquire that is being looked at. */
typedef struct AcquireCall {
        BusServer *server;
        sd_bus_message *message;
        const Subject *subject;
        Request *request;
        Permits permits;                     /* that polkit has given it so far */
        bool untold;                         /* the journal is not told that it was refused */
        uint64_t n_untold;                   /* nor was it of so many before it */
} AcquireCall;

/* The policy wants polkit to be asked: does that, and the call is dispatched again. Or refuses. */
static int acquire_ask(AcquireCall *call, Refusal *reterr) {
        const Device *device;

        device = manager_find_device(call->server->manager, reterr->device);
        assert(device);                      /* it was planned with a moment ago */

        return polkit_ask(call->server->polkit, call->message,
                          &(PolkitQuestion) {
                                  .subject = call->subject, .device = device, .mode = call->request->mode,
                          },
                          &call->permits, reterr);
}

/* Returns 0: it will be answered; an Outcome with *reterr; or a negative errno. */
static int acquire(AcquireCall *call, Refusal *reterr, ChangeSet *changes) {
        BusServer *server = call->server;
        uint64_t lease;
        int r;

        r = polkit_take_answer(server->polkit, call->message, &call->permits, reterr);
        if (r > 0)
                return r;

        /* one that polkit has answered was counted when it came */
        if (call->permits.n_devices == 0) {
                r = manager_admit(server->manager, call->subject, call->request->boottime_usec, reterr);
                if (r > 0)
                        call->untold = !manager_tell_refusal(server->manager, call->subject,
                                                             call->request->boottime_usec, &call->n_untold);
                if (r != 0)
                        return r;
        }

        call->request->permits = &call->permits;
        r = manager_acquire(server->manager, call->subject, call->request, &lease, reterr, changes);
        if (r == OUTCOME_AUTHORIZATION_REQUIRED)
                return acquire_ask(call, reterr);
        if (r != 0)
                return r;

        r = bus_server_defer(server, call->message, lease);
        if (r < 0)
                /* there is nobody to hand it to: it ends before anybody has seen it */
                manager_hangup(server->manager, lease, "its caller can't be answered", changes);

        return r;
}

int method_acquire(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(request_message_done) RequestMessage request = {};
        _cleanup_(change_set_done) ChangeSet changes = {};
        BusServer *server = userdata;
        AcquireCall call;
        Refusal refusal = {};
        Subject subject;
        int r;

        r = request_message_read(message, &request, &refusal);
        if (r > 0)
                return reply_refusal(message, &refusal);
        if (r < 0)
                return r;

        r = bus_server_identify(server, message, &subject);
        if (r == 0)
                return 1;                    /* dispatched again */
        if (r < 0)
                return reply_failure(message, r, "identifying the caller");

        call = (AcquireCall) {
                .server = server,
                .message = message,
                .subject = &subject,
                .request = &request.request,
        };
        r = acquire(&call, &refusal, &changes);
        if (r > 0 && !call.untold)
                audit_refused(&subject, request.request.selectors, request.request.n_selectors, &refusal,
                              call.n_untold);
        if (r > 0)
                r = reply_refusal(message, &refusal);

        server->funcs->commit(server->userdata, &changes);
        return r < 0 ? reply_failure(message, r, "Acquire") : 1;
}
