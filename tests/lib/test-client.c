/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "harness.h"

#define _cleanup_client_ _cleanup_(iommud_client_freep)

static void test_refusals(void) {
        static const struct {
                const char *scenario;
                int result;
        } table[] = {
                { "refuse:InvalidSelector", IOMMUD_E_INVALID_SELECTOR },
                { "refuse:InvalidOption",   IOMMUD_E_INVALID_OPTION   },
                { "refuse:InvalidPolicy",   IOMMUD_E_INVALID_POLICY   },
                { "refuse:NoSuchDevice",    IOMMUD_E_NO_SUCH_DEVICE   },
                { "refuse:Denied",          IOMMUD_E_DENIED           },
                { "refuse:HostInUse",       IOMMUD_E_HOST_IN_USE      },
                { "refuse:NotViable",       IOMMUD_E_NOT_VIABLE       },
                { "refuse:Taken",           IOMMUD_E_TAKEN            },
                { "refuse:Draining",        IOMMUD_E_DRAINING         },
                { "refuse:Quota",           IOMMUD_E_QUOTA            },
                { "refuse:NotSupported",    IOMMUD_E_NOT_SUPPORTED    },
                { "refuse:KernelFailed",    IOMMUD_E_KERNEL_FAILED    },
                { "refuse:FromTheFuture",   IOMMUD_E_OTHER            },
                { "error:org.freedesktop.DBus.Error.ServiceUnknown",    -EHOSTUNREACH },
                { "error:org.freedesktop.DBus.Error.NameHasNoOwner",    -EHOSTUNREACH },
                { "error:org.freedesktop.DBus.Error.Spawn.ChildExited", -EHOSTUNREACH },
                { "error:org.freedesktop.DBus.Error.NoReply",           -ETIMEDOUT    },
                { "error:org.freedesktop.DBus.Error.AccessDenied",      -EACCES       },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_client_ iommud_client *client = client_of(table[i].scenario);

                assert(iommud_reload(client) == table[i].result);
                assert(strcmp(iommud_error_text(client), "no: ?[31mbecause?") == 0);
                if (table[i].result > IOMMUD_E_OTHER)
                        assert(strcmp(iommud_error_name(table[i].result), table[i].scenario + 7) == 0);
        }
}

static void test_names(void) {
        assert(strcmp(iommud_error_name(0), "") == 0);
        assert(strcmp(iommud_error_name(-EPERM), "") == 0);
        assert(strcmp(iommud_error_name(IOMMUD_E_REVOKED + 1), "") == 0);
        for (int code = IOMMUD_E_OTHER; code <= IOMMUD_E_STUCK; code++)
                assert(strlen(iommud_error_name(code)) > 0);
}

static void test_lost(void) {
        _cleanup_client_ iommud_client *client = client_of("disconnect");

        assert(iommud_reload(client) == -ECONNRESET);
        assert(strlen(iommud_error_text(client)) > 0);
        assert(iommud_reload(client) < 0);
}

static void test_manager(void) {
        _cleanup_(iommud_strings_freep) char **features = NULL, **names = NULL;
        _cleanup_client_ iommud_client *client = client_of("ok");
        _cleanup_free_ char *version = NULL;

        assert(iommud_set_interactive(client, true) == 0);
        assert(iommud_get_version(client, &version) == 0);
        assert(strcmp(version, "0.9") == 0);
        assert(iommud_get_features(client, &features) == 0);
        assert(strcmp(features[1], "mode:vmm") == 0 && !features[2]);

        assert(iommud_find(client, "group:13", &names) == 0);
        assert(strcmp(names[0], "0000:02:00.0") == 0 && strcmp(names[1], "0000:02:00.1") == 0 && !names[2]);
}

static void test_manager_malformed(void) {
        _cleanup_client_ iommud_client *odd = client_of("bad-version"), *foreign = client_of("foreign-path");
        char *version = NULL, **names = NULL;

        assert(iommud_get_version(odd, &version) == -EBADMSG);
        assert(!version);
        assert(iommud_find(foreign, "x", &names) == -EBADMSG);
        assert(!names);
}

static void test_find_nothing(void) {
        _cleanup_client_ iommud_client *client = client_of("ok");
        char **names = NULL;

        assert(iommud_find(client, "0000:09:00.0", &names) == IOMMUD_E_NO_SUCH_DEVICE);
        assert(strcmp(iommud_error_text(client), "there is no 0000:09:00.0") == 0);
        assert(!names);
        assert(iommud_find(client, "\xff", &names) == -EINVAL);
        assert(iommud_find(client, NULL, &names) == -EINVAL);
}

