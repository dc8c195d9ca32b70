/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/parse.h"
#include "bus/denial.h"
#include "bus/error.h"
#include "bus/objects.h"
#include "bus/options.h"
#include "bus/property.h"
#include "bus/request.h"
#include "core/device.h"
#include "core/lease-charge.h"
#include "core/manager.h"
#include "core/policy-trace.h"
#include "core/refusal.h"
#include "core/subject.h"
#include "names.h"

/* Who is to be explained. */
typedef struct Who {
        Subject subject;
        bool has_uid;
        Mode mode;
} Who;

static int read_uid(sd_bus_message *message, void *target, Refusal *reterr) {
        Who *who = target;
        int r;

        who->has_uid = true;
        r = sd_bus_message_read_basic(message, 'u', &who->subject.uid);
        return r < 0 ? r : 0;
}

static int read_gids(sd_bus_message *message, void *target, Refusal *reterr) {
        Subject *subject = &((Who *) target)->subject;
        const uint32_t *gids;
        size_t size;
        int r;

        r = sd_bus_message_read_array(message, 'u', (const void **) &gids, &size);
        if (r < 0)
                return r;
        if (size / sizeof(*gids) > SUBJECT_GIDS_MAX)
                return refuse(reterr, OUTCOME_INVALID_OPTION, "Option \"gids\" must be %d groups at most",
                              SUBJECT_GIDS_MAX);

        subject->known |= SUBJECT_KNOWS_GIDS;
        subject->n_gids = (unsigned) (size / sizeof(*gids));
        memcpy(subject->gids, gids, size);
        return 0;
}

static int read_fact(sd_bus_message *message, const char *key, char *buffer, size_t size, Refusal *reterr) {
        const char *s;
        int r;

        r = sd_bus_message_read_basic(message, 's', &s);
        if (r < 0)
                return r;
        if (copy_string(buffer, size, s) < 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION, "The value of option \"%s\" is too long", key);

        return 0;
}

static int read_unit(sd_bus_message *message, void *target, Refusal *reterr) {
        Subject *subject = &((Who *) target)->subject;

        subject->known |= SUBJECT_KNOWS_CGROUP;
        return read_fact(message, "unit", subject->unit, sizeof(subject->unit), reterr);
}

static int read_slice(sd_bus_message *message, void *target, Refusal *reterr) {
        Subject *subject = &((Who *) target)->subject;

        subject->known |= SUBJECT_KNOWS_CGROUP;
        return read_fact(message, "slice", subject->slice, sizeof(subject->slice), reterr);
}

static int read_cgroup(sd_bus_message *message, void *target, Refusal *reterr) {
        Subject *subject = &((Who *) target)->subject;

        subject->known |= SUBJECT_KNOWS_CGROUP;
        return read_fact(message, "cgroup", subject->cgroup, sizeof(subject->cgroup), reterr);
}

static int read_label(sd_bus_message *message, void *target, Refusal *reterr) {
        Subject *subject = &((Who *) target)->subject;

        subject->known |= SUBJECT_KNOWS_LABEL;
        return read_fact(message, "label", subject->label, sizeof(subject->label), reterr);
}

static int read_userns(sd_bus_message *message, void *target, Refusal *reterr) {
        Subject *subject = &((Who *) target)->subject;
        const char *s;
        int r;

        r = sd_bus_message_read_basic(message, 's', &s);
        if (r < 0)
                return r;
        if (strcmp(s, "own") != 0 && strcmp(s, "other") != 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "Option \"userns\" must be \"own\" or \"other\"");

        subject->known |= SUBJECT_KNOWS_USERNS;
        subject->own_userns = strcmp(s, "own") == 0;
        return 0;
}

static int read_mode(sd_bus_message *message, void *target, Refusal *reterr) {
        return option_read_mode(message, &((Who *) target)->mode, reterr);
}

