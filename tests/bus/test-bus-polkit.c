/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where the policy says "ask": what polkit is asked, and what becomes of each way in which it answers. */

#include "bus-rig.h"
#include "core/limits.h"
#include "core/policy.h"
#include "fake/assert.h"
#include "message-text.h"
#include "names.h"

#define POLKIT_ERROR "org.freedesktop.PolicyKit1.Error.Failed"
#define ALLOW_INTERACTIVE true
#define ALICES_NAME ":1.7"

/* The rig, of which the test plays polkit too. */
typedef struct PolkitRig {
        BusRig *rig;
        sd_bus_message *questions[LIMIT_QUESTIONS + 8];        /* CheckAuthorization; owned */
        unsigned n_questions, n_cancelled;
        char cancelled[32];                  /* the id that was cancelled last */
} PolkitRig;

/* How long the answer to the last question may take. */
static uint64_t last_timeout_usec;

int __real_sd_bus_call_async(sd_bus *bus, sd_bus_slot **slot, sd_bus_message *m,
                             sd_bus_message_handler_t callback, void *userdata, uint64_t usec);
int __wrap_sd_bus_call_async(sd_bus *bus, sd_bus_slot **slot, sd_bus_message *m,
                             sd_bus_message_handler_t callback, void *userdata, uint64_t usec);
int __wrap_sd_bus_call_async(sd_bus *bus, sd_bus_slot **slot, sd_bus_message *m,
                             sd_bus_message_handler_t callback, void *userdata, uint64_t usec) {
        if (sd_bus_message_is_method_call(m, NULL, "CheckAuthorization"))
                last_timeout_usec = usec;
        return __real_sd_bus_call_async(bus, slot, m, callback, userdata, usec);
}

static int on_polkit_call(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        PolkitRig *p = userdata;
        const char *id;

        if (sd_bus_message_is_method_call(m, NULL, "CheckAuthorization")) {
                assert(p->n_questions < ELEMENTSOF(p->questions));
                p->questions[p->n_questions++] = sd_bus_message_ref(m);
                return 1;
        }
        if (sd_bus_message_is_method_call(m, NULL, "CancelCheckAuthorization")) {
                assert_ok(sd_bus_message_read(m, "s", &id));
                snprintf(p->cancelled, sizeof(p->cancelled), "%s", id);
                p->n_cancelled++;
                return 1;
        }

        return 0;
}

static PolkitRig *polkit_rig_new(void) {
        PolkitRig *p;

        p = calloc(1, sizeof(*p));
        assert(p);
        p->rig = bus_rig_new();
        assert_ok(sd_bus_add_filter(p->rig->client, /* ret_slot= */ NULL, on_polkit_call, p));
        scene_add(p->rig->scene, "0000:01:00.0", 12, "nvme");
        scene_add(p->rig->scene, "0000:02:00.0", 13, "vfio-pci");
        p->rig->scene->manager->policy->rules[1].verdict = VERDICT_ASK;
        bus_rig_commit(p->rig);
        bus_rig_forget(p->rig);
        return p;
}

static PolkitRig *polkit_rig_free(PolkitRig *p) {
        for (unsigned i = 0; i < p->n_questions; i++)
                sd_bus_message_unref(p->questions[i]);
        bus_rig_free(p->rig);
        free(p);
        return NULL;
}
DEFINE_CLEANUP_FUNC(PolkitRig, polkit_rig_free);
#define _cleanup_polkit_ _cleanup_(polkit_rig_freep)

/* The connection of this name calls Acquire. */
static void send_acquire(PolkitRig *p, const char *name, bool interactive, const char *const *selectors,
                         sd_bus_message **ret) {
        _cleanup_message_ sd_bus_message *call = bus_rig_message(p->rig, "Acquire");

        assert_ok(sd_bus_message_set_sender(call, name));
        assert_ok(sd_bus_message_set_allow_interactive_authorization(call, interactive));
        assert_ok(sd_bus_message_append_strv(call, (char **) selectors));
        assert_ok(sd_bus_message_append(call, "a{sv}", 0));
        bus_rig_send(p->rig, call, ret);
}