static void test_plan(void) {
        _cleanup_(iommud_request_freep) iommud_request *request = request_for("0000:01:00.0"), *none = NULL;
        _cleanup_(iommud_plan_freep) iommud_plan *plan = NULL, *stepless = NULL;
        _cleanup_client_ iommud_client *client = client_of("ok"), *other = client_of("stepless");
        const iommud_step *const *steps;

        assert(iommud_plan_new(client, request, &plan) == 0);
        assert(!iommud_plan_possible(plan));
        steps = iommud_plan_steps(plan);
        assert(steps[0] && steps[1] && !steps[2]);
        assert(strcmp(iommud_step_action(steps[0]), "rebind") == 0);
        assert(strcmp(iommud_step_device(steps[0]), "0000:01:00.0") == 0);
        assert(strcmp(iommud_step_driver(steps[0]), "nvme") == 0);
        assert(strcmp(iommud_step_target(steps[0]), "vfio-pci") == 0);
        assert(strcmp(iommud_step_text(steps[0]), "") == 0);
        assert(strcmp(iommud_step_reason(steps[1]), "HostInUse") == 0);
        assert(strcmp(iommud_step_text(steps[1]), "/dev/nvme0n1 is mounted at /") == 0);

        assert(iommud_plan_new(other, request, &stepless) == 0);
        assert(iommud_plan_possible(stepless) && !iommud_plan_steps(stepless)[0]);
        assert(!iommud_plan_possible(NULL) && !iommud_plan_steps(NULL)[0]);

        assert(iommud_request_new(&none) == 0);
        assert(iommud_plan_new(client, none, &stepless) == -EINVAL);
        assert(strlen(iommud_error_text(client)) > 0);
}

/* What a fact says to programs: by number, and by key */
static void test_facts(void) {
        static const struct {
                const char *key, *text;
                int result;
                uint64_t number;
        } values[] = {
                { "ram", "18446744073709551615", 0, UINT64_MAX },
                { "accounting", "process", -ENOENT, 0 },
                { "known", "true", 0, 1 },
                { "group", "4294967295", 0, UINT32_MAX },
        };
        _cleanup_(iommud_request_freep) iommud_request *request = request_for("0000:02:00.1");
        _cleanup_(iommud_plan_freep) iommud_plan *plan = NULL;
        _cleanup_client_ iommud_client *client = client_of("ok");
        const char *key = "untouched", *text = "untouched";
        const iommud_step *fact;
        uint64_t number = 99;

        assert(iommud_plan_new(client, request, &plan) == 0);
        fact = iommud_plan_steps(plan)[0];
        assert(strcmp(iommud_step_topic(fact), "memory") == 0);
        assert(strcmp(iommud_step_grade(fact), "note") == 0);

        assert(iommud_step_value(fact, ELEMENTSOF(values), &key, &text) == -ENOENT);
        assert(strcmp(key, "untouched") == 0 && strcmp(text, "untouched") == 0);
        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                assert(iommud_step_value(fact, i, &key, &text) == 0);
                assert(strcmp(key, values[i].key) == 0 && strcmp(text, values[i].text) == 0);

                number = 99;
                assert(iommud_step_number(fact, key, &number) == values[i].result);
                assert(number == (values[i].result == 0 ? values[i].number : 99));
        }

        /* of a type that is not known; a word that every step has; none */
        assert(iommud_step_number(fact, "window", &number) == -ENOENT);
        assert(iommud_step_number(fact, "action", &number) == -ENOENT);
        assert(iommud_step_number(NULL, "ram", &number) == -ENOENT);
        assert(iommud_step_value(NULL, 0, &key, &text) == -ENOENT);
        assert(iommud_step_number(fact, NULL, &number) == -EINVAL);
        assert(iommud_step_number(fact, "ram", NULL) == -EINVAL);
        assert(iommud_step_value(fact, 0, NULL, &text) == -EINVAL);
        assert(iommud_step_value(fact, 0, &key, NULL) == -EINVAL);
}

static void test_arguments(void) {
        _cleanup_client_ iommud_client *client = client_of("ok");
        iommud_client *none = NULL;

        assert(iommud_connect("unix:path=/nonexistent/socket", &none) == -ENOENT);
        assert(iommud_connect("not an address", &none) < 0);
        assert(iommud_connect(NULL, NULL) == -EINVAL);
        assert(!none);
        assert(iommud_set_interactive(NULL, true) == -EINVAL);
        assert(strcmp(iommud_error_text(NULL), "") == 0);
        assert(iommud_reload(NULL) == -EINVAL);
        assert(iommud_get_version(client, NULL) == -EINVAL);
        assert(iommud_get_features(client, NULL) == -EINVAL);
        assert(iommud_list_devices(client, NULL) == -EINVAL);
        assert(iommud_list_groups(NULL, NULL) == -EINVAL);
        assert(iommud_list_quarantine(client, NULL, NULL) == -EINVAL);
        iommud_client_free(NULL);
        iommud_strings_free(NULL);
}

int main(void) {
        unsigned before = count_fds();

        test_refusals();
        test_names();
        test_lost();
        test_manager();
        test_manager_malformed();
        test_find_nothing();
        test_plan();
        test_facts();
        test_arguments();
        assert(count_fds() == before);
        return EXIT_SUCCESS;
}
