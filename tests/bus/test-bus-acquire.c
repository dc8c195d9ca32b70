/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Acquire over the bus: what is in the answer, when it comes, and what everybody else hears of it. */

#include <sys/stat.h>

#include "base/fd.h"
#include "bus-rig.h"
#include "fake/assert.h"
#include "fake/child.h"
#include "message-text.h"
#include "names.h"

static void test_reply(void) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_rig_ BusRig *rig = bus_rig_new();
        _cleanup_free_ char *details = NULL;
        uint64_t lease;
        Client client;
        struct stat st;

        scene_add(rig->scene, "0000:01:00.0", 12, "vfio-pci");
        bus_rig_commit(rig);
        bus_rig_forget(rig);

        reply = bus_rig_acquire(rig, "01:00.0");
        bus_rig_take_fds(rig, reply, &lease, &client);
        assert_eq_int(lease, 1);
        assert_eq_int(client.n_devices, 1);
        assert(fake_device_is_fd(fake_kernel_find(rig->scene->kernel, "0000:01:00.0"), client.devices[0]));
        assert_ok(fstat(client.lifeline, &st));
        assert(S_ISFIFO(st.st_mode));
        assert_ok(fstat(client.iommufd, &st));
        assert(S_ISREG(st.st_mode));

        details = message_text(reply);
        assert_eq_str(details, "{\"id\": <t 1>, \"mode\": <s \"vmm\">, \"groups\": <au [12]>, "
                               "\"devices\": <as [\"0000:01:00.0\"]>, \"companions\": <as []>, "
                               "\"accounting\": <s \"process\">}");
        assert_has(rig->scene->kernel->journal, "open_context process\n");

        /* whoever asked knows before anybody else */
        assert_eq_str(rig->received,
                      "reply\n"
                      "/org/iommud1 InterfacesAdded /org/iommud1/lease/1 Peer Introspectable Properties "
                      "org.iommud1.Lease\n"
                      "/org/iommud1/group/12 PropertiesChanged org.iommud1.Group DmaOwner Viable Blockers "
                      "Devices Lease Claim ClaimPersistent ClaimReason\n"
                      "/org/iommud1/device/_30000_3a01_3a00_2e0 PropertiesChanged org.iommud1.Device Serial "
                      "Driver DriverOverride OriginalDriver Lease Cdev IommuFeatures Quarantine\n");

        /* nobody but the client has any of it now */
        reply = sd_bus_message_unref(reply);
        assert_eq_int(fake_device_n_open(fake_kernel_find(rig->scene->kernel, "0000:01:00.0")), 1);
        bus_rig_watch(rig);
        assert_eq_int(scene_lease(rig->scene, 1)->state, LEASE_ACTIVE);
        client_close(&client);
        bus_rig_watch(rig);
        bus_rig_forget(rig);
        bus_rig_run_tasks(rig);
        assert(!scene_lease(rig->scene, 1));
        assert_has(rig->received,
                   "/org/iommud1 InterfacesRemoved /org/iommud1/lease/1 Peer Introspectable Properties "
                   "org.iommud1.Lease\n");
}

/* What has to be rebound first is answered later, and others are served meanwhile. */
static void test_two_pending(void) {
        for (TaskOrder order = 0; order < _TASK_ORDER_MAX; order++) {
                _cleanup_message_ sd_bus_message *a = NULL, *b = NULL, *refused = NULL, *list = NULL;
                _cleanup_rig_ BusRig *rig = bus_rig_new();
                uint64_t lease_a, lease_b;
                Client client_a, client_b;

                scene_add(rig->scene, "0000:01:00.0", 1, "nvme");
                scene_add(rig->scene, "0000:02:00.0", 2, "nvme");
                rig->scene->tasks.order = order;
                bus_rig_commit(rig);

                bus_rig_send_acquire(rig, "01:00.0", &a);
                bus_rig_send_acquire(rig, "02:00.0", &b);
                assert(!a && !b);
                refused = bus_rig_acquire(rig, "group:1");
                assert_error(refused, IOMMUD_ERROR_TAKEN, "lease 1 of uid 1000");
                list = bus_rig_call(rig, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "ListLeases", NULL);
                assert_reply(list, "a(oa{sv})");

                bus_rig_run_tasks(rig);
                assert(a && b);
                bus_rig_take_fds(rig, a, &lease_a, &client_a);
                bus_rig_take_fds(rig, b, &lease_b, &client_b);
                assert_eq_int(lease_a, 1);
                assert_eq_int(lease_b, 2);
                assert(fake_device_is_fd(fake_kernel_find(rig->scene->kernel, "0000:01:00.0"),
                                         client_a.devices[0]));
                assert(fake_device_is_fd(fake_kernel_find(rig->scene->kernel, "0000:02:00.0"),
                                         client_b.devices[0]));
                client_close(&client_a);
                client_close(&client_b);
        }
}

