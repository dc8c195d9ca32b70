/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Calls of everything that iommud has, by somebody who has no right to anything, with arguments at random.
 *
 *     random-calls all SEED NUMBER PATH...     NUMBER calls of each method of these objects, as they tell of
 *                                              them themselves, and a tenth of that of those that take
 *                                              nothing; then says how many there were
 *     random-calls flood SEED                  calls for ever, as fast as they are answered
 *     random-calls deaf SEED                   many calls, of which it takes no answer
 *
 * Each must be answered: with an error that is meant for it when the types are wrong, and never with a
 * change of anything. The same seed makes the same calls.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "names.h"
#include "random-message.h"

#define METHODS_MAX 256
#define WINDOW 64U                              /* calls that wait for their answer at a time */

static const char *const words[] = {
        "", "0000:00:04.0", "0000:", "00:04.0", "group:", "group:4", "8086:10d3", "pf=", "vf=", "serial=",
        "tag:", "vmm", "attached", "confined", "mode", "accounting", "holder", "process", "user", "as",
        "uid", "release", "request", "kill", "force", "Uid", "Version", "State", "Driver", "4294967296",
        "-1", "18446744073709551616", IOMMUD_INTERFACE_MANAGER, IOMMUD_INTERFACE_LEASE,
        IOMMUD_INTERFACE_DEVICE, IOMMUD_INTERFACE_GROUP, "org.freedesktop.DBus.Properties", IOMMUD_PATH,
        "../..", "%n", "\x1b[2J",
};

typedef struct Method {
        char path[128], interface[64], member[64], types[RANDOM_TYPES_MAX];
} Method;

typedef struct Caller {
        sd_bus *bus;
        Random random;
        Method methods[METHODS_MAX];
        unsigned n_methods;
        unsigned n_open, n_calls, n_errors, n_wrong;
} Caller;

/* One call, until its answer. */
typedef struct Call {
        Caller *caller;
        const Method *method;
        bool right_types;
        unsigned number;
} Call;

static void bus_unrefp(sd_bus **bus) {
        sd_bus_flush_close_unref(*bus);
}

static void message_unrefp(sd_bus_message **message) {
        sd_bus_message_unref(*message);
}

