/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Everything that a client can get wrong, over the real bus, by somebody without rights: each call must be
 * answered with the error that is meant for it, by a daemon that is the same process afterwards.
 *
 *     malformed LEASE          LEASE is the number of a lease that belongs to somebody else
 *
 * Says what was not as it should be, and how many calls there were.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "base/fd.h"
#include "names.h"

#define INVALID_ARGS "org.freedesktop.DBus.Error.InvalidArgs"
#define UNKNOWN_OBJECT "org.freedesktop.DBus.Error.UnknownObject"
#define UNKNOWN_METHOD "org.freedesktop.DBus.Error.UnknownMethod"
#define UNKNOWN_INTERFACE "org.freedesktop.DBus.Error.UnknownInterface"
#define UNKNOWN_PROPERTY "org.freedesktop.DBus.Error.UnknownProperty"
#define READ_ONLY "org.freedesktop.DBus.Error.PropertyReadOnly"
#define ACCESS_DENIED "org.freedesktop.DBus.Error.AccessDenied"

/* No error: what is wrong is in the reply, or nothing is. */
#define NONE ""

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define RANDOM_ROUNDS 300U

typedef struct Test {
        sd_bus *bus;
        uint32_t pid; /* of the daemon */
        unsigned n_calls, n_wrong;
} Test;

static void bus_unrefp(sd_bus **bus) {
        sd_bus_flush_close_unref(*bus);
}

static void message_unrefp(sd_bus_message **message) {
        sd_bus_message_unref(*message);
}

static void error_done(sd_bus_error *error) {
        sd_bus_error_free(error);
}

static int daemon_pid(sd_bus *bus, uint32_t *ret) {
        _cleanup_(message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                "GetConnectionUnixProcessID", NULL, &reply, "s", IOMMUD_BUS_NAME);
        if (r < 0)
                return r;

        return sd_bus_message_read(reply, "u", ret);
}

static void wrong(Test *test, const char *what, const char *format, ...) _printf_(3, 4);
static void wrong(Test *test, const char *what, const char *format, ...) {
        va_list ap;

        test->n_wrong++;
        printf("%.100s: ", what);
        va_start(ap, format);
        vprintf(format, ap);
        va_end(ap);
        putchar('\n');
}

/* @expected: names of errors with bars between, of which it must be one; NONE for success. Frees the
 * message. */
static void call(Test *test, const char *what, sd_bus_message *consumed, const char *expected) {
        _cleanup_(message_unrefp) sd_bus_message *message = consumed, *reply = NULL;
        _cleanup_(error_done) sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *name, *p;
        uint32_t pid;
        int r;

        test->n_calls++;
        r = sd_bus_call(test->bus, message, /* usec= */ 30 * 1000 * 1000, &error, &reply);
        name = r < 0 ? error.name ?: "nothing" : NONE;

        p = *name ? strstr(expected, name) : NULL;
        if (*name ? !p || (p[strlen(name)] != '\0' && p[strlen(name)] != '|') : *expected != '\0')
                wrong(test, what, "answered with %s (%s), not with %s", *name ? name : "success",
                        error.message ?: "", *expected ? expected : "success");
        else if (*name && (!error.message || !*error.message))
                wrong(test, what, "%s says nothing", name);

        if (daemon_pid(test->bus, &pid) < 0 || pid != test->pid) {
                wrong(test, what, "it was the end of the daemon");
                (void) daemon_pid(test->bus, &test->pid);
        }
}

static sd_bus_message *new_call(Test *test, const char *path, const char *interface, const char *member) {
        sd_bus_message *message = NULL;

        if (sd_bus_message_new_method_call(test->bus, &message, IOMMUD_BUS_NAME, path, interface, member) <
                0)
                abort();

        return message;
}