static void send_acquire_one(PolkitRig *p, bool interactive, sd_bus_message **ret) {
        static const char *const selectors[] = { "01:00.0", NULL };

        send_acquire(p, ALICES_NAME, interactive, selectors, ret);
}

/* The question that was asked last. */
static sd_bus_message *last_question(PolkitRig *p) {
        assert(p->n_questions > 0);
        return p->questions[p->n_questions - 1];
}

static void answer(PolkitRig *p, sd_bus_message *question, bool authorized, bool challenge,
                   const char *detail) {
        assert_ok(sd_bus_reply_method_return(question, "(bba{ss})", authorized, challenge, detail ? 1 : 0,
                                             detail, "true"));
        bus_rig_process(p->rig);
}

static void answer_error(PolkitRig *p, const char *name) {
        assert_ok(sd_bus_reply_method_errorf(last_question(p), name, "Because."));
        bus_rig_process(p->rig);
}

static unsigned count_lines(const char *text, const char *line) {
        unsigned n = 0;

        for (const char *s = text; (s = strstr(s, line)); s++)
                n++;

        return n;
}

/* What polkit is told, and that an answer is for one request. */
static void test_yes(void) {
        _cleanup_message_ sd_bus_message *reply = NULL, *again = NULL, *list = NULL;
        _cleanup_polkit_ PolkitRig *p = polkit_rig_new();
        _cleanup_free_ char *text = NULL;
        uint64_t lease;
        Client client;
        Before before;

        scene_remember(p->rig->scene, &before);
        send_acquire_one(p, /* interactive= */ false, &reply);
        assert(!reply);
        assert_eq_int(p->n_questions, 1);
        assert_eq_str(sd_bus_message_get_destination(p->questions[0]), "org.freedesktop.PolicyKit1");
        assert_eq_str(sd_bus_message_get_path(p->questions[0]), "/org/freedesktop/PolicyKit1/Authority");
        assert_eq_str(sd_bus_message_get_interface(p->questions[0]),
                      "org.freedesktop.PolicyKit1.Authority");
        text = message_text(p->questions[0]);
        assert_has(text, "(\"system-bus-name\", {\"name\": <s \"" ALICES_NAME "\">}) "
                         "\"" IOMMUD_POLKIT_ACTION "\" {\"device\": \"0000:01:00.0\", \"name\": \"");
        assert_has(text, "\"ids\": \"8086:10d3\", \"class\": \"010802\", \"serial\": \"\", "
                         "\"driver\": \"nvme\", \"group\": \"12\", \"mode\": \"vmm\", \"uid\": \"1000\"} "
                         "0 \"1\"");

        /* nothing has happened, and nobody waits with the caller */
        scene_assert_as_before(p->rig->scene, &before);
        list = bus_rig_call(p->rig, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "ListLeases", NULL);
        assert_reply(list, "a(oa{sv})");

        answer(p, p->questions[0], /* authorized= */ true, /* challenge= */ false, NULL);
        bus_rig_run_tasks(p->rig);
        assert(reply);
        bus_rig_take_fds(p->rig, reply, &lease, &client);
        assert_eq_int(p->n_questions, 1);
        assert_eq_int(p->n_cancelled, 0);

        reply = sd_bus_message_unref(reply);
        client_close(&client);
        bus_rig_watch(p->rig);
        bus_rig_run_tasks(p->rig);
        send_acquire_one(p, ALLOW_INTERACTIVE, &again);
        assert(!again);
        assert_eq_int(p->n_questions, 2);
        free(text);
        text = message_text(p->questions[1]);
        assert_has(text, "\"uid\": \"1000\"} 1 \"2\"");
        answer(p, p->questions[1], false, false, NULL);
        assert_error(again, IOMMUD_ERROR_DENIED, "may not have 0000:01:00.0: polkit does not permit it");
        scene_assert_as_before(p->rig->scene, &before);
}

