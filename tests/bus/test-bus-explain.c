/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plan when it is to explain: its options, who may use them, and the facts on the wire. */

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "bus-rig.h"
#include "bus/memlock.h"
#include "fake/assert.h"
#include "names.h"

#define DEVICE "0000:01:00.0"
#define MIB (UINT64_C(1) << 20)

static sd_bus_message *call(BusRig *rig, const char *member, const char *key, const char *types, ...) {
        _cleanup_message_ sd_bus_message *message = bus_rig_message(rig, member);
        sd_bus_message *reply = NULL;
        va_list ap;

        assert_ok(sd_bus_message_append(message, "as", 1, DEVICE));
        assert_ok(sd_bus_message_open_container(message, 'a', "{sv}"));
        assert_ok(sd_bus_message_open_container(message, 'e', "sv"));
        assert_ok(sd_bus_message_append(message, "s", key));
        assert_ok(sd_bus_message_open_container(message, 'v', types));
        va_start(ap, types);
        assert_ok(sd_bus_message_appendv(message, types, ap));
        va_end(ap);
        for (unsigned i = 0; i < 3; i++)
                assert_ok(sd_bus_message_close_container(message));

        bus_rig_send(rig, message, &reply);
        bus_rig_process(rig);
        assert(reply);
        return reply;
}

static BusRig *rig_new(void) {
        BusRig *rig = bus_rig_new();

        scene_add(rig->scene, DEVICE, 1, "nvme");
        bus_rig_commit(rig);
        return rig;
}