/* A call with the arguments of these types. */
static void call_with(Test *test, const char *path, const char *interface, const char *member,
        const char *expected, const char *types, ...) {
        sd_bus_message *message = new_call(test, path, interface, member);
        char what[256];
        va_list ap;
        int r;

        va_start(ap, types);
        r = sd_bus_message_appendv(message, types, ap);
        va_end(ap);
        if (r < 0)
                abort();

        snprintf(what, sizeof(what), "%.80s(%.80s)", member, types);
        call(test, what, message, expected);
}

#define manager_call(test, member, expected, ...)                                                           \
        call_with(test, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, member, expected, __VA_ARGS__)

static void test_signatures(Test *test) {
        static const char *const requests[] = { "Acquire", "Plan" };
        static const char *const lists[] = { "ListDevices", "ListGroups", "ListLeases", "Reload" };

        for (size_t i = 0; i < ELEMENTSOF(requests); i++) {
                manager_call(test, requests[i], INVALID_ARGS, "");
                manager_call(test, requests[i], INVALID_ARGS, "s", "0000:00:03.0");
                manager_call(test, requests[i], INVALID_ARGS, "as", 1, "0000:00:03.0");
                manager_call(test, requests[i], INVALID_ARGS, "a{sv}as", 0, 0);
                manager_call(test, requests[i], INVALID_ARGS, "asa{ss}", 1, "0000:00:03.0", 0);
                manager_call(test, requests[i], INVALID_ARGS, "sa{sv}", "0000:00:03.0", 0);
                manager_call(test, requests[i], INVALID_ARGS, "aoa{sv}", 1, "/", 0);
                manager_call(test, requests[i], INVALID_ARGS, "aasa{sv}", 1, 1, "0000:00:03.0", 0);
                manager_call(test, requests[i], INVALID_ARGS, "asa{sv}s", 1, "0000:00:03.0", 0, "");
                manager_call(test, requests[i], INVALID_ARGS, "asv", 1, "0000:00:03.0", "s", "");
                manager_call(test, requests[i], INVALID_ARGS, "(asa{sv})", 1, "0000:00:03.0", 0);
                manager_call(test, requests[i], INVALID_ARGS, "ay", 4, 1, 2, 3, 4);
                manager_call(test, requests[i], INVALID_ARGS, "h", STDIN_FILENO);
        }

        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                manager_call(test, lists[i], INVALID_ARGS, "s", "");
                manager_call(test, lists[i], INVALID_ARGS, "a{sv}", 0);
        }

        manager_call(test, "Find", INVALID_ARGS, "");
        manager_call(test, "Find", INVALID_ARGS, "u", 1);
        manager_call(test, "Find", INVALID_ARGS, "as", 0);
        manager_call(test, "Find", INVALID_ARGS, "ss", "", "");
        manager_call(test, "Find", INVALID_ARGS, "v", "s", "0000:00:03.0");
        manager_call(test, "Reload", IOMMUD_ERROR_DENIED, "");
        manager_call(test, "Shutdown", UNKNOWN_METHOD, "");
        manager_call(test, "acquire", UNKNOWN_METHOD, "asa{sv}", 0, 0);
}

static void test_selector(Test *test, const char *selector, const char *expected) {
        manager_call(test, "Acquire", expected, "asa{sv}", 1, selector, 0);
        manager_call(test, "Plan", NONE, "asa{sv}", 1, selector, 0);
        manager_call(test, "Find", expected, "s", selector);
}

static const char *const invalid_selectors[] = {
        "",
        " ",
        "\n",
        "0000:00:03.0\n",
        " 0000:00:03.0",
        "0000:00:03.0 ",
        "../../../etc/passwd",
        "/",
        "..",
        ".",
        "0000:00:03.0/../0000:00:02.0",
        "group:",
        "group:-1",
        "group:+1",
        "group:1 ",
        "group:0x1",
        "group:4294967296",
        "group:99999999999999999999",
        "group:1,2",
        "pf=",
        "pf=,vf=",
        "pf=0000:02:00.0",
        "pf=0000:02:00.0,vf=",
        "pf=0000:02:00.0,vf=-1",
        "pf=0000:02:00.0,vf=99999999999",
        "pf=x,vf=1",
        "pf=0000:02:00.0,VF=1",
        "serial=",
        "serial=\x01",
        "serial=a b",
        "\xc3\xa9",
        ("\xe2\x80\xae"
         "0000:00:03.0"),
        "0000:00:03.0\x7f",
        "\x1b[2J",
        "a\tb",
};

