/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Release with its options: the holder who is asked, and nobody else; the unit that is ended. The test is
 * the bus and the service manager too.
 */

#include "base/fd.h"
#include "base/parse.h"
#include "bus-rig.h"
#include "bus/request.h"
#include "fake/assert.h"
#include "names.h"

#define DEVICE "0000:01:00.0"
#define LEASE_PATH IOMMUD_PATH_LEASE "/1"
#define HOLDER ":1.42"

/* Beside the rig: what the bus and the service manager do. */
typedef struct World {
        BusRig *rig;
        Client client;
        bool holder_gone;                    /* it has left the bus */
        bool holder_obeys;                   /* it leaves as soon as it is asked to release its lease */
        bool bus_refuses;                    /* to say who is there */
        bool no_unit;                        /* the service manager knows no such unit */
        char stopped[64];                    /* the last unit that was to be stopped */
        char signal[512];                    /* the last one of the lease: "MEMBER DESTINATION ARGUMENTS" */
} World;

static int on_name_has_owner(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const World *world = userdata;
        const char *name;

        assert_ok(sd_bus_message_read(m, "s", &name));
        assert_eq_str(name, HOLDER);
        if (world->bus_refuses)
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_LIMITS_EXCEEDED, "no");
        return sd_bus_reply_method_return(m, "b", !world->holder_gone);
}