/* "topic/grade/key=value,…" of the facts of a topic; only what has not been read yet. */
static void describe_fact(sd_bus_message *reply, char *ret, size_t size) {
        const char *key, *text, *contents;
        size_t n = 0;

        ret[0] = '\0';
        while (assert_ok(sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                assert_ok(sd_bus_message_read(reply, "s", &key));
                assert_ok(sd_bus_message_peek_type(reply, NULL, &contents));
                assert_ok(sd_bus_message_enter_container(reply, 'v', contents));
                if (contents[0] == 's') {
                        assert_ok(sd_bus_message_read(reply, "s", &text));
                        if (strcmp(key, "text") != 0)
                                n += (size_t) snprintf(ret + n, size - n, "%s=%s ", key, text);
                } else if (contents[0] == 't') {
                        uint64_t number;

                        assert_ok(sd_bus_message_read(reply, "t", &number));
                        n += (size_t) snprintf(ret + n, size - n, "%s=%llu ", key,
                                               (unsigned long long) number);
                } else {
                        int yes;

                        assert_ok(sd_bus_message_read(reply, "b", &yes));
                        n += (size_t) snprintf(ret + n, size - n, "%s=%s ", key, yes ? "yes" : "no");
                }
                assert_ok(sd_bus_message_exit_container(reply));
                assert_ok(sd_bus_message_exit_container(reply));
        }
}

/* The entries of the step that begins so; "" when there is none. */
static const char *find_step(sd_bus_message *reply, const char *part) {
        static char text[1024];

        assert_ok(sd_bus_message_rewind(reply, /* complete= */ true));
        assert_ok(sd_bus_message_skip(reply, "b"));
        assert_ok(sd_bus_message_enter_container(reply, 'a', "a{sv}"));
        while (assert_ok(sd_bus_message_enter_container(reply, 'a', "{sv}")) > 0) {
                describe_fact(reply, text, sizeof(text));
                assert_ok(sd_bus_message_exit_container(reply));
                if (strstr(text, part))
                        return text;
        }

        return "";
}

static void test_facts(void) {
        _cleanup_message_ sd_bus_message *reply = NULL, *silent = NULL;
        _cleanup_rig_ BusRig *rig = rig_new();

        reply = call(rig, "Plan", IOMMUD_OPTION_EXPLAIN, "b", 1);
        assert_reply(reply, "baa{sv}");
        assert_has(find_step(reply, "topic=policy"), "action=fact device=" DEVICE " driver=nvme");
        assert_has(find_step(reply, "topic=policy"), "grade=good");
        assert_has(find_step(reply, "topic=policy"), "verdict=allow");
        assert_has(find_step(reply, "topic=driver"), "grade=note owns_dma=yes companion=no");
        assert_has(find_step(reply, "topic=kernel"), "grade=bad iommufd=no vfio_driver=no");
        assert_has(find_step(reply, "action=open"), "device=" DEVICE);

        silent = call(rig, "Plan", IOMMUD_OPTION_EXPLAIN, "b", 0);
        assert_eq_str(find_step(silent, "action=fact"), "");
}

/* What the host uses a device for, for programs too. */
static void test_host_use(void) {
        _cleanup_message_ sd_bus_message *disk = NULL, *unknown = NULL;
        _cleanup_rig_ BusRig *rig = rig_new();

        rig->scene->host = (FakeHost) { .device = DEVICE, .use = "swap", .kind = HOST_USE_DISK };
        disk = call(rig, "Plan", IOMMUD_OPTION_EXPLAIN, "b", 1);
        assert_has(find_step(disk, "action=blocked"), "reason=HostInUse use=disk");

        rig->scene->host = (FakeHost) { .device = DEVICE, .error = -EIO };
        unknown = call(rig, "Plan", IOMMUD_OPTION_EXPLAIN, "b", 1);
        assert_has(find_step(unknown, "action=blocked"), "reason=HostInUse use=unknown");
}

/* The limit is that of the process that the bus vouches for. */
static void test_memory(void) {
        _cleanup_message_ sd_bus_message *unknown = NULL, *little = NULL, *none = NULL;
        _cleanup_close_ int pidfd = pidfd_open(getpid(), 0);
        _cleanup_rig_ BusRig *rig = rig_new();
        struct rlimit limit;
        Memlock memlock;
        char expected[128];

        unknown = call(rig, "Plan", IOMMUD_OPTION_RAM, "t", 64 * MIB);
        assert_reply(unknown, "baa{sv}");
        assert_has(find_step(unknown, "topic=memory"), "grade=unknown ram=67108864 needed=201326592");

        assert(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
        if (pidfd < 0 || limit.rlim_cur < 65536)
                return;
        limit.rlim_cur = 65536;
        assert(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
        memlock_read(pidfd, &memlock);
        assert(memlock.known && memlock.pid == getpid());

        rig->pidfd = pidfd;
        little = call(rig, "Plan", IOMMUD_OPTION_RAM, "t", 64 * MIB);
        assert_reply(little, "baa{sv}");
        /* who may lock any amount has no limit */
        snprintf(expected, sizeof(expected),
                 "grade=%s ram=67108864 needed=201326592 accounting=process limit=%llu "
                 "pid=%d",
                 memlock.limit == 65536 ? "bad" : "good", (unsigned long long) memlock.limit,
                 (int) getpid());
        assert_has(find_step(little, "topic=memory"), expected);
        assert(memlock.limit == 65536 || memlock.limit == UINT64_MAX);

        none = call(rig, "Plan", IOMMUD_OPTION_RAM, "t", UINT64_C(0));
        assert_eq_str(find_step(none, "topic=memory"), "");
}

/* No pidfd, no limit: a number alone is nobody's. */
static void test_memlock(void) {
        _cleanup_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        Memlock memlock = { .known = true, .limit = 7 };

        memlock_read(null, &memlock);
        assert(!memlock.known && memlock.limit == 0);
        memlock_read(-EBADF, &memlock);
        assert(!memlock.known);
}

static void test_as(void) {
        _cleanup_message_ sd_bus_message *refused = NULL, *reply = NULL;
        _cleanup_rig_ BusRig *rig = rig_new();

        refused = call(rig, "Plan", IOMMUD_OPTION_AS, "(uau)", 2000, 1, 2000);
        assert_error(refused, IOMMUD_ERROR_DENIED, "Only root");

        rig->subject = ROOT;
        reply = call(rig, "Plan", IOMMUD_OPTION_AS, "(uau)", 2000, 1, 2000);
        assert_reply(reply, "baa{sv}");
        assert_has(find_step(reply, "action=blocked"), "reason=Denied");
}

static void test_refused(void) {
        static const struct {
                const char *member, *key, *types, *text;
        } table[] = {
                { "Acquire", IOMMUD_OPTION_EXPLAIN, "b", "are mode, accounting, holder, domain, ram" },
                { "Acquire", IOMMUD_OPTION_RAM, "u", "must be of type t" },
                { "Plan", IOMMUD_OPTION_EXPLAIN, "u", "must be of type b" },
                { "Plan", IOMMUD_OPTION_RAM, "u", "must be of type t" },
                { "Plan", IOMMUD_OPTION_AS, "u", "must be of type (uau)" },
                { "Plan", "nonsense", "u", "ram, explain, as" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;
                _cleanup_rig_ BusRig *rig = rig_new();

                reply = strcmp(table[i].types, "t") == 0 ?
                                call(rig, table[i].member, table[i].key, "t", UINT64_C(1)) :
                                call(rig, table[i].member, table[i].key, table[i].types, 1);
                assert_error(reply, IOMMUD_ERROR_INVALID_OPTION, table[i].text);
        }
}

int main(void) {
        test_facts();
        test_host_use();
        test_memory();
        test_memlock();
        test_as();
        test_refused();
        return 0;
}