static const Option options[] = {
        { "uid", "u", .read = read_uid },
        { "gids", "au", .read = read_gids },
        { "unit", "s", .read = read_unit },
        { "slice", "s", .read = read_slice },
        { "cgroup", "s", .read = read_cgroup },
        { "label", "s", .read = read_label },
        { "userns", "s", .read = read_userns },
        { IOMMUD_OPTION_MODE, "s", .read = read_mode },
        {},
};

typedef struct Explanation {
        sd_bus_message *reply;               /* borrowed */
        const Subject *subject;
} Explanation;

static int append_step(const Device *device, const PolicyStep *step, void *userdata) {
        const Explanation *e = userdata;
        char text[POLICY_STEP_TEXT_MAX];
        int r;

        policy_step_text(step, e->subject, text, sizeof(text));

        r = sd_bus_message_open_container(e->reply, 'a', "{sv}");
        if (r >= 0)
                r = append_entry(e->reply, "device", "s", device->facts.name);
        if (r >= 0)
                r = append_entry(e->reply, "rule", "s", step->rule ? step->rule->origin : "");
        if (r >= 0)
                r = append_entry(e->reply, "verdict", "s", verdict_to_string(step->verdict));
        if (r >= 0)
                r = append_entry(e->reply, "match", "s", match_to_string(step->match));
        if (r >= 0)
                r = append_entry(e->reply, "key", "s",
                                 step->match == MATCH_YES ? "" : rule_key_to_string(step->key));
        if (r >= 0)
                r = append_entry(e->reply, "decides", "b", step->decides);
        if (r >= 0)
                r = append_entry(e->reply, "text", "s", text);
        if (r < 0)
                return r;

        return sd_bus_message_close_container(e->reply);
}

/* Returns 0 with a reply that can be sent, an Outcome with *reterr, or a negative errno. */
static int explain(BusServer *server, const Who *who, const char *selector, sd_bus_message *reply,
                   Refusal *reterr) {
        Explanation e = { .reply = reply, .subject = &who->subject };
        int r;

        r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        if (r < 0)
                return r;

        r = manager_trace_policy(server->manager, &who->subject, who->mode, selector, append_step, &e,
                                 reterr);
        if (r != 0)
                return r;

        return sd_bus_message_close_container(reply);
}

int method_explain_policy(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Who who = { .subject = SUBJECT_INIT };
        BusServer *server = userdata;
        const char *selector;
        Refusal refusal = {};
        Subject subject;
        int r;

        r = sd_bus_message_read(message, "s", &selector);
        if (r < 0)
                return r;
        r = options_read(message, options, &who, &refusal);
        if (r > 0)
                return reply_refusal(message, &refusal);
        if (r < 0)
                return r;

        r = bus_server_identify(server, message, &subject);
        if (r == 0)
                return 1;
        if (r < 0)
                return reply_failure(message, r, "identifying the caller");

        r = manager_admit(server->manager, &subject, bus_boottime_usec(), &refusal);
        if (r < 0)
                return reply_failure(message, r, "counting requests");

        /* Others are root's to ask about, and what would be if one were in another unit is, too */
        if (r == 0 && !who.has_uid && who.subject.known == 0)
                who.subject = subject;
        else if (r == 0 && !subject_is_root(&subject))
                r = refuse(&refusal, OUTCOME_DENIED,
                           "Only root can ask about others: without uid, gids and the like it is about "
                           "you%s", subject_root_doubt(&subject));
        else if (r == 0 && !who.has_uid)
                r = refuse(&refusal, OUTCOME_INVALID_OPTION,
                        "Say who it is about: option \"uid\" is not there");
        if (r > 0)
                return reply_denial(server, message, &subject, &refusal);
        /* as it is now on this host, whomever it is about */
        who.subject.known |= subject.known & SUBJECT_KNOWS_ENFORCED;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;

        r = explain(server, &who, selector, reply, &refusal);
        if (r > 0)
                return reply_refusal(message, &refusal);
        if (r < 0)
                return reply_failure(message, r, "ExplainPolicy");

        return sd_bus_send(/* bus= */ NULL, reply, /* ret_cookie= */ NULL);
}
