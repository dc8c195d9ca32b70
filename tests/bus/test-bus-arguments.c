/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What Acquire and Plan can be called with: options, their types, selectors, and how each mistake is
 * answered.
 */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "bus-rig.h"
#include "fake/assert.h"
#include "fake/child.h"
#include "message-text.h"
#include "names.h"

/* Characters of two and of three bytes, four of each */
#define E4 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
#define EURO4 "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"

static BusRig *rig_with_device(void) {
        BusRig *rig;

        rig = bus_rig_new();
        scene_add(rig->scene, "0000:01:00.0", 1, "vfio-pci");
        bus_rig_commit(rig);
        bus_rig_forget(rig);
        return rig;
}

/* Calls Acquire for the device with one option. */
static sd_bus_message *acquire_with(BusRig *rig, const char *key, const char *type, ...) {
        _cleanup_message_ sd_bus_message *call = bus_rig_message(rig, "Acquire");
        sd_bus_message *reply;
        va_list ap;

        assert_ok(sd_bus_message_append(call, "as", 1, "01:00.0"));
        assert_ok(sd_bus_message_open_container(call, 'a', "{sv}"));
        assert_ok(sd_bus_message_open_container(call, 'e', "sv"));
        assert_ok(sd_bus_message_append(call, "s", key));
        assert_ok(sd_bus_message_open_container(call, 'v', type));
        va_start(ap, type);
        assert_ok(sd_bus_message_appendv(call, type, ap));
        va_end(ap);
        for (unsigned i = 0; i < 3; i++)
                assert_ok(sd_bus_message_close_container(call));

        bus_rig_send(rig, call, &reply);
        assert(reply);
        return reply;
}

static void test_invalid_options(void) {
        static const struct {
                const char *key, *type, *value, *part;
        } table[] = {
                { "mode", "s", "legacy", "There is no mode \"legacy\"" },
                { "mode", "s", "", "There is no mode \"\"" },
                { "mode", "s", "VMM", "There is no mode" },
                { "mode", "o", "/vmm", "\"mode\" must be of type s" },
                { "mode", "g", "s", "\"mode\" must be of type s" },
                { "accounting", "s", "root", "it is \"process\" or \"user\"" },
                { "holder", "s", "4711", "must be of type h" },
                { "Mode", "s", "vmm", "There is no option \"Mode\"" },
                { "", "s", "vmm", "There is no option \"\"" },
                /* cut within a character, and none of it is ASCII */
                { E4 E4 E4 E4 E4, "s", "", "\"????????????????????????????????\"" },
                { "mode", "s", "x" E4 E4 E4 E4 E4, "\"x???????????????????????????????\"" },
        };
        _cleanup_rig_ BusRig *rig = rig_with_device();

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;

                reply = acquire_with(rig, table[i].key, table[i].type, table[i].value);
                assert_error(reply, IOMMUD_ERROR_INVALID_OPTION, table[i].part);
        }

        assert_eq_int(rig->scene->kernel->n_calls, 0);
}

static void test_wrong_types(void) {
        _cleanup_message_ sd_bus_message *number = NULL, *array = NULL, *variant = NULL, *holder = NULL;
        _cleanup_rig_ BusRig *rig = rig_with_device();

        number = acquire_with(rig, "mode", "u", 1);
        assert_error(number, IOMMUD_ERROR_INVALID_OPTION, "\"mode\" must be of type s");
        array = acquire_with(rig, "accounting", "as", 1, "user");
        assert_error(array, IOMMUD_ERROR_INVALID_OPTION, "\"accounting\" must be of type s");
        variant = acquire_with(rig, "mode", "v", "s", "vmm");
        assert_error(variant, IOMMUD_ERROR_INVALID_OPTION, "\"mode\" must be of type s");
        holder = acquire_with(rig, "holder", "i", getpid());
        assert_error(holder, IOMMUD_ERROR_INVALID_OPTION, "\"holder\" must be of type h");
}

/* Of two wrong things the first is named, and a right one does not make up for it. */
static void test_several_options(void) {
        _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
        _cleanup_rig_ BusRig *rig = rig_with_device();

        call = bus_rig_message(rig, "Acquire");
        assert_ok(sd_bus_message_append(call, "asa{sv}", 1, "01:00.0", 3, "mode", "s", "vmm", "color", "s",
                                        "red", "accounting", "s", "nobody"));
        bus_rig_send(rig, call, &reply);
        assert_error(reply, IOMMUD_ERROR_INVALID_OPTION, "\"color\"");
}

static void test_valid_options(void) {
        _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
        _cleanup_rig_ BusRig *rig = rig_with_device();
        _cleanup_free_ char *details = NULL;
        uint64_t lease;
        Client client;

        call = bus_rig_message(rig, "Acquire");
        assert_ok(sd_bus_message_append(call, "asa{sv}", 1, "01:00.0", 2, "accounting", "s", "user", "mode",
                                        "s", "vmm"));
        bus_rig_send(rig, call, &reply);
        bus_rig_take_fds(rig, reply, &lease, &client);
        client_close(&client);
        details = message_text(reply);
        assert_has(details, "\"accounting\": <s \"user\">");
        assert_has(rig->scene->kernel->journal, "open_context user\n");
}