static void test_no(void) {
        static const struct {
                bool challenge, interactive;
                const char *detail, *error, *text;
        } cases[] = {
                { false, false, NULL, IOMMUD_ERROR_DENIED, "polkit does not permit it" },
                { false, true, NULL, IOMMUD_ERROR_DENIED, "polkit does not permit it" },
                { true, false, NULL, IOMMUD_ERROR_AUTHORIZATION_REQUIRED, "has not let it ask" },
                { true, true, NULL, IOMMUD_ERROR_AUTHORIZATION_REQUIRED, "there is no agent" },
                { false, true, "polkit.dismissed", IOMMUD_ERROR_DENIED, "was dismissed" },
                { true, true, "polkit.dismissed", IOMMUD_ERROR_DENIED, "was dismissed" },
                { false, false, "newer.than.us", IOMMUD_ERROR_DENIED, "polkit does not permit it" },
        };
        _cleanup_polkit_ PolkitRig *p = polkit_rig_new();
        Before before;

        scene_remember(p->rig->scene, &before);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;

                send_acquire_one(p, cases[i].interactive, &reply);
                answer(p, last_question(p), false, cases[i].challenge, cases[i].detail);
                assert(reply);
                assert_error(reply, cases[i].error, cases[i].text);
                assert_error(reply, cases[i].error, "uid 1000 may not have 0000:01:00.0");
        }
        assert_eq_int(p->n_questions, ELEMENTSOF(cases));
        scene_assert_as_before(p->rig->scene, &before);
}

/* However polkit fails to answer: denied, and at once. */
static void test_errors(void) {
        static const struct {
                const char *name, *text;
        } cases[] = {
                { SD_BUS_ERROR_SERVICE_UNKNOWN, "it can't be reached (" SD_BUS_ERROR_SERVICE_UNKNOWN ")" },
                { SD_BUS_ERROR_NAME_HAS_NO_OWNER, "it can't be reached" },
                { "org.freedesktop.systemd1.NoSuchUnit", "it can't be reached" },
                { "org.freedesktop.systemd1.UnitMasked", "it can't be reached" },
                { "org.freedesktop.DBus.Error.Spawn.ExecFailed", "it can't be reached" },
                { SD_BUS_ERROR_NO_REPLY, "has not answered in time" },
                { SD_BUS_ERROR_TIMEOUT, "has not answered in time" },
                { POLKIT_ERROR, "polkit could not tell: Because. (" POLKIT_ERROR ")" },
                { "org.freedesktop.PolicyKit1.Error.NotAuthorized", "polkit could not tell" },
                { SD_BUS_ERROR_ACCESS_DENIED, "polkit could not tell" },
                { SD_BUS_ERROR_LIMITS_EXCEEDED, "polkit could not tell" },
        };
        _cleanup_polkit_ PolkitRig *p = polkit_rig_new();
        Before before;

        scene_remember(p->rig->scene, &before);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;
                char id[16];

                send_acquire_one(p, ALLOW_INTERACTIVE, &reply);
                answer_error(p, cases[i].name);
                assert(reply);
                assert_error(reply, IOMMUD_ERROR_DENIED, cases[i].text);

                /* whoever sees the question still need not answer it */
                snprintf(id, sizeof(id), "%zu", i + 1);
                assert_eq_str(p->cancelled, id);
        }
        scene_assert_as_before(p->rig->scene, &before);
}

/* What is no answer is none. */
static void test_garbage(void) {
        _cleanup_message_ sd_bus_message *a = NULL, *b = NULL, *c = NULL;
        _cleanup_polkit_ PolkitRig *p = polkit_rig_new();

        send_acquire_one(p, false, &a);
        assert_ok(sd_bus_reply_method_return(last_question(p), "b", true));
        bus_rig_process(p->rig);
        assert_error(a, IOMMUD_ERROR_DENIED, "in a way that nobody understands");

        send_acquire_one(p, false, &b);
        assert_ok(sd_bus_reply_method_return(last_question(p), NULL));
        bus_rig_process(p->rig);
        assert_error(b, IOMMUD_ERROR_DENIED, "in a way that nobody understands");

        send_acquire_one(p, false, &c);
        assert_ok(sd_bus_reply_method_return(last_question(p), "(bbas)", true, false, 0));
        bus_rig_process(p->rig);
        assert_error(c, IOMMUD_ERROR_DENIED, "in a way that nobody understands");
}