static const char *const absent_selectors[] = {
        "0000:00:1f.7",
        "ffff:ff:1f.7",
        "0000:00:03.8",
        "ffff:ffff",
        "00:03",
        "0000:00:3",
        "group:4294967295",
        "group:99999",
        "pf=0000:02:00.0,vf=4294967295",
        "serial=%s%s%s%n",
        "%s%s%s%n",
        "vfio0",
        "$(reboot)",
        "nothing",
        "-1",
        "--help",
        "*",
        "?",
        "0000:00:*",
        "serial=*",
        "group",
        "pf",
        ":::",
        "a:b:c",
};

static void test_selectors(Test *test) {
        _cleanup_free_ char *longest = NULL;
        static const size_t lengths[] = { 63, 64, 65, 255, 256, 4096, 65536, 1024 * 1024 };

        for (size_t i = 0; i < ELEMENTSOF(invalid_selectors); i++)
                test_selector(test, invalid_selectors[i], IOMMUD_ERROR_INVALID_SELECTOR);
        for (size_t i = 0; i < ELEMENTSOF(absent_selectors); i++)
                test_selector(test, absent_selectors[i], IOMMUD_ERROR_NO_SUCH_DEVICE);

        for (size_t i = 0; i < ELEMENTSOF(lengths); i++) {
                free(longest);
                longest = malloc(lengths[i] + 1);
                if (!longest)
                        abort();
                memset(longest, 'x', lengths[i]);
                longest[lengths[i]] = '\0';
                test_selector(test, longest,
                        lengths[i] < 64 ? IOMMUD_ERROR_NO_SUCH_DEVICE : IOMMUD_ERROR_INVALID_SELECTOR);
        }
}

static void test_numbers(
        Test *test, const char *member, unsigned n, const char *selector, const char *expected) {
        sd_bus_message *message = new_call(test, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, member);
        char what[64];

        if (sd_bus_message_open_container(message, 'a', "s") < 0)
                abort();
        for (unsigned i = 0; i < n; i++)
                if (sd_bus_message_append(message, "s", selector) < 0)
                        abort();
        if (sd_bus_message_close_container(message) < 0 || sd_bus_message_append(message, "a{sv}", 0) < 0)
                abort();

        snprintf(what, sizeof(what), "%s with %u selectors %s", member, n, selector);
        call(test, what, message, expected);
}

/* Names of @n devices, of those that iommud lists. */
static void test_devices(Test *test, unsigned n, const char *expected) {
        _cleanup_(message_unrefp) sd_bus_message *list = NULL;
        sd_bus_message *message = new_call(test, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "Acquire");
        char what[64];
        int r;

        if (sd_bus_call_method(test->bus, IOMMUD_BUS_NAME, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER,
                    "ListDevices", NULL, &list, "") < 0 ||
                sd_bus_message_enter_container(list, 'a', "(oa{sv})") < 0 ||
                sd_bus_message_open_container(message, 'a', "s") < 0)
                abort();

        for (unsigned i = 0; i < n; i++) {
                _cleanup_free_ char *name = NULL;
                const char *path;

                r = sd_bus_message_enter_container(list, 'r', "oa{sv}");
                if (r <= 0 || sd_bus_message_read(list, "o", &path) < 0 ||
                        sd_bus_message_skip(list, "a{sv}") < 0 || sd_bus_message_exit_container(list) < 0 ||
                        sd_bus_path_decode(path, IOMMUD_PATH_DEVICE, &name) <= 0 ||
                        sd_bus_message_append(message, "s", name) < 0)
                        abort();
        }

        if (sd_bus_message_close_container(message) < 0 || sd_bus_message_append(message, "a{sv}", 0) < 0)
                abort();

        snprintf(what, sizeof(what), "Acquire of %u devices", n);
        call(test, what, message, expected);
}