static bool starts_with(const char *s, const char *prefix) {
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* What may be looked at by everybody. */
static bool method_reads(const Method *method) {
        static const char *const readers[] = {
                "List", "Get", "Find", "Plan", "Explain",
        };

        for (size_t i = 0; i < ELEMENTSOF(readers); i++)
                if (starts_with(method->member, readers[i]))
                        return true;

        return false;
}

/* Errors that say something about the call, and not about iommud. */
static bool error_is_answer(const char *name) {
        static const char *const bus_errors[] = {
                "InvalidArgs", "UnknownMethod", "UnknownObject", "UnknownInterface", "UnknownProperty",
                "PropertyReadOnly", "AccessDenied",
        };
        static const char prefix[] = "org.freedesktop.DBus.Error.";

        if (starts_with(name, IOMMUD_ERROR_PREFIX))
                return strcmp(name, IOMMUD_ERROR_KERNEL_FAILED) != 0;

        for (size_t i = 0; i < ELEMENTSOF(bus_errors); i++)
                if (starts_with(name, prefix) && strcmp(name + strlen(prefix), bus_errors[i]) == 0)
                        return true;

        return false;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        Call *call = userdata;
        Caller *caller = call->caller;
        bool right;

        caller->n_open--;
        caller->n_errors += !!error;
        if (error)
                right = error_is_answer(error->name);
        else
                /* what sd-bus answers by itself may have more with it than is wanted */
                right = method_reads(call->method) &&
                        (call->right_types || starts_with(call->method->interface, "org.freedesktop.DBus."));

        if (!right) {
                caller->n_wrong++;
                printf("call %u of %s of %s, with the %s types: answered with %s (%s)\n", call->number,
                       call->method->member, call->method->path, call->right_types ? "right" : "wrong",
                       error ? error->name : "success", error ? error->message : "");
        }

        free(call);
        return 1;
}

static int caller_wait(Caller *caller, unsigned n_open) {
        int r = 0;

        while (r >= 0 && caller->n_open > n_open) {
                r = sd_bus_process(caller->bus, /* ret= */ NULL);
                if (r == 0)
                        r = sd_bus_wait(caller->bus, UINT64_MAX);
        }

        return r < 0 ? r : 0;
}

static int caller_call(Caller *caller, const Method *method) {
        _cleanup_(message_unrefp) sd_bus_message *m = NULL;
        Call *call;
        int r;

        r = sd_bus_message_new_method_call(caller->bus, &m, IOMMUD_BUS_NAME, method->path, method->interface,
                                           method->member);
        if (r < 0)
                return r;

        r = random_append_arguments(&caller->random, m, method->types);
        if (r < 0)
                return r;

        call = malloc(sizeof(*call));
        if (!call)
                return -ENOMEM;
        *call = (Call) { caller, method, r > 0, caller->n_calls++ };

        r = sd_bus_call_async(caller->bus, /* ret_slot= */ NULL, m, on_answer, call,
                              /* usec= */ UINT64_C(120) * 1000 * 1000);
        if (r < 0) {
                free(call);
                return r;
        }

        caller->n_open++;
        return caller_wait(caller, WINDOW);
}

/* The value of an attribute in a line of introspection data, which sd-bus writes one element to a line. */
static bool read_attribute(const char *line, const char *attribute, char *ret, size_t size) {
        const char *value;

        value = strstr(line, attribute);
        if (!value)
                return false;

        value += strlen(attribute);
        snprintf(ret, size, "%.*s", (int) strcspn(value, "\""), value);
        return true;
}

/* Reads what an object says of itself, line by line. */
static int caller_learn(Caller *caller, const char *path, char *xml) {
        char interface[64] = "", type[RANDOM_TYPES_MAX];
        Method *method = NULL;
        char *line;

        while ((line = strsep(&xml, "\n"))) {
                if (strstr(line, "<interface ")) {
                        method = NULL;
                        (void) read_attribute(line, "name=\"", interface, sizeof(interface));
                }
                /* what every object on every bus has says nothing of iommud */
                if (strcmp(interface, "org.freedesktop.DBus.Peer") == 0 ||
                    strcmp(interface, "org.freedesktop.DBus.Introspectable") == 0)
                        continue;
                if (strstr(line, "<method ")) {
                        if (caller->n_methods == METHODS_MAX)
                                return -E2BIG;
                        method = &caller->methods[caller->n_methods++];
                        *method = (Method) {};
                        snprintf(method->path, sizeof(method->path), "%s", path);
                        snprintf(method->interface, sizeof(method->interface), "%s", interface);
                        (void) read_attribute(line, "name=\"", method->member, sizeof(method->member));
                }
                if (strstr(line, "<signal "))
                        method = NULL;
                if (method && strstr(line, "<arg ") && strstr(line, "direction=\"in\"") &&
                    read_attribute(line, "type=\"", type, sizeof(type)) &&
                    strlen(method->types) + strlen(type) < sizeof(method->types))
                        strcat(method->types, type);
        }

        return 0;
}

static int caller_introspect(Caller *caller, const char *path) {
        _cleanup_(message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *copy = NULL;
        const char *xml;
        int r;

        r = sd_bus_call_method(caller->bus, IOMMUD_BUS_NAME, path, "org.freedesktop.DBus.Introspectable",
                               "Introspect", /* ret_error= */ NULL, &reply, NULL);
        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &xml);
        if (r < 0)
                return r;

        copy = strdup(xml);
        return copy ? caller_learn(caller, path, copy) : -ENOMEM;
}

static int run_all(Caller *caller, uint32_t number, char **paths) {
        int r = 0;

        for (; r >= 0 && *paths; paths++)
                r = caller_introspect(caller, *paths);

        for (unsigned i = 0; r >= 0 && i < caller->n_methods; i++) {
                const Method *method = &caller->methods[i];

                for (uint32_t n = 0; r >= 0 && n < (method->types[0] ? number : number / 10 + 1); n++)
                        r = caller_call(caller, method);
                if (r >= 0)
                        r = caller_wait(caller, 0);
        }
        if (r < 0)
                return r;

        printf("%u calls of %u methods, %u were errors, %u answered wrongly\n", caller->n_calls,
               caller->n_methods, caller->n_errors, caller->n_wrong);
        return caller->n_wrong > 0 || caller->n_calls == 0 ? -EBADMSG : 0;
}

static int run_flood(Caller *caller) {
        int r;

        r = caller_introspect(caller, IOMMUD_PATH);
        for (unsigned n = 0; r >= 0; n++) {
                r = caller_call(caller, &caller->methods[random_below(&caller->random, caller->n_methods)]);
                if (n == 2 * WINDOW) {
                        puts("flooding");
                        (void) fflush(stdout);
                }
        }

        return r;
}

static int run_deaf(Caller *caller) {
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < 2000; i++) {
                _cleanup_(message_unrefp) sd_bus_message *m = NULL;

                r = sd_bus_message_new_method_call(
                        caller->bus, &m, IOMMUD_BUS_NAME, IOMMUD_PATH, "org.freedesktop.DBus.ObjectManager",
                        "GetManagedObjects");
                if (r >= 0)
                        r = sd_bus_send(caller->bus, m, &(uint64_t) { 0 });
        }
        if (r < 0)
                return r;

        puts("deaf");
        (void) fflush(stdout);
        for (;;)
                (void) pause();
}

int main(int argc, char *argv[]) {
        _cleanup_(bus_unrefp) sd_bus *bus = NULL;
        _cleanup_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        uint32_t seed, number = 0;
        Caller *caller;
        int r;

        if (argc < 3 || parse_u32(argv[2], &seed) < 0)
                return 2;
        if (strcmp(argv[1], "all") == 0 && (argc < 5 || parse_u32(argv[3], &number) < 0))
                return 2;

        caller = calloc(1, sizeof(*caller));
        if (!caller)
                return EXIT_FAILURE;
        caller->random = (Random) { (seed * 2654435761U) | 1, words, ELEMENTSOF(words), null };

        r = sd_bus_open_system(&bus);
        caller->bus = bus;
        if (r < 0)
                ;
        else if (strcmp(argv[1], "all") == 0)
                r = run_all(caller, number, argv + 4);
        else
                r = strcmp(argv[1], "deaf") == 0 ? run_deaf(caller) : run_flood(caller);

        free(caller);
        if (r < 0)
                fprintf(stderr, "%s\n", strerrordesc_np(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
