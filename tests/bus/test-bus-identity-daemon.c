/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is calling, asked of a real bus: a private dbus-daemon that is started here. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "bus/identity.h"
#include "core/subject.h"
#include "fake/assert.h"

#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)

static const char config[] =
        "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
        " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
        "<busconfig>\n"
        "  <type>session</type>\n"
        "  <listen>unix:tmpdir=/tmp</listen>\n"
        "  <auth>EXTERNAL</auth>\n"
        "  <policy context=\"default\">\n"
        "    <allow send_destination=\"*\"/>\n"
        "    <allow receive_sender=\"*\"/>\n"
        "    <allow own=\"*\"/>\n"
        "  </policy>\n"
        "</busconfig>\n";

typedef struct RealBus {
        pid_t pid;
        char address[256];
        sd_bus *server, *client, *other;
        Identity *identity;
        Subject subject;
        unsigned n_calls, n_answers;
        bool vanished;                       /* a connection has left the bus */
} RealBus;

static char *write_config(void) {
        static char path[] = "/tmp/iommud-test-bus-XXXXXX";
        int fd;

        fd = mkstemp(path);
        assert(fd >= 0);
        assert_eq_int(write(fd, config, strlen(config)), strlen(config));
        close_fd(fd);
        return path;
}

/* False: there is none. */
static bool real_bus_start(RealBus *b) {
        const char *path = write_config();
        char fd_arg[32];
        int address[2];
        ssize_t n;

        assert_ok(pipe(address));
        snprintf(fd_arg, sizeof(fd_arg), "--print-address=%d", address[1]);
        b->pid = fork();
        assert(b->pid >= 0);
        if (b->pid == 0) {
                execlp("dbus-daemon", "dbus-daemon", "--config-file", path, "--nofork", fd_arg, NULL);
                _exit(127);
        }

        close_fd(address[1]);
        n = read(address[0], b->address, sizeof(b->address) - 1);
        close_fd(address[0]);
        unlink(path);
        if (n <= 0)
                return false;

        b->address[n] = '\0';
        b->address[strcspn(b->address, "\n")] = '\0';
        return true;
}

static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        RealBus *b = userdata;
        int r;

        if (!sd_bus_message_is_method_call(m, "test.Test", "Who"))
                return 0;

        b->n_calls++;
        r = assert_ok(identity_of_sender(b->identity, m, /* wanted= */ 0, &b->subject));
        return r == 0 ? 1 : sd_bus_reply_method_return(m, NULL);
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name, *old, *new;
        RealBus *b = userdata;

        assert_ok(sd_bus_message_read(m, "sss", &name, &old, &new));
        b->vanished = b->vanished || (name[0] == ':' && !new[0]);
        return 0;
}

static sd_bus *real_bus_connect(RealBus *b) {
        sd_bus *bus;

        assert_ok(sd_bus_new(&bus));
        assert_ok(sd_bus_set_address(bus, b->address));
        assert_ok(sd_bus_set_bus_client(bus, true));
        assert_ok(sd_bus_negotiate_fds(bus, true));
        assert_ok(sd_bus_start(bus));
        return bus;
}

/* One round: what there is to do, or a wait for more. */
static void real_bus_process(RealBus *b) {
        sd_bus *buses[] = { b->server, b->client, b->other };
        struct pollfd fds[ELEMENTSOF(buses)];
        int n = 0;

        for (size_t i = 0; i < ELEMENTSOF(buses); i++) {
                n += assert_ok(sd_bus_process(buses[i], NULL));
                fds[i] = (struct pollfd) {
                        .fd = assert_ok(sd_bus_get_fd(buses[i])),
                        .events = (short) assert_ok(sd_bus_get_events(buses[i])),
                };
        }

        if (n == 0)
                assert_ok(poll(fds, ELEMENTSOF(fds), /* timeout= */ -1));
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        RealBus *b = userdata;

        assert(!sd_bus_message_is_method_error(m, NULL));
        b->n_answers++;
        return 1;
}

static void send_call(RealBus *b, sd_bus *from) {
        const char *server;

        assert_ok(sd_bus_get_unique_name(b->server, &server));
        assert_ok(sd_bus_call_method_async(from, /* ret_slot= */ NULL, server, "/", "test.Test", "Who",
                                           on_answer, b, NULL));
}

