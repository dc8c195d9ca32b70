/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who still has the devices of a lease that has ended. */

#include "base/cgroup-unit.h"
#include "base/fd.h"
#include "bus-rig.h"
#include "bus/unit-end.h"
#include "fake/assert.h"
#include "names.h"

#define LEASE_PATH IOMMUD_PATH_LEASE "/1"

static void test_unit(void) {
        static const struct {
                const char *cgroup, *unit, *slice;
        } cases[] = {
                { "/system.slice/libvirtd.service", "libvirtd.service", "system.slice" },
                { "/machine.slice/machine-qemu\\x2d1.scope/libvirt/emulator", "machine-qemu\\x2d1.scope",
                  "machine.slice" },
                { "/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "user-1000.slice" },
                { "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", "user@1000.service",
                  "user-1000.slice" },
                { "/init.scope", "init.scope", "-.slice" },
                { "/_odd.service", "odd.service", "-.slice" },
                { "/_memory.slice/_pids.service", "pids.service", "memory.slice" },
                { "/docker/0123456789abcdef", "", "-.slice" },
                { "/docker/0123456789abcdef/system.slice/inner.service", "", "-.slice" },
                { "/system.slice", "", "system.slice" },
                { "//system.slice//", "", "system.slice" },
                { "/.service", "", "-.slice" },
                { "/_.service", "", "-.slice" },
                { "/.slice/_", "", "-.slice" },
                { "/_", "", "-.slice" },
                { "/", "", "-.slice" },
                { "", "", "-.slice" },
        };
        char unit[64], slice[64];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                cgroup_get_unit(cases[i].cgroup, unit, sizeof(unit));
                assert_eq_str(unit, cases[i].unit);
                cgroup_get_slice(cases[i].cgroup, slice, sizeof(slice));
                assert_eq_str(slice, cases[i].slice);
        }

        /* half a name is another one's */
        cgroup_get_unit("/system.slice/libvirtd.service", unit, 16);
        assert_eq_str(unit, "");
        cgroup_get_slice("/system.slice/libvirtd.service", slice, 12);
        assert_eq_str(slice, "");
}

/* What is ended for one of its processes, when root has said that holders are to be ended. */
static void test_end(void) {
        static const char own[] = "/system.slice/iommud.service";
        static const struct {
                const char *cgroup;
                UnitEnd end;
        } cases[] = {
                { "/system.slice/vm.service", UNIT_END_UNIT },
                { "/machine.slice/machine-qemu\\x2d1.scope/libvirt/emulator", UNIT_END_UNIT },
                { "/machine.slice/libpod-0123.scope/container/system.slice/inner.service", UNIT_END_UNIT },
                { "/machine.slice/systemd-nspawn@one.service/payload", UNIT_END_UNIT },

                { "/user.slice/user-1000.slice/session-3.scope", UNIT_END_PROCESS },
                { "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", UNIT_END_PROCESS },
                { "/docker/0123456789abcdef", UNIT_END_PROCESS },
                { "/system.slice/data.mount", UNIT_END_PROCESS },
                { "/", UNIT_END_PROCESS },
                { "", UNIT_END_PROCESS },

                { "/init.scope", UNIT_END_NOT },
                { "/user.slice/user-1000.slice/user@1000.service/init.scope", UNIT_END_NOT },
                { "/system.slice/iommud.service", UNIT_END_NOT },
                { "/system.slice/dbus.service", UNIT_END_NOT },
                { "/system.slice/dbus-broker.service", UNIT_END_NOT },
                { "/system.slice/systemd-logind.service", UNIT_END_NOT },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (cgroup_get_end(cases[i].cgroup, own) != cases[i].end)
                        assert_failed(__FILE__, __LINE__, cases[i].cgroup, "gave %d",
                                      (int) cgroup_get_end(cases[i].cgroup, own));

        /* who is in no unit is not therefore one of us, who may be in none either */
        assert_eq_int(cgroup_get_end("/", "/"), UNIT_END_PROCESS);
}

static sd_bus_message *get_holders(BusRig *rig) {
        sd_bus_message *reply;

        reply = bus_rig_call(rig, LEASE_PATH, "org.freedesktop.DBus.Properties", "Get", "ss",
                             IOMMUD_INTERFACE_LEASE, "Holders");
        assert_reply(reply, "v");
        assert_ok(sd_bus_message_enter_container(reply, 'v', "a(usss)"));
        assert_ok(sd_bus_message_enter_container(reply, 'a', "(usss)"));
        return reply;
}

static void assert_no_more(sd_bus_message *reply) {
        assert_ok(sd_bus_message_exit_container(reply));
        assert_ok(sd_bus_message_exit_container(reply));
        sd_bus_message_unref(reply);
}

static void assert_holder(sd_bus_message *reply, uint32_t pid, const char *comm, const char *unit,
                          const char *cgroup) {
        const char *c, *u, *g;
        uint32_t p;

        assert_eq_int(assert_ok(sd_bus_message_read(reply, "(usss)", &p, &c, &u, &g)), 1);
        assert_eq_int(p, pid);
        assert_eq_str(c, comm);
        assert_eq_str(u, unit);
        assert_eq_str(g, cgroup);
}

static void test_property(void) {
        _cleanup_rig_ BusRig *rig = bus_rig_new();
        FakeDevice *first, *second;
        sd_bus_message *reply;
        uint64_t lease;
        Client client;

        first = scene_add(rig->scene, "0000:01:00.0", 1, "vfio-pci");
        second = scene_add(rig->scene, "0000:02:00.0", 2, "vfio-pci");
        bus_rig_commit(rig);
        reply = bus_rig_acquire(rig, "8086:10d3");
        bus_rig_take_fds(rig, reply, &lease, &client);
        sd_bus_message_unref(reply);
        assert_no_more(get_holders(rig));

        /* one process has both devices */
        fake_device_hold(first, 1, 4711, "qemu-system-x86");
        strcpy(first->holders.items[0].cgroup, "/machine.slice/vm.scope/emulator");
        fake_device_hold(second, 1, 4711, "qemu-system-x86");
        second->holders = first->holders;
        second->holders.items[1] = (Holder) { .pid = 4712, .comm = "worker" };
        second->holders.n_items = 2;
        client_close(&client);
        bus_rig_watch(rig);
        bus_rig_forget(rig);
        assert(task_runner_step(&rig->scene->tasks, &rig->scene->changes));
        bus_rig_commit(rig);
        assert_has(rig->received, LEASE_PATH " PropertiesChanged " IOMMUD_INTERFACE_LEASE);
        assert(task_runner_step(&rig->scene->tasks, &rig->scene->changes));
        bus_rig_commit(rig);

        reply = get_holders(rig);
        assert_holder(reply, 4711, "qemu-system-x86", "vm.scope", "/machine.slice/vm.scope/emulator");
        assert_holder(reply, 4712, "worker", "", "");
        assert_no_more(reply);
        bus_rig_run_tasks(rig);
        assert(!scene_lease(rig->scene, lease));
}

int main(void) {
        test_unit();
        test_end();
        test_property();
        return 0;
}
