/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "bus-rig.h"
#include "fake/assert.h"
#include "names.h"

static int rig_identify(void *userdata, sd_bus_message *message, Subject *ret) {
        BusRig *rig = userdata;

        if (rig->identify > 0)
                *ret = rig->subject;
        else if (rig->identify == 0) {
                assert(!rig->asked);
                rig->asked = sd_bus_message_ref(message);
        }

        return rig->identify;
}

/* What the daemon tells the manager when no process can be made for a task. */
static void fail_tasks(BusRig *rig, ChangeSet *more) {
        Task task;

        while (manager_next_task(rig->scene->manager, &task)) {
                TaskResult result = {};

                result.result = kernel_failure(&result.failure, -EAGAIN, "starting a child process");
                manager_task_done(rig->scene->manager, &task, &result, more);
        }
}

/* As the daemon does it. */
static void rig_commit(void *userdata, ChangeSet *changes) {
        BusRig *rig = userdata;

        while (changes->n_items > 0) {
                ChangeSet more = {};

                if (rig->n_fds_left >= 0)
                        limit_fds((unsigned) rig->n_fds_left);
                bus_server_publish(rig->server, changes, &more);
                if (rig->n_fds_left >= 0)
                        unlimit_fds();

                mirror_apply(&rig->scene->mirror, rig->scene->manager, changes);
                manager_reap(rig->scene->manager);
                if (rig->no_worker)
                        fail_tasks(rig, &more);
                change_set_done(changes);
                *changes = more;
        }
}

static int rig_reload(void *userdata, const Subject *subject, char **reterr) {
        BusRig *rig = userdata;

        assert_eq_int(subject->uid, rig->subject.uid);
        rig->n_reloads++;
        if (rig->reload < 0)
                *reterr = strdup("50-test.json:3: no such key");
        return rig->reload;
}

static int rig_pidfd(void *userdata, sd_bus_message *message) {
        BusRig *rig = userdata;

        return rig->pidfd;
}

void bus_rig_commit(BusRig *rig) {
        rig_commit(rig, &rig->scene->changes);
        bus_rig_process(rig);
}

void bus_rig_watch(BusRig *rig) {
        scene_watch(rig->scene);
        bus_rig_commit(rig);
}

void bus_rig_run_tasks(BusRig *rig) {
        bus_rig_commit(rig);
        while (task_runner_step(&rig->scene->tasks, &rig->scene->changes))
                bus_rig_commit(rig);
}

static const char *startswith(const char *s, const char *prefix) {
        return strncmp(s, prefix, strlen(prefix)) == 0 ? s + strlen(prefix) : NULL;
}

/* "org.iommud1.Lease State StateReason": what PropertiesChanged speaks of. */
static void describe_properties(sd_bus_message *m, FILE *f) {
        const char *interface, *name;

        assert_ok(sd_bus_message_read(m, "s", &interface));
        fprintf(f, " %s", interface);
        assert_ok(sd_bus_message_enter_container(m, 'a', "{sv}"));
        while (assert_ok(sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                assert_ok(sd_bus_message_read(m, "s", &name));
                fprintf(f, " %s", name);
                assert_ok(sd_bus_message_skip(m, "v"));
                assert_ok(sd_bus_message_exit_container(m));
        }
        assert_ok(sd_bus_message_exit_container(m));
        assert_ok(sd_bus_message_skip(m, "as"));
}

/*
 * "/org/iommud1/lease/1 Peer Introspectable Properties org.iommud1.Lease": of what InterfacesAdded and
 * -Removed speak.
 */
static void describe_interfaces(sd_bus_message *m, bool added, FILE *f) {
        const char *path, *interface;

        assert_ok(sd_bus_message_read(m, "o", &path));
        fprintf(f, " %s", path);
        assert_ok(sd_bus_message_enter_container(m, 'a', added ? "{sa{sv}}" : "s"));
        for (;;) {
                if (added && assert_ok(sd_bus_message_enter_container(m, 'e', "sa{sv}")) == 0)
                        break;
                if (assert_ok(sd_bus_message_read(m, "s", &interface)) == 0)
                        break;
                fprintf(f, " %s", startswith(interface, "org.freedesktop.DBus.") ?: interface);
                if (added) {
                        assert_ok(sd_bus_message_skip(m, "a{sv}"));
                        assert_ok(sd_bus_message_exit_container(m));
                }
        }
        assert_ok(sd_bus_message_exit_container(m));
}

static void describe_message(sd_bus_message *m, FILE *f) {
        if (sd_bus_message_is_method_error(m, NULL)) {
                fprintf(f, "error %s\n", sd_bus_message_get_error(m)->name);
                return;
        }
        if (!sd_bus_message_get_member(m)) {
                fprintf(f, "reply\n");
                return;
        }

        fprintf(f, "%s %s", sd_bus_message_get_path(m), sd_bus_message_get_member(m));
        if (sd_bus_message_is_signal(m, NULL, "PropertiesChanged"))
                describe_properties(m, f);
        else if (sd_bus_message_is_signal(m, NULL, "InterfacesAdded"))
                describe_interfaces(m, /* added= */ true, f);
        else if (sd_bus_message_is_signal(m, NULL, "InterfacesRemoved"))
                describe_interfaces(m, /* added= */ false, f);
        fputc('\n', f);
}

static void rig_record(BusRig *rig, sd_bus_message *m) {
        size_t n = strlen(rig->received);
        FILE *f;

        f = fmemopen(rig->received + n, sizeof(rig->received) - n, "w");
        assert(f);
        describe_message(m, f);
        assert_ok(fclose(f));
        assert(strlen(rig->received) + 1 < sizeof(rig->received));
}

/* Signals; the replies to calls don't come through here. */
static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        rig_record(userdata, m);
        return 0;
}