/* The answer comes to another world than the question was asked in. */
static void test_from_the_top(void) {
        _cleanup_message_ sd_bus_message *denied = NULL, *gone = NULL, *other = NULL, *first = NULL;
        _cleanup_message_ sd_bus_message *second = NULL, *allowed = NULL;
        _cleanup_polkit_ PolkitRig *p = polkit_rig_new();
        PolicyRule *rule = &p->rig->scene->manager->policy->rules[1];

        send_acquire_one(p, false, &denied);
        rule->verdict = VERDICT_DENY;
        answer(p, last_question(p), true, false, NULL);
        assert_error(denied, IOMMUD_ERROR_DENIED, "denies it");
        rule->verdict = VERDICT_ASK;

        send_acquire_one(p, false, &gone);
        scene_unplug(p->rig->scene, "0000:01:00.0");
        bus_rig_commit(p->rig);
        answer(p, last_question(p), true, false, NULL);
        assert_error(gone, IOMMUD_ERROR_NO_SUCH_DEVICE, "01:00.0");

        /* another device at the same place is another question */
        scene_add(p->rig->scene, "0000:01:00.0", 12, "nvme");
        bus_rig_commit(p->rig);
        send_acquire_one(p, false, &other);
        scene_unplug(p->rig->scene, "0000:01:00.0");
        scene_add(p->rig->scene, "0000:01:00.0", 12, "nvme");
        bus_rig_commit(p->rig);
        assert_eq_int(p->n_questions, 3);
        answer(p, last_question(p), true, false, NULL);
        assert(!other);
        assert_eq_int(p->n_questions, 4);
        answer(p, last_question(p), false, false, NULL);
        assert_error(other, IOMMUD_ERROR_DENIED, "polkit does not permit it");

        /* somebody was faster */
        send_acquire_one(p, false, &first);
        send_acquire_one(p, false, &second);
        assert_eq_int(p->n_questions, 6);
        answer(p, p->questions[5], true, false, NULL);
        answer(p, p->questions[4], true, false, NULL);
        assert_error(first, IOMMUD_ERROR_TAKEN, "lease 1 of uid 1000");
        bus_rig_run_tasks(p->rig);
        assert_reply(second, "oa{sh}a{sv}");
        second = sd_bus_message_unref(second);
        bus_rig_watch(p->rig);
        bus_rig_run_tasks(p->rig);

        /* a no of polkit's is one, even if nobody would ask it any more */
        send_acquire_one(p, false, &allowed);
        rule->verdict = VERDICT_ALLOW;
        answer(p, last_question(p), false, false, NULL);
        assert_error(allowed, IOMMUD_ERROR_DENIED, "polkit does not permit it");
}

/* Each device is asked about by itself, so that rules see one at a time; one no is enough. */
static void test_two_devices(void) {
        static const char *const selectors[] = { "01:00.0", "02:00.0", NULL };
        _cleanup_message_ sd_bus_message *reply = NULL, *granted = NULL;
        _cleanup_polkit_ PolkitRig *p = polkit_rig_new();
        _cleanup_free_ char *text = NULL;
        Before before;

        scene_remember(p->rig->scene, &before);
        send_acquire(p, ALICES_NAME, false, selectors, &reply);
        answer(p, last_question(p), true, false, NULL);
        assert(!reply);
        assert_eq_int(p->n_questions, 2);
        text = message_text(last_question(p));
        assert_has(text, "{\"device\": \"0000:02:00.0\"");
        answer(p, last_question(p), false, false, NULL);
        assert_error(reply, IOMMUD_ERROR_DENIED, "uid 1000 may not have 0000:02:00.0");
        scene_assert_as_before(p->rig->scene, &before);

        /* what was permitted to that request is not to this one */
        send_acquire(p, ALICES_NAME, false, selectors, &granted);
        for (unsigned i = 0; i < 2; i++)
                answer(p, last_question(p), true, false, NULL);
        assert_eq_int(p->n_questions, 4);
        bus_rig_run_tasks(p->rig);
        assert_reply(granted, "oa{sh}a{sv}");
}

