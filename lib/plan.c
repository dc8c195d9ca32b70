/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "names.h"
#include "public.h"
#include "record.h"
#include "request.h"

struct iommud_step {
        char *action;
        char *device;
        char *driver;
        char *target;
        char *reason;
        char *text;
};

struct iommud_plan {
        bool possible;
        iommud_step **steps;
};

static const Field step_fields[] = {
        { "action", &field_text, offsetof(iommud_step, action) },
        { "device", &field_text, offsetof(iommud_step, device), .optional = true },
        { "driver", &field_text, offsetof(iommud_step, driver), .optional = true },
        { "target", &field_text, offsetof(iommud_step, target), .optional = true },
        { "reason", &field_text, offsetof(iommud_step, reason), .optional = true },
        { "text",   &field_text, offsetof(iommud_step, text),   .optional = true },
};

static const RecordType step_type = { step_fields, ELEMENTSOF(step_fields), sizeof(iommud_step) };

DEFINE_CLEANUP_FUNC(iommud_plan, iommud_plan_free);

static int plan_read(sd_bus_message *reply, iommud_plan **ret) {
        _cleanup_(iommud_plan_freep) iommud_plan *plan = NULL;
        int r;

        plan = calloc(1, sizeof(*plan));
        if (!plan)
                return -ENOMEM;

        r = field_bool.read(reply, &plan->possible);
        if (r < 0)
                return r;
        r = records_read(reply, "a{sv}", &step_type, (void ***) &plan->steps);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(plan);
        return 0;
}

_public_ int iommud_plan_new(iommud_client *client, const iommud_request *request, iommud_plan **ret_plan) {
        _cleanup_message_ sd_bus_message *message = NULL, *reply = NULL;
        int r;

        if (!request || !ret_plan)
                return -EINVAL;

        r = client_begin(client);
        if (r < 0)
                return r;
        r = request_prepare(client, request, "Plan", &message);
        if (r < 0)
                return r;
        r = client_call(client, message, 0, &reply);
        if (r != 0)
                return r;

        r = client_expect(client, "Plan", reply, "baa{sv}");
        if (r < 0)
                return r;

        return client_reply_read(client, "Plan", plan_read(reply, ret_plan));
}

_public_ void iommud_plan_free(iommud_plan *plan) {
        if (!plan)
                return;

        records_free(&step_type, (void **) plan->steps);
        free(plan);
}

_public_ bool iommud_plan_possible(const iommud_plan *plan) {
        return plan && plan->possible;
}

_public_ const iommud_step *const *iommud_plan_steps(const iommud_plan *plan) {
        static const iommud_step *const none[] = { NULL };

        return plan ? (const iommud_step *const *) plan->steps : none;
}

DEFINE_GETTER_TEXT(step, action);
DEFINE_GETTER_TEXT(step, device);
DEFINE_GETTER_TEXT(step, driver);
DEFINE_GETTER_TEXT(step, target);
DEFINE_GETTER_TEXT(step, reason);
DEFINE_GETTER_TEXT(step, text);