static sd_bus *rig_bus(int fd) {
        sd_bus *bus;

        assert_ok(sd_bus_new(&bus));
        assert_ok(sd_bus_set_fd(bus, fd, fd));
        assert_ok(sd_bus_negotiate_fds(bus, true));
        return bus;
}

BusRig *bus_rig_new(void) {
        static const BusServerFuncs funcs = { rig_identify, rig_commit, rig_reload, rig_pidfd };
        static const char *const features[] = { "iommufd", "mode:vmm", NULL };
        sd_id128_t id = SD_ID128_MAKE(11, 22, 33, 44, 55, 66, 77, 88, 99, aa, bb, cc, dd, ee, ff, 00);
        BusRig *rig;
        int fds[2];

        rig = calloc(1, sizeof(*rig));
        assert(rig);
        rig->scene = scene_new();
        rig->subject = ALICE;
        rig->identify = 1;
        rig->n_fds_left = -1;
        rig->pidfd = -EBADF;

        assert_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
        rig->server_bus = rig_bus(fds[0]);
        assert_ok(sd_bus_set_server(rig->server_bus, true, id));
        rig->client = rig_bus(fds[1]);
        assert_ok(sd_bus_add_filter(rig->client, /* ret_slot= */ NULL, on_message, rig));

        assert_ok(bus_server_new(rig->server_bus, rig->scene->manager, features, &funcs, rig, &rig->server));
        assert_ok(sd_bus_start(rig->server_bus));
        assert_ok(sd_bus_start(rig->client));
        bus_rig_process(rig);
        return rig;
}

BusRig *bus_rig_free(BusRig *rig) {
        if (!rig)
                return NULL;

        sd_bus_message_unref(rig->asked);
        bus_server_free(rig->server);
        sd_bus_flush_close_unref(rig->server_bus);
        sd_bus_flush_close_unref(rig->client);
        scene_free(rig->scene);
        free(rig);
        return NULL;
}

void bus_rig_process(BusRig *rig) {
        int a, b;

        do {
                a = sd_bus_process(rig->server_bus, NULL);
                b = sd_bus_process(rig->client, NULL);
                assert(a >= 0 || a == -ENOTCONN || a == -ECONNRESET);
                assert(b >= 0 || b == -ENOTCONN || b == -ECONNRESET);
        } while (a > 0 || b > 0);
}

void bus_rig_forget(BusRig *rig) {
        rig->received[0] = '\0';
}

/* A call whose answer is awaited. */
typedef struct Awaited {
        BusRig *rig;
        sd_bus_message **ret;
} Awaited;

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Awaited *awaited = userdata;

        assert(!*awaited->ret);
        *awaited->ret = sd_bus_message_ref(reply);
        rig_record(awaited->rig, reply);
        return 1;
}

