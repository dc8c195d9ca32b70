/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "fake-driver.h"
#include "fake/assert.h"

/* The handler of a method: like those of the daemon, it runs again when the answer is there. */
static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        FakeDriver *d = userdata;

        if (!sd_bus_message_is_method_call(m, "test.Test", "Who"))
                return 0;

        d->n_calls++;
        d->result = identity_of_sender(d->identity, m, d->wanted, &d->subject);
        d->n_known += d->result > 0;
        return 1;
}

static int on_driver_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        FakeDriver *d = userdata;

        if (sd_bus_message_is_method_error(m, NULL)) {
                d->n_errors++;
                snprintf(d->error, sizeof(d->error), "%s", sd_bus_message_get_error(m)->name);
        }
        if (!sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "GetConnectionCredentials"))
                return 0;

        d->n_asked++;
        sd_bus_message_unref(d->question);
        d->question = sd_bus_message_ref(m);
        return 1;
}

void fake_driver_process(FakeDriver *d) {
        int a, b;

        do {
                a = assert_ok(sd_bus_process(d->daemon, NULL));
                b = assert_ok(sd_bus_process(d->bus, NULL));
        } while (a > 0 || b > 0);
}

static sd_bus *driver_bus(int fd, sd_bus_message_handler_t filter, FakeDriver *d) {
        sd_bus *bus;

        assert_ok(sd_bus_new(&bus));
        assert_ok(sd_bus_set_fd(bus, fd, fd));
        assert_ok(sd_bus_negotiate_fds(bus, true));
        assert_ok(sd_bus_add_filter(bus, /* ret_slot= */ NULL, filter, d));
        return bus;
}

FakeDriver *fake_driver_new(void) {
        sd_id128_t id = SD_ID128_MAKE(11, 22, 33, 44, 55, 66, 77, 88, 99, aa, bb, cc, dd, ee, ff, 00);
        FakeDriver *d;
        int fds[2];

        d = calloc(1, sizeof(*d));
        assert(d);
        assert_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
        d->daemon = driver_bus(fds[0], on_call, d);
        d->bus = driver_bus(fds[1], on_driver_message, d);
        assert_ok(sd_bus_set_server(d->bus, true, id));
        assert_ok(sd_bus_start(d->bus));
        assert_ok(sd_bus_start(d->daemon));
        d->proc = assert_ok(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
        d->sysfs = tree_new();
        d->wanted = SUBJECT_KNOWS_USERNS | SUBJECT_KNOWS_CGROUP;
        assert_ok(identity_new(d->daemon, d->proc, d->sysfs->fd, &d->identity));
        fake_driver_process(d);
        return d;
}

FakeDriver *fake_driver_free(FakeDriver *d) {
        if (!d)
                return NULL;

        identity_free(d->identity);
        close_fd(d->proc);
        tree_free(d->sysfs);
        sd_bus_message_unref(d->question);
        sd_bus_flush_close_unref(d->daemon);
        sd_bus_flush_close_unref(d->bus);
        free(d);
        return NULL;
}

void fake_driver_call(FakeDriver *d, const char *sender) {
        sd_bus_message *m;
        uint64_t cookie;

        assert_ok(sd_bus_message_new_method_call(d->bus, &m, /* destination= */ NULL, "/", "test.Test",
                                                 "Who"));
        if (sender)
                assert_ok(sd_bus_message_set_sender(m, sender));
        assert_ok(sd_bus_send(d->bus, m, &cookie));          /* a reply is wanted, that means */
        sd_bus_message_unref(m);
        fake_driver_process(d);
}

sd_bus_message *fake_driver_answer_begin(FakeDriver *d) {
        sd_bus_message *reply;

        assert(d->question);
        assert_ok(sd_bus_message_new_method_return(d->question, &reply));
        assert_ok(sd_bus_message_open_container(reply, 'a', "{sv}"));
        return reply;
}

void fake_driver_answer_end(FakeDriver *d, sd_bus_message *reply) {
        assert_ok(sd_bus_message_close_container(reply));
        assert_ok(sd_bus_send(d->bus, reply, /* ret_cookie= */ NULL));
        sd_bus_message_unref(reply);
        fake_driver_process(d);
}

void fake_driver_answer_uid(FakeDriver *d, uint32_t uid) {
        sd_bus_message *reply = fake_driver_answer_begin(d);

        assert_ok(sd_bus_message_append(reply, "{sv}", "UnixUserID", "u", uid));
        fake_driver_answer_end(d, reply);
}
