/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plan, Release and Reload over the bus. */

#include "bus-rig.h"
#include "fake/assert.h"
#include "message-text.h"
#include "names.h"

static sd_bus_message *call_release(BusRig *rig, const char *path) {
        return bus_rig_call(rig, path, IOMMUD_INTERFACE_LEASE, "Release", "a{sv}", 0);
}

static void assert_plan(BusRig *rig, const char *selector, const char *expected) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_free_ char *text = NULL;

        reply = bus_rig_call(rig, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "Plan", "asa{sv}", 1, selector, 0);
        assert_reply(reply, "baa{sv}");
        text = message_text(reply);
        assert_eq_str(text, expected);
}

static void test_plan(void) {
        _cleanup_rig_ BusRig *rig = bus_rig_new();

        scene_add(rig->scene, "0000:01:00.0", 1, "nvme");
        scene_add(rig->scene, "0000:01:00.1", 1, "");
        scene_add(rig->scene, FORBIDDEN, 66, "nvme");
        bus_rig_commit(rig);
        bus_rig_forget(rig);

        assert_plan(rig, "01:00.0",
                    "true [{\"action\": <s \"rebind\">, \"device\": <s \"0000:01:00.0\">, "
                    "\"driver\": <s \"nvme\">, \"target\": <s \"vfio-pci\">}, "
                    "{\"action\": <s \"open\">, \"device\": <s \"0000:01:00.0\">, "
                    "\"driver\": <s \"nvme\">}, "
                    "{\"action\": <s \"keep\">, \"device\": <s \"0000:01:00.1\">, \"driver\": <s \"\">}]");
        assert_plan(rig, "66:00.0",
                    "false [{\"action\": <s \"blocked\">, \"device\": <s \"" FORBIDDEN "\">, "
                    "\"driver\": <s \"nvme\">, \"reason\": <s \"Denied\">, \"text\": "
                    "<s \"uid 1000 may not have " FORBIDDEN ": test.json: rules[0] denies it\">}]");
        assert_eq_str(rig->received, "reply\nreply\n");
        assert_eq_int(rig->scene->manager->leases.n_items, 0);
        assert_eq_int(task_runner_take(&rig->scene->tasks), 0);

        /* what it found out by the way is news for everybody, after the answer */
        rig->scene->kernel->foreign = 2;
        scene_add(rig->scene, "0000:02:00.0", 2, "vfio-pci");
        bus_rig_commit(rig);
        bus_rig_forget(rig);
        assert_plan(rig, "02:00.0",
                    "false [{\"action\": <s \"open\">, \"device\": <s \"0000:02:00.0\">, "
                    "\"driver\": <s \"vfio-pci\">}, "
                    "{\"action\": <s \"blocked\">, \"device\": <s \"0000:02:00.0\">, "
                    "\"driver\": <s \"vfio-pci\">, \"reason\": <s \"Taken\">, "
                    "\"text\": <s \"Group 2 is in use by another program that iommud did not give it to: "
                    "\"fuser -v /dev/vfio/2 /dev/vfio/devices/*\" finds it\">}]");
        assert_eq_str(rig->received,
                      "reply\n/org/iommud1/group/2 PropertiesChanged org.iommud1.Group DmaOwner Viable "
                      "Blockers Devices Lease Claim ClaimPersistent ClaimReason\n");
}