static void test_refused_late(void) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_rig_ BusRig *rig = bus_rig_new();
        Before before;

        scene_add(rig->scene, "0000:01:00.0", 1, "nvme")->refuses = "vfio-pci";
        bus_rig_commit(rig);
        scene_remember(rig->scene, &before);
        bus_rig_send_acquire(rig, "01:00.0", &reply);
        assert(!reply);
        bus_rig_forget(rig);
        bus_rig_run_tasks(rig);
        assert_error(reply, IOMMUD_ERROR_KERNEL_FAILED, "write vfio-pci/bind: Invalid argument (EINVAL)");
        assert_has(strstr(rig->received, "error " IOMMUD_ERROR_KERNEL_FAILED "\n") ?: "",
                   "/org/iommud1 InterfacesRemoved /org/iommud1/lease/1 Peer Introspectable Properties "
                   "org.iommud1.Lease\n");
        scene_assert_as_before(rig->scene, &before);
}

/* A refusal changes nothing, and nobody hears of it. */
static void test_refused(void) {
        static const struct {
                const char *selector;
                bool foreign;
                const char *error;
        } table[] = {
                { "66:00.0", false, IOMMUD_ERROR_DENIED },
                { "07:00.0", false, IOMMUD_ERROR_NO_SUCH_DEVICE },
                { "group:", false, IOMMUD_ERROR_INVALID_SELECTOR },
                { "00:1c.0", false, IOMMUD_ERROR_NOT_SUPPORTED },
                { "01:00.0", false, IOMMUD_ERROR_HOST_IN_USE },
        };
        _cleanup_rig_ BusRig *rig = bus_rig_new();

        scene_add(rig->scene, "0000:01:00.0", 1, "nvme");
        scene_add(rig->scene, FORBIDDEN, 66, "nvme");
        scene_add(rig->scene, "0000:00:1c.0", 3, "pcieport");
        scene_facts(rig->scene, "0000:00:1c.0")->bridge = true;
        rig->scene->host = (FakeHost) { .device = "0000:01:00.0", .use = "/" };
        bus_rig_commit(rig);

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;
                char expected[128];

                bus_rig_forget(rig);
                reply = bus_rig_acquire(rig, table[i].selector);
                assert_error(reply, table[i].error, "");
                snprintf(expected, sizeof(expected), "error %s\n", table[i].error);
                assert_eq_str(rig->received, expected);
                assert_eq_int(rig->scene->manager->leases.n_items, 0);
        }
}

/* Who it is has to be asked for first: the same call is dispatched again then, descriptors and all. */
static void test_identified_later(void) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_rig_ BusRig *rig = bus_rig_new();
        uint64_t lease;
        Client client;

        scene_add(rig->scene, "0000:01:00.0", 1, "vfio-pci");
        bus_rig_commit(rig);
        rig->identify = 0;
        bus_rig_send_acquire(rig, "01:00.0", &reply);
        assert(!reply && rig->asked);
        assert_eq_int(rig->scene->kernel->n_calls, 0);

        rig->identify = 1;
        assert_ok(sd_bus_message_rewind(rig->asked, /* complete= */ true));
        assert_ok(sd_bus_enqueue_for_read(rig->server_bus, rig->asked));
        bus_rig_process(rig);
        bus_rig_take_fds(rig, reply, &lease, &client);
        client_close(&client);
}

static void test_not_identified(void) {
        static const char *const members[] = { "Acquire", "Plan" };
        _cleanup_rig_ BusRig *rig = bus_rig_new();

        scene_add(rig->scene, "0000:01:00.0", 1, "vfio-pci");
        bus_rig_commit(rig);
        rig->identify = -EPERM;
        for (size_t i = 0; i < ELEMENTSOF(members); i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;

                reply = bus_rig_call(rig, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, members[i], "asa{sv}", 1,
                                     "01:00.0", 0);
                assert_error(reply, IOMMUD_ERROR_KERNEL_FAILED, "identifying the caller");
        }
        assert_eq_int(rig->scene->kernel->n_calls, 0);
}