static void test_holder(void) {
        _cleanup_message_ sd_bus_message *reply = NULL, *dead = NULL;
        _cleanup_(child_done) Child holder = CHILD_INIT;
        _cleanup_rig_ BusRig *rig = rig_with_device();
        uint64_t lease;
        Client client;

        if (!child_start(&holder, /* flags= */ 0))
                return;

        reply = acquire_with(rig, "holder", "h", holder.pidfd);
        bus_rig_take_fds(rig, reply, &lease, &client);
        assert_eq_int(client.lifeline, -EBADF);
        assert_eq_int(client.n_devices, 1);
        client_close(&client);
        bus_rig_watch(rig);
        assert_eq_int(scene_lease(rig->scene, lease)->state, LEASE_ACTIVE);
        assert(scene_lease(rig->scene, lease)->lifeline_is_pidfd);

        child_end(&holder);
        dead = acquire_with(rig, "holder", "h", holder.pidfd);
        assert_error(dead, IOMMUD_ERROR_INVALID_OPTION, "of a process that runs");
}

static void test_no_holder(void) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_rig_ BusRig *rig = rig_with_device();
        _cleanup_close_ int fd = -EBADF;

        fd = assert_ok(open("/dev/null", O_RDWR | O_CLOEXEC));
        reply = acquire_with(rig, "holder", "h", fd);
        assert_error(reply, IOMMUD_ERROR_INVALID_OPTION, "must be a pidfd");
        assert_eq_int(rig->scene->kernel->n_calls, 0);
}

static void test_numbers_of_selectors(void) {
        static const struct {
                unsigned n;
                const char *error;
        } table[] = {
                { 0, IOMMUD_ERROR_INVALID_SELECTOR },
                { 64, NULL },
                { 65, IOMMUD_ERROR_QUOTA },
                { 5000, IOMMUD_ERROR_QUOTA },
        };
        _cleanup_rig_ BusRig *rig = rig_with_device();

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_message_ sd_bus_message *call = bus_rig_message(rig, "Acquire"), *reply = NULL;
                uint64_t lease;
                Client client;

                assert_ok(sd_bus_message_open_container(call, 'a', "s"));
                for (unsigned j = 0; j < table[i].n; j++)
                        assert_ok(sd_bus_message_append(call, "s", "01:00.0"));
                assert_ok(sd_bus_message_close_container(call));
                assert_ok(sd_bus_message_append(call, "a{sv}", 0));
                bus_rig_send(rig, call, &reply);

                if (table[i].error) {
                        assert_error(reply, table[i].error, "");
                        continue;
                }
                bus_rig_take_fds(rig, reply, &lease, &client);
                assert_eq_int(client.n_devices, 1);
                client_close(&client);
        }
}

static void test_quoted_selectors(void) {
        static const char *const selectors[] = {
                EURO4 EURO4 EURO4 EURO4 EURO4 EURO4,
                "a\nb\x1b[31m",
                "group:\xc3\xa9",
                "%s%n",
        };
        _cleanup_rig_ BusRig *rig = rig_with_device();

        for (size_t i = 0; i < ELEMENTSOF(selectors); i++) {
                const char *error = i < 3 ? IOMMUD_ERROR_INVALID_SELECTOR : IOMMUD_ERROR_NO_SUCH_DEVICE;
                _cleanup_message_ sd_bus_message *reply = NULL, *plan = NULL, *find = NULL;

                reply = bus_rig_acquire(rig, selectors[i]);
                assert_error(reply, error, "\"");
                find = bus_rig_call(rig, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "Find", "s", selectors[i]);
                assert_error(find, error, "\"");
                plan = bus_rig_call(rig, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "Plan", "asa{sv}", 1,
                                    selectors[i], 0);
                assert_reply(plan, "baa{sv}");
        }
}

/* Calls that are not what the interface says are refused before they reach us. */
static void test_wrong_signatures(void) {
        static const struct {
                const char *path, *interface, *member, *error;
        } table[] = {
                { IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "Acquire", SD_BUS_ERROR_INVALID_ARGS },
                { IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "Plan", SD_BUS_ERROR_INVALID_ARGS },
                { IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "Find", SD_BUS_ERROR_INVALID_ARGS },
                { IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "Reload", SD_BUS_ERROR_INVALID_ARGS },
                { IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "ListLeases", SD_BUS_ERROR_INVALID_ARGS },
                { IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "Nothing", SD_BUS_ERROR_UNKNOWN_METHOD },
                { IOMMUD_PATH, IOMMUD_INTERFACE_LEASE, "Release", SD_BUS_ERROR_UNKNOWN_METHOD },
                { IOMMUD_PATH_LEASE "/1", IOMMUD_INTERFACE_LEASE, "Release", SD_BUS_ERROR_UNKNOWN_OBJECT },
        };
        _cleanup_rig_ BusRig *rig = rig_with_device();

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;

                reply = bus_rig_call(rig, table[i].path, table[i].interface, table[i].member, "u", 1);
                assert_error(reply, table[i].error, "");
        }
}

int main(void) {
        test_invalid_options();
        test_wrong_types();
        test_several_options();
        test_valid_options();
        test_holder();
        test_no_holder();
        test_numbers_of_selectors();
        test_quoted_selectors();
        test_wrong_signatures();
        return 0;
}