static void name_goes(PolkitRig *p, const char *name) {
        _cleanup_message_ sd_bus_message *signal = NULL;

        assert_ok(sd_bus_message_new_signal(p->rig->client, &signal, "/org/freedesktop/DBus",
                                            "org.freedesktop.DBus", "NameOwnerChanged"));
        assert_ok(sd_bus_message_set_sender(signal, "org.freedesktop.DBus"));
        assert_ok(sd_bus_message_append(signal, "sss", name, name, ""));
        assert_ok(sd_bus_send(p->rig->client, signal, /* ret_cookie= */ NULL));
        bus_rig_process(p->rig);
}

/* The caller goes while polkit is asked: nothing is granted to nobody. */
static void test_gone(void) {
        _cleanup_message_ sd_bus_message *reply = NULL, *next = NULL;
        _cleanup_polkit_ PolkitRig *p = polkit_rig_new();
        Before before;

        scene_remember(p->rig->scene, &before);
        send_acquire_one(p, ALLOW_INTERACTIVE, &reply);
        name_goes(p, ":1.8");
        assert_eq_int(p->n_cancelled, 0);
        name_goes(p, ALICES_NAME);
        assert_eq_int(p->n_cancelled, 1);
        assert_eq_str(p->cancelled, "1");

        answer(p, last_question(p), true, false, NULL);
        bus_rig_run_tasks(p->rig);
        assert(!reply);
        scene_assert_as_before(p->rig->scene, &before);
        assert_eq_int(count_lines(p->rig->received, "InterfacesAdded"), 0);

        /* and what it had asked counts no more */
        for (unsigned i = 0; i < LIMIT_UID_QUESTIONS * 2; i++) {
                send_acquire_one(p, false, &next);
                assert(!next);
                name_goes(p, ALICES_NAME);
        }
        assert_eq_int(p->n_cancelled, LIMIT_UID_QUESTIONS * 2 + 1);
}

/* One user can't use up what polkit and we can bear. */
static void test_limit(void) {
        _cleanup_message_ sd_bus_message *too_many = NULL, *bobs = NULL, *next = NULL;
        _cleanup_polkit_ PolkitRig *p = polkit_rig_new();
        sd_bus_message *replies[LIMIT_UID_QUESTIONS];

        for (unsigned i = 0; i < LIMIT_UID_QUESTIONS; i++) {
                send_acquire_one(p, false, &replies[i]);
                assert(!replies[i]);
        }
        send_acquire_one(p, false, &too_many);
        assert_error(too_many, IOMMUD_ERROR_QUOTA, "uid 1000 has 8 requests that polkit has not answered");
        assert_eq_int(p->n_questions, LIMIT_UID_QUESTIONS);

        p->rig->subject = BOB;
        send_acquire_one(p, false, &bobs);
        assert(!bobs);
        assert_eq_int(p->n_questions, LIMIT_UID_QUESTIONS + 1);

        p->rig->subject = ALICE;
        answer(p, p->questions[0], false, false, NULL);
        assert_error(replies[0], IOMMUD_ERROR_DENIED, "polkit does not permit it");
        sd_bus_message_unref(replies[0]);
        send_acquire_one(p, false, &next);
        assert(!next);
        assert_eq_int(p->n_questions, LIMIT_UID_QUESTIONS + 2);
}