static void test_lists(Test *test) {
        static const unsigned numbers[] = { 65, 66, 1000, 100000 };

        manager_call(test, "Acquire", IOMMUD_ERROR_INVALID_SELECTOR, "asa{sv}", 0, 0);
        manager_call(test, "Plan", NONE, "asa{sv}", 0, 0);
        test_numbers(test, "Acquire", 64, "0000:00:03.0", IOMMUD_ERROR_DENIED);
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                test_numbers(test, "Acquire", numbers[i], "0000:00:03.0", IOMMUD_ERROR_QUOTA);
                test_numbers(test, "Plan", numbers[i], "0000:00:03.0", IOMMUD_ERROR_QUOTA);
        }
        test_devices(test, 8, IOMMUD_ERROR_DENIED);
        test_devices(test, 9, IOMMUD_ERROR_QUOTA);
}

#define option_call(test, expected, key, ...)                                                               \
        do {                                                                                                \
                manager_call(test, "Acquire", expected, "asa{sv}", 1, "0000:00:03.0", 1, key, __VA_ARGS__); \
                manager_call(test, "Plan", expected, "asa{sv}", 1, "0000:00:03.0", 1, key, __VA_ARGS__);    \
        } while (0)

static void test_holders(Test *test) {
        _cleanup_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC), dead = -EBADF;
        _cleanup_close_ int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
        _cleanup_close_ int dir = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_close_ int path = open("/proc/self", O_PATH | O_CLOEXEC);
        int ends[2];
        pid_t child;

        child = fork();
        if (child == 0)
                _exit(0);
        dead = pidfd_open(child, 0);
        (void) waitpid(child, NULL, 0);
        if (pipe2(ends, O_CLOEXEC) < 0)
                abort();

        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_HOLDER, "h", null);
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_HOLDER, "h", file);
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_HOLDER, "h", dir);
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_HOLDER, "h", path);
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_HOLDER, "h", ends[0]);
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_HOLDER, "h", ends[1]);
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_HOLDER, "h", dead);
        close_fd(ends[0]);
        close_fd(ends[1]);
}

static void test_options(Test *test) {
        _cleanup_free_ char *longest = malloc(1024 * 1024 + 1);

        if (!longest)
                abort();
        memset(longest, 'm', 1024 * 1024);
        longest[1024 * 1024] = '\0';

        option_call(test, IOMMUD_ERROR_INVALID_OPTION, "", "s", "vmm");
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, "Mode", "s", "vmm");
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, "force", "b", 1);
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, "\xc3\xa9", "s", "vmm");
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, "%s%n", "s", "%s%n");
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, longest, "s", "vmm");

        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_MODE, "s", "");
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_MODE, "s", "legacy");
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_MODE, "s", "VMM");
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_MODE, "s", "%s%n");
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_MODE, "s", longest);
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_MODE, "u", 0);
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_MODE, "o", "/");
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_MODE, "as", 1, "vmm");
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_MODE, "v", "s", "vmm");
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_MODE, "h", STDIN_FILENO);
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_MODE, "a{sv}", 0);

        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_ACCOUNTING, "s", "");
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_ACCOUNTING, "s", "nobody");
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_ACCOUNTING, "b", 0);
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_ACCOUNTING, "i", -1);
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_ACCOUNTING, "d", 0.5);

        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_HOLDER, "s", "1");
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_HOLDER, "u", 1);
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_HOLDER, "i", 0);
        option_call(test, IOMMUD_ERROR_INVALID_OPTION, IOMMUD_OPTION_HOLDER, "ah", 1, STDIN_FILENO);
        test_holders(test);
}

