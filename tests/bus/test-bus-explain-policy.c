/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the policy explains itself to clients, and to whom it does. */

#include "bus-rig.h"
#include "core/policy.h"
#include "fake/assert.h"
#include "message-text.h"
#include "names.h"

#define DEVICE "0000:01:00.0"

static BusRig *rig_new(void) {
        BusRig *rig = bus_rig_new();
        PolicyRule *rule;

        scene_add(rig->scene, DEVICE, 1, "nvme");
        scene_add(rig->scene, "0000:02:00.0", 2, "nvme");
        rule = &rig->scene->manager->policy->rules[1];
        assert_ok(string_list_append(&rule->subject.units, "vm-*.service"));
        bus_rig_commit(rig);
        return rig;
}

#define explain(rig, asker, ...)                                                                            \
        ({                                                                                                  \
                (rig)->subject = *(asker);                                                                  \
                bus_rig_forget(rig);                                                                        \
                bus_rig_call(rig, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "ExplainPolicy", "sa{sv}",         \
                             __VA_ARGS__);                                                                  \
        })

/* Of the last step of a reply with @n of them. */
static void assert_last(sd_bus_message *reply, unsigned n, const char *verdict, const char *rule,
                        const char *match, const char *key) {
        _cleanup_free_ char *expected = NULL, *last = NULL;
        unsigned found = 0;

        assert_reply(reply, "aa{sv}");
        assert_ok(sd_bus_message_enter_container(reply, 'a', "a{sv}"));
        while (!sd_bus_message_at_end(reply, /* complete= */ false)) {
                free(last);
                last = message_value_text(reply);
                found++;
        }

        assert_eq_int(found, n);
        assert(asprintf(&expected,
                        "\"rule\": <s \"%s\">, \"verdict\": <s \"%s\">, \"match\": <s \"%s\">, \"key\": "
                        "<s \"%s\">, "
                        "\"decides\": <b true>", rule, verdict, match, key) > 0);
        assert_has(last, expected);
}

static void test_caller(void) {
        _cleanup_message_ sd_bus_message *unknown = NULL, *known = NULL, *stranger = NULL, *forbidden = NULL;
        _cleanup_rig_ BusRig *rig = rig_new();
        Subject alice = ALICE;

        unknown = explain(rig, &alice, DEVICE, 0);
        assert_last(unknown, 3, "deny", "", "yes", "");

        alice.known |= SUBJECT_KNOWS_CGROUP;
        strcpy(alice.unit, "vm-1.service");
        known = explain(rig, &alice, "group:1", 0);
        assert_last(known, 2, "allow", "test.json: rules[1]", "yes", "");

        stranger = explain(rig, &STRANGER, "8086:10d3", 0);
        assert_last(stranger, 6, "deny", "", "yes", "");
        scene_add(rig->scene, FORBIDDEN, 3, "nvme");
        forbidden = explain(rig, &ROOT, FORBIDDEN, 0);
        assert_last(forbidden, 1, "deny", "test.json: rules[0]", "yes", "");
}

static void test_others(void) {
        _cleanup_message_ sd_bus_message *allowed = NULL, *denied = NULL, *not_root = NULL, *nobody = NULL;
        _cleanup_rig_ BusRig *rig = rig_new();

        allowed = explain(rig, &ROOT, DEVICE, 2, "uid", "u", 1000, "unit", "s", "vm-7.service");
        assert_last(allowed, 2, "allow", "test.json: rules[1]", "yes", "");
        denied = explain(rig, &ROOT, DEVICE, 3, "uid", "u", 1000, "gids", "au", 1, 7, "unit", "s",
                "x.service");
        assert_last(denied, 3, "deny", "", "yes", "");

        not_root = explain(rig, &ALICE, DEVICE, 1, "uid", "u", 1001);
        assert(sd_bus_message_is_method_error(not_root, IOMMUD_ERROR_DENIED));
        nobody = explain(rig, &ROOT, DEVICE, 1, "unit", "s", "x.service");
        assert(sd_bus_message_is_method_error(nobody, IOMMUD_ERROR_INVALID_OPTION));
}

static void test_arguments(void) {
        static const struct {
                const char *selector, *key, *value, *error;
        } table[] = {
                { DEVICE, "nuit", "x.service", IOMMUD_ERROR_INVALID_OPTION },
                { DEVICE, "mode", "vm", IOMMUD_ERROR_INVALID_OPTION },
                { DEVICE, "userns", "mine", IOMMUD_ERROR_INVALID_OPTION },
                { DEVICE, "uid", "1000", IOMMUD_ERROR_INVALID_OPTION },
                { "0000:09:00.0", "mode", "vmm", IOMMUD_ERROR_NO_SUCH_DEVICE },
                { "group:", "mode", "vmm", IOMMUD_ERROR_INVALID_SELECTOR },
        };
        _cleanup_rig_ BusRig *rig = rig_new();

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;

                reply = explain(rig, &ROOT, table[i].selector, 1, table[i].key, "s", table[i].value);
                if (!sd_bus_message_is_method_error(reply, table[i].error))
                        assert_failed(__FILE__, __LINE__, "ExplainPolicy", "case %zu", i);
        }
}

int main(void) {
        test_caller();
        test_others();
        test_arguments();
        return 0;
}