static void test_release(void) {
        static const struct {
                const Subject *subject;
                const char *error;
        } table[] = {
                { &BOB, IOMMUD_ERROR_DENIED },
                { &CONTAINER_ROOT, IOMMUD_ERROR_DENIED },
                { &ALICE, NULL },
                { &ROOT, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_message_ sd_bus_message *acquired = NULL, *reply = NULL, *gone = NULL;
                _cleanup_rig_ BusRig *rig = bus_rig_new();
                uint64_t lease;
                Client client;

                scene_add(rig->scene, "0000:01:00.0", 1, "vfio-pci");
                bus_rig_commit(rig);
                acquired = bus_rig_acquire(rig, "01:00.0");
                bus_rig_take_fds(rig, acquired, &lease, &client);
                acquired = sd_bus_message_unref(acquired);
                client_close(&client);
                bus_rig_forget(rig);

                rig->subject = *table[i].subject;
                reply = call_release(rig, "/org/iommud1/lease/1");
                if (table[i].error) {
                        assert_error(reply, table[i].error, "belongs to uid 1000");
                        assert_eq_int(scene_lease(rig->scene, 1)->state, LEASE_ACTIVE);
                        assert_eq_str(rig->received, "error " IOMMUD_ERROR_DENIED "\n");
                        continue;
                }

                assert_reply(reply, "");
                assert_eq_int(scene_lease(rig->scene, 1)->state, LEASE_DRAINING);
                assert_eq_str(rig->received,
                              "reply\n"
                              "/org/iommud1/lease/1 PropertiesChanged org.iommud1.Lease State StateReason "
                              "Holders Devices Companions Groups Revoked\n");
                bus_rig_run_tasks(rig);
                gone = call_release(rig, "/org/iommud1/lease/1");
                assert_error(gone, SD_BUS_ERROR_UNKNOWN_OBJECT, "");
        }
}

static void test_release_wrong(void) {
        _cleanup_message_ sd_bus_message *option = NULL, *unknown = NULL, *nobody = NULL;
        _cleanup_rig_ BusRig *rig = bus_rig_new();

        scene_add(rig->scene, "0000:01:00.0", 1, "vfio-pci");
        scene_grant(rig->scene, &ALICE, "01:00.0");
        bus_rig_commit(rig);

        option = bus_rig_call(rig, "/org/iommud1/lease/1", IOMMUD_INTERFACE_LEASE, "Release", "a{sv}", 1,
                              "force", "b", 1);
        assert_error(option, IOMMUD_ERROR_INVALID_OPTION, "There is no option \"force\"");
        unknown = call_release(rig, "/org/iommud1/lease/2");
        assert_error(unknown, SD_BUS_ERROR_UNKNOWN_OBJECT, "");
        rig->identify = -ENODATA;
        nobody = call_release(rig, "/org/iommud1/lease/1");
        assert_error(nobody, IOMMUD_ERROR_KERNEL_FAILED, "identifying the caller");
        assert_eq_int(scene_lease(rig->scene, 1)->state, LEASE_ACTIVE);
}

/* The lease is released, and has gone, while its second caller is being identified. */
static void test_release_twice(void) {
        _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
        _cleanup_rig_ BusRig *rig = bus_rig_new();

        scene_add(rig->scene, "0000:01:00.0", 1, "vfio-pci");
        scene_grant(rig->scene, &ALICE, "01:00.0");
        bus_rig_commit(rig);

        rig->identify = 0;
        assert_ok(sd_bus_message_new_method_call(rig->client, &call, /* destination= */ NULL,
                                                 "/org/iommud1/lease/1", IOMMUD_INTERFACE_LEASE, "Release"));
        assert_ok(sd_bus_message_append(call, "a{sv}", 0));
        bus_rig_send(rig, call, &reply);
        assert(!reply);

        lease_close(scene_lease(rig->scene, 1));
        bus_rig_watch(rig);
        bus_rig_run_tasks(rig);
        rig->identify = 1;
        assert_ok(sd_bus_message_rewind(rig->asked, /* complete= */ true));
        assert_ok(sd_bus_enqueue_for_read(rig->server_bus, rig->asked));
        bus_rig_process(rig);
        assert_error(reply, SD_BUS_ERROR_UNKNOWN_OBJECT, "");
}

/* An Acquire whose lease is ended while it is prepared has its own answer. */
static void test_release_while_preparing(void) {
        _cleanup_message_ sd_bus_message *acquired = NULL, *released = NULL;
        _cleanup_rig_ BusRig *rig = bus_rig_new();

        scene_add(rig->scene, "0000:01:00.0", 1, "nvme");
        bus_rig_commit(rig);
        bus_rig_send_acquire(rig, "01:00.0", &acquired);
        released = call_release(rig, "/org/iommud1/lease/1");
        assert_reply(released, "");
        assert(!acquired);
        bus_rig_run_tasks(rig);
        assert_error(acquired, IOMMUD_ERROR_DRAINING, "uid 1000 released it");
}

static void test_reload(void) {
        static const struct {
                const Subject *subject;
                int reload;
                const char *error, *part;
        } table[] = {
                { &ALICE, 0, IOMMUD_ERROR_DENIED, "Only root" },
                { &CONTAINER_ROOT, 0, IOMMUD_ERROR_DENIED, "was not proved to be this host's root" },
                { &ROOT, 0, NULL, NULL },
                { &ROOT, -EINVAL, IOMMUD_ERROR_INVALID_POLICY,
                  "The policy in force stays: 50-test.json:3: no such key" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;
                _cleanup_rig_ BusRig *rig = bus_rig_new();

                rig->subject = *table[i].subject;
                rig->reload = table[i].reload;
                reply = bus_rig_call(rig, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "Reload", NULL);
                if (table[i].error)
                        assert_error(reply, table[i].error, table[i].part);
                else
                        assert_reply(reply, "");
                assert_eq_int(rig->n_reloads, table[i].subject == &ROOT);
        }
}

int main(void) {
        test_plan();
        test_release();
        test_release_wrong();
        test_release_twice();
        test_release_while_preparing();
        test_reload();
        return 0;
}