static void call_and_wait(RealBus *b, sd_bus *from) {
        unsigned n = b->n_answers;

        send_call(b, from);
        while (b->n_answers == n)
                real_bus_process(b);
}

/* Whether this bus says more than older ones. */
static bool real_bus_has_process_fd(RealBus *b) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *name, *key;
        bool found = false;

        assert_ok(sd_bus_get_unique_name(b->client, &name));
        assert_ok(sd_bus_call_method(b->client, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                     "org.freedesktop.DBus", "GetConnectionCredentials", NULL, &reply, "s",
                                     name));
        assert_ok(sd_bus_message_enter_container(reply, 'a', "{sv}"));
        while (assert_ok(sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                assert_ok(sd_bus_message_read(reply, "s", &key));
                found = found || strcmp(key, "ProcessFD") == 0;
                assert_ok(sd_bus_message_skip(reply, "v"));
                assert_ok(sd_bus_message_exit_container(reply));
        }

        return found;
}

static void test_subject(RealBus *b) {
        gid_t gids[SUBJECT_GIDS_MAX];
        int n_gids;

        call_and_wait(b, b->client);
        assert_eq_int(b->subject.uid, getuid());
        assert_eq_int(b->subject.pid, getpid());
        assert(subject_has_gid(&b->subject, getgid()));
        n_gids = assert_ok(getgroups(ELEMENTSOF(gids), gids));
        for (int i = 0; i < n_gids; i++)
                assert(subject_has_gid(&b->subject, gids[i]));

        /* proved, or nobody is root */
        printf("this bus %s\n", real_bus_has_process_fd(b) ? "hands out ProcessFD" : "has no ProcessFD");
        assert_eq_int(b->subject.own_userns, real_bus_has_process_fd(b));
        assert_eq_int(b->n_calls, 2);        /* before and after the question */

        call_and_wait(b, b->client);
        assert_eq_int(b->n_calls, 3);        /* once more, without one */
        call_and_wait(b, b->other);
        assert_eq_int(b->n_calls, 5);
}

/* The caller has left the bus before the bus is asked about it. */
static void test_vanished(RealBus *b) {
        unsigned n_calls = b->n_calls;
        sd_bus *gone;

        gone = real_bus_connect(b);
        send_call(b, gone);
        sd_bus_flush_close_unref(gone);

        /* only the other one looks, until it has seen it go */
        b->vanished = false;
        while (!b->vanished)
                if (assert_ok(sd_bus_process(b->other, NULL)) == 0)
                        assert_ok(sd_bus_wait(b->other, UINT64_MAX));

        call_and_wait(b, b->client);
        assert_eq_int(b->n_calls, n_calls + 2);      /* its call, which came to nothing, and ours */
        call_and_wait(b, b->client);
        assert_eq_int(b->n_calls, n_calls + 3);
}

int main(void) {
        _cleanup_close_ int proc = assert_ok(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
        _cleanup_close_ int sysfs = assert_ok(open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC));
        RealBus b = {};

        if (!real_bus_start(&b)) {
                puts("skipped: there is no dbus-daemon that could be started");
                return 77;
        }

        b.server = real_bus_connect(&b);
        b.client = real_bus_connect(&b);
        b.other = real_bus_connect(&b);
        assert_ok(identity_new(b.server, proc, sysfs, &b.identity));
        assert_ok(sd_bus_add_filter(b.server, /* ret_slot= */ NULL, on_call, &b));
        assert_ok(sd_bus_match_signal(b.other, /* ret_slot= */ NULL, "org.freedesktop.DBus",
                                      "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged",
                                      on_owner_changed, &b));

        test_subject(&b);
        test_vanished(&b);

        identity_free(b.identity);
        sd_bus_flush_close_unref(b.server);
        sd_bus_flush_close_unref(b.client);
        sd_bus_flush_close_unref(b.other);
        assert_ok(kill(b.pid, SIGTERM));
        assert_eq_int(waitpid(b.pid, /* wstatus= */ NULL, 0), b.pid);
        return 0;
}
