/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bus/denial.h"
#include "bus/error.h"
#include "bus/fact-message.h"
#include "bus/memlock.h"
#include "bus/objects.h"
#include "bus/property.h"
#include "bus/request.h"
#include "core/change.h"
#include "core/lease-charge.h"
#include "core/plan.h"
#include "core/refusal.h"
#include "core/subject.h"

static int append_step(sd_bus_message *reply, const PlanStep *step) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{sv}");
        if (r < 0)
                return r;

        r = append_entry(reply, "action", "s", plan_action_to_string(step->action));
        if (r < 0)
                return r;

        r = append_entry(reply, "device", "s", step->device);
        if (r < 0)
                return r;

        r = append_entry(reply, "driver", "s", step->driver);
        if (r < 0)
                return r;

        if (step->action == PLAN_REBIND) {
                r = append_entry(reply, "target", "s", step->target);
                if (r < 0)
                        return r;
        }

        if (step->action == PLAN_FACT) {
                r = fact_append(reply, &step->fact);
                if (r < 0)
                        return r;
        }

        if (step->action == PLAN_BLOCKED) {
                r = append_entry(reply, "reason", "s", outcome_to_string(step->refusal.outcome));
                if (r < 0)
                        return r;

                r = append_entry(reply, "text", "s", step->refusal.text);
                if (r < 0)
                        return r;
        }

        if (step->action == PLAN_BLOCKED && step->refusal.outcome == OUTCOME_HOST_IN_USE) {
                r = append_entry(reply, "use", "s", host_use_to_string(step->refusal.use));
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(reply);
}

static int reply_plan(sd_bus_message *message, const Plan *plan) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;

        r = sd_bus_message_append(reply, "b", !plan_refusal(plan));
        if (r < 0)
                return r;

        r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        if (r < 0)
                return r;

        for (size_t i = 0; i < plan->n_steps; i++) {
                r = append_step(reply, &plan->steps[i]);
                if (r < 0)
                        return r;
        }

        r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;

        return sd_bus_send(/* bus= */ NULL, reply, /* ret_cookie= */ NULL);
}

/*
 * Of the holder, or of the caller, who becomes what maps the memory. Of another user nobody knows what that
 * will be.
 */
static void read_memlock(BusServer *server, sd_bus_message *message, Request *request) {
        int pidfd;

        if (request->ram == 0 || (request->as && request->holder < 0))
                return;

        pidfd = request->holder >= 0 ? request->holder : server->funcs->pidfd(server->userdata, message);
        if (pidfd >= 0)
                memlock_read(pidfd, &request->memlock);
}

int method_plan(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(request_message_done) RequestMessage request = {};
        _cleanup_(change_set_done) ChangeSet changes = {};
        _cleanup_(plan_done) Plan plan = {};
        BusServer *server = userdata;
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
                return 1;
        if (r < 0)
                return reply_failure(message, r, "identifying the caller");

        r = manager_admit(server->manager, &subject, request.request.boottime_usec, &refusal);
        if (r > 0)
                return reply_refusal(message, &refusal);
        if (r < 0)
                return reply_failure(message, r, "counting requests");

        if (request.request.as && !subject_is_root(&subject)) {
                refuse(&refusal, OUTCOME_DENIED, "Only root can ask what another user may have%s",
                       subject_root_doubt(&subject));
                return reply_denial(server, message, &subject, &refusal);
        }

        read_memlock(server, message, &request.request);

        r = plan_make(server->manager, &subject, &request.request, &plan, &changes);
        if (r < 0)
                return reply_failure(message, r, "Plan");

        r = reply_plan(message, &plan);
        server->funcs->commit(server->userdata, &changes);
        return r;
}