static int on_stop_unit(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *unit, *mode;
        World *world = userdata;

        assert_ok(sd_bus_message_read(m, "ss", &unit, &mode));
        assert_eq_str(mode, "replace");
        snprintf(world->stopped, sizeof(world->stopped), "%s", unit);
        if (world->no_unit)
                return sd_bus_reply_method_errorf(
                        m, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not loaded.", unit);
        return sd_bus_reply_method_return(m, "o", "/org/freedesktop/systemd1/job/7");
}

static const sd_bus_vtable driver_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("NameHasOwner", "s", "b", on_name_has_owner, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable systemd_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("StopUnit", "ss", "o", on_stop_unit, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *text, *destination;
        World *world = userdata;
        uint64_t deadline = 0;

        if (!sd_bus_message_is_signal(m, IOMMUD_INTERFACE_LEASE, NULL))
                return 0;

        assert_eq_str(sd_bus_message_get_path(m), LEASE_PATH);
        destination = sd_bus_message_get_destination(m);
        assert_ok(sd_bus_message_read(m, "s", &text));
        if (sd_bus_message_is_signal(m, NULL, IOMMUD_SIGNAL_RELEASE_REQUESTED)) {
                assert_ok(sd_bus_message_read(m, "t", &deadline));
                world->holder_gone = world->holder_obeys;
        }
        snprintf(world->signal, sizeof(world->signal), "%s %s %s %llu", sd_bus_message_get_member(m),
                 destination ?: "everybody", text, (unsigned long long) deadline);
        return 0;
}

/* A lease of ALICE's, who came as HOLDER, or over no bus at all. */
static World *world_new(bool over_bus) {
        _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
        World *world = calloc(1, sizeof(*world));
        BusRig *rig = bus_rig_new();
        uint64_t lease;

        assert(world);
        world->rig = rig;
        scene_add(rig->scene, DEVICE, 1, "vfio-pci");
        bus_rig_commit(rig);

        assert_ok(sd_bus_add_object_vtable(rig->client, /* ret_slot= */ NULL, "/org/freedesktop/DBus",
                                           "org.freedesktop.DBus", driver_vtable, world));
        assert_ok(sd_bus_add_object_vtable(rig->client, /* ret_slot= */ NULL, "/org/freedesktop/systemd1",
                                           "org.freedesktop.systemd1.Manager", systemd_vtable, world));
        assert_ok(sd_bus_add_filter(rig->client, /* ret_slot= */ NULL, on_signal, world));

        call = bus_rig_message(rig, "Acquire");
        if (over_bus)
                assert_ok(sd_bus_message_set_sender(call, HOLDER));
        assert_ok(sd_bus_message_append(call, "asa{sv}", 1, DEVICE, 0));
        bus_rig_send(rig, call, &reply);
        bus_rig_take_fds(rig, reply, &lease, &world->client);
        return world;
}

static void world_free(World **world) {
        client_close(&(*world)->client);
        bus_rig_free((*world)->rig);
        free(*world);
}

#define _cleanup_world_ _cleanup_(world_free)

static sd_bus_message *call_request(World *world, const Subject *subject) {
        world->rig->subject = *subject;
        bus_rig_forget(world->rig);
        return bus_rig_call(world->rig, LEASE_PATH, IOMMUD_INTERFACE_LEASE, "Release", "a{sv}", 3, "request",
                            "b", 1, "deadline", "t", UINT64_C(1234567), "reason", "s", "reboot at noon");
}

static sd_bus_message *call_kill(World *world, const Subject *subject) {
        world->rig->subject = *subject;
        bus_rig_forget(world->rig);
        return bus_rig_call(world->rig, LEASE_PATH, IOMMUD_INTERFACE_LEASE, "Release", "a{sv}", 1, "kill",
                            "b", 1);
}

static void test_request(void) {
        _cleanup_world_ World *world = world_new(/* over_bus= */ true);
        _cleanup_message_ sd_bus_message *reply = NULL, *denied = NULL;

        denied = call_request(world, &BOB);
        assert_error(denied, IOMMUD_ERROR_DENIED, "belongs to uid 1000");
        assert_eq_str(world->signal, "");

        reply = call_request(world, &ROOT);
        assert_reply(reply, "");
        assert_eq_str(world->signal, "ReleaseRequested " HOLDER " reboot at noon 1234567");
        assert_eq_int(scene_lease(world->rig->scene, 1)->state, LEASE_ACTIVE);
}

/* It was there to hear it, and that it is gone at once is what it was asked for. */
static void test_request_obeyed(void) {
        _cleanup_world_ World *world = world_new(/* over_bus= */ true);
        _cleanup_message_ sd_bus_message *reply = NULL;

        world->holder_obeys = true;
        reply = call_request(world, &ROOT);
        assert_reply(reply, "");
        assert(world->holder_gone);
}

/* One that the policy ends: by when that is, in the clock of clients. */
static void test_expires(void) {
        _cleanup_world_ World *world = world_new(/* over_bus= */ true);
        Scene *s = world->rig->scene;
        static const char expected[] = "ReleaseRequested " HOLDER " its time is over";
        uint64_t now, deadline;

        now = bus_monotonic_usec();
        scene_lease(s, 1)->max_usec = 3000000;
        scene_lease(s, 1)->until_usec = bus_boottime_usec() + 1000000;
        manager_expire(s->manager, bus_boottime_usec(), &s->changes);
        bus_rig_commit(world->rig);
        assert_eq_int(strncmp(world->signal, expected, strlen(expected)), 0);
        assert_ok(parse_u64(strrchr(world->signal, ' ') + 1, &deadline));
        /* the two clocks are read one after the other */
        assert(deadline >= now && deadline <= bus_monotonic_usec() + 1000000);
        assert_eq_int(scene_lease(s, 1)->state, LEASE_ACTIVE);
}

static void assert_not_asked(const World *world) {
        assert_eq_str(world->signal, "");
        assert_eq_str(scene_lease(world->rig->scene, 1)->request_reason, "");
        assert_eq_str(scene_lease(world->rig->scene, 1)->reason, "");
}

/* Whoever asks is told that nobody would hear it, and nothing is changed. */
static void test_request_unheard(void) {
        {
                _cleanup_world_ World *world = world_new(/* over_bus= */ true);
                _cleanup_message_ sd_bus_message *reply = NULL;

                world->holder_gone = true;
                reply = call_request(world, &ROOT);
                assert_error(reply, IOMMUD_ERROR_NOT_SUPPORTED, "has left the bus");
                assert_not_asked(world);
        }
        {
                _cleanup_world_ World *world = world_new(/* over_bus= */ true);
                _cleanup_message_ sd_bus_message *reply = NULL;

                world->bus_refuses = true;
                reply = call_request(world, &ROOT);
                assert_error(reply, IOMMUD_ERROR_KERNEL_FAILED, "asking the bus for the holder");
                assert_not_asked(world);
        }
        {
                _cleanup_world_ World *world = world_new(/* over_bus= */ false);
                _cleanup_message_ sd_bus_message *reply = NULL;

                reply = call_request(world, &ROOT);
                assert_error(reply, IOMMUD_ERROR_NOT_SUPPORTED, "not acquired over the bus");
                assert_not_asked(world);
        }
        {
                /* the name was given on a bus that is not there any more, and is somebody else's on this */
                _cleanup_world_ World *world = world_new(/* over_bus= */ true);
                _cleanup_message_ sd_bus_message *reply = NULL;

                scene_lease(world->rig->scene, 1)->client[0] = 'f';
                reply = call_request(world, &ROOT);
                assert_error(reply, IOMMUD_ERROR_NOT_SUPPORTED, "has left the bus");
                assert_not_asked(world);
        }
}

static void test_hotplug(void) {
        _cleanup_world_ World *world = world_new(/* over_bus= */ true);

        scene_add(world->rig->scene, "0000:01:00.1", 1, "");
        bus_rig_commit(world->rig);
        assert_eq_str(world->signal, "GroupGrew " HOLDER " 0000:01:00.1 0");
        scene_unplug(world->rig->scene, DEVICE);
        bus_rig_commit(world->rig);
        assert_eq_str(world->signal, "DeviceGone " HOLDER " " DEVICE " 0");
}

/* The process 4711 of this control group has the device when its lease is killed. */
static World *world_killed(const char *cgroup, bool no_unit) {
        _cleanup_message_ sd_bus_message *reply = NULL, *denied = NULL;
        World *world = world_new(/* over_bus= */ true);
        FakeDevice *device = fake_kernel_find(world->rig->scene->kernel, DEVICE);

        world->no_unit = no_unit;
        fake_device_hold(device, 2, 4711, "vmm");
        strcpy(device->holders.items[0].cgroup, cgroup);
        denied = call_kill(world, &ALICE);
        assert_error(denied, IOMMUD_ERROR_DENIED, "Only root");
        assert_eq_int(scene_lease(world->rig->scene, 1)->state, LEASE_ACTIVE);

        reply = call_kill(world, &ROOT);
        assert_reply(reply, "");
        client_close(&world->client);
        bus_rig_run_tasks(world->rig);
        assert(!scene_lease(world->rig->scene, 1));
        return world;
}

static void test_kill(void) {
        static const struct {
                const char *cgroup;
                bool no_unit;
                const char *stopped;
                bool killed;
        } table[] = {
                { "/machine.slice/vm.scope/emulator", false, "vm.scope", false },
                { "/machine.slice/vm.scope/emulator", true, "vm.scope", true },
                { "/user.slice/user-1000.slice/session-1.scope", false, "", true },
                { "", false, "", true },
                { "/init.scope", false, "", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_world_ World *world = world_killed(table[i].cgroup, table[i].no_unit);

                assert_eq_str(world->stopped, table[i].stopped);
                assert_eq_int(strstr(world->rig->scene->kernel->journal, "kill_holder " DEVICE) != NULL,
                              table[i].killed);
        }
}

static void test_options(void) {
        _cleanup_world_ World *world = world_new(/* over_bus= */ true);
        _cleanup_message_ sd_bus_message *type = NULL, *both = NULL, *alone = NULL, *no = NULL;

        world->rig->subject = ROOT;
        type = bus_rig_call(world->rig, LEASE_PATH, IOMMUD_INTERFACE_LEASE, "Release", "a{sv}", 1,
                            "request", "s", "yes");
        assert_error(type, IOMMUD_ERROR_INVALID_OPTION, "\"request\" must be of type b");
        both = bus_rig_call(world->rig, LEASE_PATH, IOMMUD_INTERFACE_LEASE, "Release", "a{sv}", 2,
                            "request", "b", 1, "kill", "b", 1);
        assert_error(both, IOMMUD_ERROR_INVALID_OPTION, "not both");
        alone = bus_rig_call(world->rig, LEASE_PATH, IOMMUD_INTERFACE_LEASE, "Release", "a{sv}", 1,
                             "deadline", "t", UINT64_C(5));
        assert_error(alone, IOMMUD_ERROR_INVALID_OPTION, "belong to request");
        assert_eq_int(scene_lease(world->rig->scene, 1)->state, LEASE_ACTIVE);

        /* false is as if it were not there */
        no = bus_rig_call(world->rig, LEASE_PATH, IOMMUD_INTERFACE_LEASE, "Release", "a{sv}", 2, "request",
                          "b", 0, "kill", "b", 0);
        assert_reply(no, "");
        assert_eq_int(scene_lease(world->rig->scene, 1)->state, LEASE_DRAINING);
}

int main(void) {
        test_request();
        test_request_obeyed();
        test_expires();
        test_request_unheard();
        test_hotplug();
        test_kill();
        test_options();
        return 0;
}