/* Nor can many users, each with his share. */
static void test_limit_of_all(void) {
        _cleanup_message_ sd_bus_message *too_many = NULL, *next = NULL;
        _cleanup_polkit_ PolkitRig *p = polkit_rig_new();
        sd_bus_message *replies[LIMIT_QUESTIONS];
        SubjectMatch *match = &p->rig->scene->manager->policy->rules[1].subject;

        match->n_uids = 0;
        match->any = true;
        for (unsigned i = 0; i < LIMIT_QUESTIONS; i++) {
                p->rig->subject.uid = 2000 + i / LIMIT_UID_QUESTIONS;
                send_acquire_one(p, false, &replies[i]);
                assert(!replies[i]);
        }

        p->rig->subject.uid = 3000;
        send_acquire_one(p, false, &too_many);
        assert_error(too_many, IOMMUD_ERROR_QUOTA, "96 requests that polkit has not answered");
        assert_eq_int(p->n_questions, LIMIT_QUESTIONS);

        p->rig->subject.uid = 2000;
        answer(p, p->questions[0], false, false, NULL);
        assert_error(replies[0], IOMMUD_ERROR_DENIED, "polkit does not permit it");
        sd_bus_message_unref(replies[0]);
        p->rig->subject.uid = 3000;
        send_acquire_one(p, false, &next);
        assert(!next);
}

/* Nobody is asked about more devices than anybody would answer for. */
static void test_limit_of_a_request(void) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_polkit_ PolkitRig *p = polkit_rig_new();

        for (unsigned i = 0; i < LIMIT_REQUEST_QUESTIONS; i++) {
                char name[KERNEL_NAME_MAX];

                snprintf(name, sizeof(name), "0000:01:%02x.%u", i / 8 + 1, i % 8);
                scene_add(p->rig->scene, name, 12, "nvme");
        }
        bus_rig_commit(p->rig);

        send_acquire_one(p, false, &reply);
        for (unsigned i = 0; i < LIMIT_REQUEST_QUESTIONS; i++) {
                assert(!reply);
                assert_eq_int(p->n_questions, i + 1);
                answer(p, last_question(p), true, false, NULL);
        }
        assert_error(reply, IOMMUD_ERROR_QUOTA, "more than 32 devices");
        assert_eq_int(p->n_questions, LIMIT_REQUEST_QUESTIONS);
}

/* Where nobody is asked there is nothing to wait for; one who is has to find his password. */
static void test_timeout(void) {
        _cleanup_message_ sd_bus_message *quiet = NULL, *interactive = NULL;
        _cleanup_polkit_ PolkitRig *p = polkit_rig_new();

        send_acquire_one(p, false, &quiet);
        assert_eq_int(last_timeout_usec, LIMIT_QUESTION_USEC);
        send_acquire_one(p, ALLOW_INTERACTIVE, &interactive);
        assert_eq_int(last_timeout_usec, LIMIT_QUESTION_HUMAN_USEC);
}

/* The dry run tells that polkit would be asked, and asks nobody. */
static void test_plan(void) {
        _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
        _cleanup_polkit_ PolkitRig *p = polkit_rig_new();
        _cleanup_free_ char *text = NULL;

        call = bus_rig_message(p->rig, "Plan");
        assert_ok(sd_bus_message_append(call, "asa{sv}", 1, "01:00.0", 0));
        bus_rig_send(p->rig, call, &reply);
        assert_reply(reply, "baa{sv}");
        text = message_text(reply);
        assert_has(text, "\"reason\": <s \"AuthorizationRequired\">");
        assert_has(text, "only when polkit permits it, which test.json: rules[1] wants to be asked");
        assert_has(text, "\"action\": <s \"rebind\">");
        assert_eq_int(p->n_questions, 0);
}

int main(void) {
        test_yes();
        test_no();
        test_errors();
        test_garbage();
        test_from_the_top();
        test_two_devices();
        test_gone();
        test_limit();
        test_limit_of_all();
        test_limit_of_a_request();
        test_timeout();
        test_plan();
        return 0;
}