static void test_leases(Test *test, const char *number) {
        static const char *const absent[] = {
                "/0",
                "/01",
                "/1x",
                "/x",
                "/00000001",
                "/999999",
                "/18446744073709551615",
                "/18446744073709551616",
                "/99999999999999999999999999",
                "/_31",
                "/1/1",
                "",
        };
        char path[128];

        for (size_t i = 0; i < ELEMENTSOF(absent); i++) {
                snprintf(path, sizeof(path), IOMMUD_PATH_LEASE "%s", absent[i]);
                call_with(test, path, IOMMUD_INTERFACE_LEASE, "Release", UNKNOWN_OBJECT "|" UNKNOWN_METHOD,
                        "a{sv}", 0);
                call_with(test, path, PROPERTIES, "GetAll", UNKNOWN_OBJECT "|" UNKNOWN_INTERFACE, "s",
                        IOMMUD_INTERFACE_LEASE);
        }

        snprintf(path, sizeof(path), IOMMUD_PATH_LEASE "/%s", number);
        call_with(test, path, IOMMUD_INTERFACE_LEASE, "Release", IOMMUD_ERROR_DENIED, "a{sv}", 0);
        call_with(test, path, IOMMUD_INTERFACE_LEASE, "Release", IOMMUD_ERROR_INVALID_OPTION, "a{sv}", 1,
                "force", "b", 1);
        call_with(test, path, IOMMUD_INTERFACE_LEASE, "Release", INVALID_ARGS, "");
        call_with(test, path, IOMMUD_INTERFACE_LEASE, "Release", INVALID_ARGS, "s", "force");
        call_with(test, path, IOMMUD_INTERFACE_LEASE, "Release", INVALID_ARGS, "a{sv}a{sv}", 0, 0);
        call_with(test, path, IOMMUD_INTERFACE_LEASE, "Steal", UNKNOWN_METHOD, "a{sv}", 0);
        call_with(test, path, IOMMUD_INTERFACE_MANAGER, "Acquire", UNKNOWN_METHOD "|" UNKNOWN_INTERFACE,
                "asa{sv}", 0, 0);
        call_with(test, path, PROPERTIES, "Set", READ_ONLY "|" ACCESS_DENIED, "ssv", IOMMUD_INTERFACE_LEASE,
                "Uid", "u", 0);
        call_with(test, path, PROPERTIES, "Get", NONE, "ss", IOMMUD_INTERFACE_LEASE, "Uid");
        call_with(test, path, PROPERTIES, "Get", UNKNOWN_PROPERTY, "ss", IOMMUD_INTERFACE_LEASE, "Lifeline");
}

