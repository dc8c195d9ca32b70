/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "public.h"
#include "record.h"
#include "request.h"
#include "text.h"

/* What a fact says to programs. */
typedef struct StepValue {
        char *key, *text;
        bool has_number;
        uint64_t number;
} StepValue;

struct iommud_step {
        char *action;
        char *device;
        char *driver;
        char *target;
        char *reason;
        char *text;
        char *topic;
        char *grade;
        StepValue *values;
        size_t n_values;
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
        { "topic",  &field_text, offsetof(iommud_step, topic),  .optional = true },
        { "grade",  &field_text, offsetof(iommud_step, grade),  .optional = true },
};

static int number_to_text(uint64_t number, char **ret) {
        return asprintf(ret, "%" PRIu64, number) < 0 ? -ENOMEM : 0;
}

static int step_read_number(sd_bus_message *m, char type, StepValue *value) {
        uint32_t u32 = 0;
        int r, yes = 0;

        r = sd_bus_message_enter_container(m, 'v', (char[]) { type, '\0' });
        if (r >= 0)
                r = sd_bus_message_read_basic(
                        m, type, type == 'b' ? (void *) &yes : type == 'u' ? (void *) &u32 : &value->number);
        if (r < 0)
                return r;

        if (type != 't')
                value->number = type == 'b' ? (uint64_t) yes : u32;
        value->has_number = true;
        r = type == 'b' ? (value->text = strdup(yes ? "true" : "false")) ? 0 : -ENOMEM :
                          number_to_text(value->number, &value->text);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int step_read_text(sd_bus_message *m, StepValue *value) {
        int r;

        r = sd_bus_message_enter_container(m, 'v', "s");
        if (r < 0)
                return r;
        r = field_text.read(m, &value->text);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* Of whatever key. What is neither text nor a number is of a newer iommud, and skipped. */
static int step_read_value(sd_bus_message *m, const char *key, void *record) {
        iommud_step *step = record;
        const char *contents;
        StepValue *value;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        if (type != 'v' || !contents || strlen(contents) != 1 || !strchr("stub", contents[0]))
                return sd_bus_message_skip(m, "v");

        r = array_grow(&step->values, step->n_values, sizeof(*step->values));
        if (r < 0)
                return r;
        value = &step->values[step->n_values++];
        value->key = text_dup(key);
        if (!value->key)
                return -ENOMEM;

        type = contents[0];
        return type == 's' ? step_read_text(m, value) : step_read_number(m, type, value);
}

static void step_done_values(void *record) {
        iommud_step *step = record;

        for (size_t i = 0; i < step->n_values; i++) {
                free(step->values[i].key);
                free(step->values[i].text);
        }
        free(step->values);
}

static const RecordType step_type = {
        step_fields, ELEMENTSOF(step_fields), sizeof(iommud_step), step_read_value, step_done_values,
};

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
DEFINE_GETTER_TEXT(step, topic);
DEFINE_GETTER_TEXT(step, grade);

_public_ int iommud_step_value(
                const iommud_step *step, size_t index, const char **ret_key, const char **ret_text) {
        if (!ret_key || !ret_text)
                return -EINVAL;
        if (!step || index >= step->n_values)
                return -ENOENT;

        *ret_key = step->values[index].key;
        *ret_text = step->values[index].text;
        return 0;
}

_public_ int iommud_step_number(const iommud_step *step, const char *key, uint64_t *ret_number) {
        if (!key || !ret_number)
                return -EINVAL;

        for (size_t i = 0; step && i < step->n_values; i++)
                if (strcmp(step->values[i].key, key) == 0 && step->values[i].has_number) {
                        *ret_number = step->values[i].number;
                        return 0;
                }

        return -ENOENT;
}