/* The caller has gone when the answer is ready: it goes to nobody, and its lifeline with it. */
static void test_caller_vanished(void) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_rig_ BusRig *rig = bus_rig_new();
        Before before;

        scene_add(rig->scene, "0000:01:00.0", 1, "nvme");
        bus_rig_commit(rig);
        bus_rig_send_acquire(rig, "01:00.0", &reply);
        sd_bus_close(rig->client);
        bus_rig_process(rig);
        scene_remember(rig->scene, &before);
        strcpy(before.drivers, "0000:01:00.0=nvme/- ");

        bus_rig_run_tasks(rig);
        assert(!reply);
        bus_rig_watch(rig);
        bus_rig_run_tasks(rig);
        assert(!scene_lease(rig->scene, 1));
        before.n_fds = count_fds();
        scene_assert_as_before(rig->scene, &before);
}

/* Not even the first task can be started: nothing was done then, and the caller hears of it at once. */
static void test_no_worker(void) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_rig_ BusRig *rig = bus_rig_new();
        Before before;

        scene_add(rig->scene, "0000:01:00.0", 1, "nvme");
        scene_add(rig->scene, "0000:01:00.1", 1, "nvme");
        bus_rig_commit(rig);
        scene_remember(rig->scene, &before);
        rig->no_worker = true;
        reply = bus_rig_acquire(rig, "group:1");
        assert_error(reply, IOMMUD_ERROR_KERNEL_FAILED, "starting a child process");
        assert_has(rig->received, "InterfacesRemoved /org/iommud1/lease/1 Peer Introspectable Properties "
                                  "org.iommud1.Lease\n");
        scene_assert_as_before(rig->scene, &before);
}

/* The descriptors can't be put into the answer: the caller hears of that, and nothing stays with nobody. */
static void test_reply_fails(void) {
        for (int n_fds_left = 0; n_fds_left < 2; n_fds_left++) {
                _cleanup_message_ sd_bus_message *reply = NULL;
                _cleanup_rig_ BusRig *rig = bus_rig_new();
                Before before;

                scene_add(rig->scene, "0000:01:00.0", 1, "vfio-pci");
                bus_rig_commit(rig);
                scene_remember(rig->scene, &before);
                rig->n_fds_left = n_fds_left;
                reply = bus_rig_acquire(rig, "01:00.0");
                assert_error(reply, IOMMUD_ERROR_KERNEL_FAILED, "(EMFILE)");
                assert_eq_int(scene_lease(rig->scene, 1)->state, LEASE_DRAINING);
                assert_eq_str(scene_lease(rig->scene, 1)->end_cause, "its caller could not be answered");

                rig->n_fds_left = -1;
                bus_rig_run_tasks(rig);
                scene_assert_as_before(rig->scene, &before);
        }
}

/* The same with a holder, which lives on and knows of nothing. */
static void test_reply_fails_for_holder(void) {
        _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
        _cleanup_(child_done) Child holder = CHILD_INIT;
        _cleanup_rig_ BusRig *rig = bus_rig_new();

        if (!child_start(&holder, /* flags= */ 0))
                return;

        scene_add(rig->scene, "0000:01:00.0", 1, "vfio-pci");
        bus_rig_commit(rig);
        rig->n_fds_left = 0;
        call = bus_rig_message(rig, "Acquire");
        assert_ok(sd_bus_message_append(call, "asa{sv}", 1, "01:00.0", 1, "holder", "h", holder.pidfd));
        bus_rig_send(rig, call, &reply);
        assert_error(reply, IOMMUD_ERROR_KERNEL_FAILED, "(EMFILE)");
        rig->n_fds_left = -1;
        bus_rig_run_tasks(rig);
        assert(!scene_lease(rig->scene, 1));
}

int main(void) {
        test_reply();
        test_two_pending();
        test_refused_late();
        test_refused();
        test_identified_later();
        test_not_identified();
        test_caller_vanished();
        test_no_worker();
        test_reply_fails();
        test_reply_fails_for_holder();
        return 0;
}