static void test_objects(Test *test) {
        static const char *const absent[] = {
                "/",
                "/org",
                "/org/iommud2",
                IOMMUD_PATH_DEVICE "/x",
                IOMMUD_PATH_DEVICE "/_",
                IOMMUD_PATH_DEVICE "/_2e_2e",
                IOMMUD_PATH_DEVICE "/_2f",
                IOMMUD_PATH_DEVICE "/_zz",
                IOMMUD_PATH_DEVICE "/0000_3a00_3a03_2e0",
                IOMMUD_PATH_GROUP "/x",
                IOMMUD_PATH_GROUP "/99999",
                IOMMUD_PATH_GROUP "/00",
                IOMMUD_PATH_GROUP "/4294967296",
                IOMMUD_PATH_GROUP "/18446744073709551616",
                IOMMUD_PATH_DEVICE,
                IOMMUD_PATH_GROUP,
        };

        for (size_t i = 0; i < ELEMENTSOF(absent); i++) {
                call_with(test, absent[i], PROPERTIES, "GetAll", UNKNOWN_OBJECT "|" UNKNOWN_INTERFACE, "s",
                        IOMMUD_INTERFACE_DEVICE);
                call_with(test, absent[i], PROPERTIES, "Get",
                        UNKNOWN_OBJECT "|" UNKNOWN_INTERFACE "|" UNKNOWN_PROPERTY, "ss",
                        IOMMUD_INTERFACE_GROUP, "Id");
                call_with(test, absent[i], IOMMUD_INTERFACE_MANAGER, "ListDevices",
                        UNKNOWN_OBJECT "|" UNKNOWN_METHOD "|" UNKNOWN_INTERFACE, "");
        }

        call_with(test, IOMMUD_PATH, "org.iommud2.Manager", "ListDevices",
                UNKNOWN_INTERFACE "|" UNKNOWN_METHOD, "");
        call_with(test, IOMMUD_PATH, PROPERTIES, "Get", UNKNOWN_PROPERTY, "ss", IOMMUD_INTERFACE_MANAGER,
                "version");
        call_with(test, IOMMUD_PATH, PROPERTIES, "Get", UNKNOWN_INTERFACE "|" UNKNOWN_PROPERTY, "ss", "a.b",
                "Version");
        call_with(test, IOMMUD_PATH, PROPERTIES, "Get", INVALID_ARGS, "s", IOMMUD_INTERFACE_MANAGER);
        call_with(test, IOMMUD_PATH, PROPERTIES, "Set", READ_ONLY "|" ACCESS_DENIED, "ssv",
                IOMMUD_INTERFACE_MANAGER, "Version", "s", "0");
        call_with(test, IOMMUD_PATH, PROPERTIES, "GetAll", UNKNOWN_INTERFACE, "s", "a.b");
        call_with(test, IOMMUD_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", INVALID_ARGS,
                "s", "");
        call_with(test, IOMMUD_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NONE, "");
        call_with(test, IOMMUD_PATH, "org.freedesktop.DBus.Introspectable", "Introspect", NONE, "");
}

/* A generator of our own, so that a failure can be had again. */
static uint32_t next_random(void) {
        static uint32_t state = 20240131;

        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        return state;
}

/* What is near to a selector, and isn't one that anybody may have. */
static void test_random(Test *test) {
        static const char *const parts[] = {
                "0000:",
                "00:",
                "03",
                ".0",
                "group:",
                "pf=",
                ",vf=",
                "serial=",
                "1",
                "8086:10d3",
                "-",
                " ",
                "%n",
                "/",
                "\xc3\xa9",
                "4294967296",
                "0x",
                "\n",
                "*",
                "ffff",
        };

        for (unsigned i = 0; i < RANDOM_ROUNDS; i++) {
                char selector[256] = "";

                for (unsigned n = next_random() % 8; n > 0; n--)
                        strcat(selector, parts[next_random() % ELEMENTSOF(parts)]);

                manager_call(test, "Acquire",
                        IOMMUD_ERROR_INVALID_SELECTOR "|" IOMMUD_ERROR_NO_SUCH_DEVICE
                                                      "|" IOMMUD_ERROR_DENIED,
                        "asa{sv}", 1, selector, 0);
        }
}

int main(int argc, char *argv[]) {
        _cleanup_(bus_unrefp) sd_bus *bus = NULL;
        Test test = {};
        int r;

        if (argc != 2)
                return 2;

        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = daemon_pid(bus, &test.pid);
        if (r < 0) {
                fprintf(stderr, "%s\n", strerrordesc_np(-r));
                return EXIT_FAILURE;
        }
        test.bus = bus;

        test_signatures(&test);
        test_selectors(&test);
        test_lists(&test);
        test_options(&test);
        test_leases(&test, argv[1]);
        test_objects(&test);
        test_random(&test);

        printf("%u calls, %u answered wrongly\n", test.n_calls, test.n_wrong);
        return test.n_wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