void bus_rig_send(BusRig *rig, sd_bus_message *call, sd_bus_message **ret) {
        sd_bus_slot *slot;
        Awaited *awaited;

        awaited = malloc(sizeof(*awaited));
        assert(awaited);
        *awaited = (Awaited) { rig, ret };

        *ret = NULL;
        assert_ok(sd_bus_call_async(rig->client, &slot, call, on_reply, awaited, /* usec= */ 0));
        assert_ok(sd_bus_slot_set_destroy_callback(slot, free));
        assert_ok(sd_bus_slot_set_floating(slot, true));
        sd_bus_slot_unref(slot);
        bus_rig_process(rig);
}

sd_bus_message *bus_rig_call(BusRig *rig, const char *path, const char *interface, const char *member,
                             const char *types, ...) {
        _cleanup_message_ sd_bus_message *call = NULL;
        sd_bus_message *reply;
        va_list ap;

        assert_ok(sd_bus_message_new_method_call(rig->client, &call, /* destination= */ NULL, path,
                                                 interface, member));
        va_start(ap, types);
        if (types)
                assert_ok(sd_bus_message_appendv(call, types, ap));
        va_end(ap);

        bus_rig_send(rig, call, &reply);
        assert(reply);
        return reply;
}

sd_bus_message *bus_rig_message(BusRig *rig, const char *member) {
        sd_bus_message *call;

        assert_ok(sd_bus_message_new_method_call(rig->client, &call, /* destination= */ NULL, IOMMUD_PATH,
                                                 IOMMUD_INTERFACE_MANAGER, member));
        return call;
}

void bus_rig_send_acquire(BusRig *rig, const char *selector, sd_bus_message **ret) {
        _cleanup_message_ sd_bus_message *call = bus_rig_message(rig, "Acquire");

        assert_ok(sd_bus_message_append(call, "asa{sv}", 1, selector, 0));
        bus_rig_send(rig, call, ret);
}

sd_bus_message *bus_rig_acquire(BusRig *rig, const char *selector) {
        sd_bus_message *reply;

        bus_rig_send_acquire(rig, selector, &reply);
        assert(reply);
        return reply;
}

void assert_error(sd_bus_message *reply, const char *name, const char *part) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        if (!error)
                assert_failed(__FILE__, __LINE__, name, "expected an error, got a reply");
        assert_eq_str(error->name, name);
        assert_has(error->message, part);
        for (const char *c = error->message; *c; c++)
                assert(*c >= ' ' && *c <= '~');
}

void assert_reply(sd_bus_message *reply, const char *types) {
        if (sd_bus_message_is_method_error(reply, NULL))
                assert_failed(__FILE__, __LINE__, types, "expected a reply, got %s: %s",
                              sd_bus_message_get_error(reply)->name,
                              sd_bus_message_get_error(reply)->message);
        assert_eq_str(sd_bus_message_get_signature(reply, /* complete= */ true) ?: "", types);
}

static void client_take(Client *client, const char *role, int fd) {
        fd = assert_ok(fd_dup(fd));

        if (strcmp(role, IOMMUD_FD_LIFELINE) == 0)
                client->lifeline = fd;
        else if (strcmp(role, IOMMUD_FD_IOMMUFD) == 0)
                client->iommufd = fd;
        else if (strncmp(role, IOMMUD_FD_FAULT_QUEUE_PREFIX, strlen(IOMMUD_FD_FAULT_QUEUE_PREFIX)) == 0)
                close_fd(fd);           /* no part of a client here */
        else {
                assert_eq_int(strncmp(role, IOMMUD_FD_DEVICE_PREFIX, strlen(IOMMUD_FD_DEVICE_PREFIX)), 0);
                assert(client->n_devices < ELEMENTSOF(client->devices));
                client->devices[client->n_devices++] = fd;
        }
}

void bus_rig_take_fds(BusRig *rig, sd_bus_message *reply, uint64_t *ret_lease, Client *ret) {
        const char *path, *role;
        unsigned long long id;
        int fd;

        assert_reply(reply, "oa{sh}a{sv}");
        *ret = (Client) { .lifeline = -EBADF, .iommufd = -EBADF };
        assert_ok(sd_bus_message_read(reply, "o", &path));
        assert_eq_int(sscanf(path, IOMMUD_PATH_LEASE "/%llu", &id), 1);
        *ret_lease = id;

        assert_ok(sd_bus_message_enter_container(reply, 'a', "{sh}"));
        while (assert_ok(sd_bus_message_read(reply, "{sh}", &role, &fd)) > 0)
                client_take(ret, role, fd);
        assert_ok(sd_bus_message_exit_container(reply));
}
