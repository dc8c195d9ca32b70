/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is in the context of a lease, on the bus: options, methods, answers that come when a task is done,
 * and what is refused.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "bus-rig.h"
#include "fake/assert.h"
#include "message-text.h"
#include "names.h"

#define PATH IOMMUD_PATH_LEASE "/1"
#define DEVICE "0000:01:00.0"

/* A lease of this mode, with these options of its first domain. The answer is the caller's. */
static sd_bus_message *acquire(BusRig *rig, const char *mode, const char *types, ...) {
        _cleanup_message_ sd_bus_message *call = bus_rig_message(rig, "Acquire");
        sd_bus_message *reply;
        va_list ap;

        assert_ok(sd_bus_message_append(call, "as", 1, DEVICE));
        assert_ok(sd_bus_message_open_container(call, 'a', "{sv}"));
        assert_ok(sd_bus_message_append(call, "{sv}", IOMMUD_OPTION_MODE, "s", mode));
        assert_ok(sd_bus_message_open_container(call, 'e', "sv"));
        assert_ok(sd_bus_message_append(call, "s", IOMMUD_OPTION_DOMAIN));
        assert_ok(sd_bus_message_open_container(call, 'v', "a{sv}"));
        va_start(ap, types);
        assert_ok(sd_bus_message_appendv(call, types, ap));
        va_end(ap);
        for (unsigned i = 0; i < 3; i++)
                assert_ok(sd_bus_message_close_container(call));

        bus_rig_send(rig, call, &reply);
        bus_rig_run_tasks(rig);
        assert(reply);
        return reply;
}

#define call(rig, member, ...) bus_rig_call(rig, PATH, IOMMUD_INTERFACE_LEASE, member, __VA_ARGS__)

static void test_confined(void) {
        _cleanup_message_ sd_bus_message *acquired = NULL, *map = NULL, *state = NULL, *unmap = NULL;
        BusRig *rig = bus_rig_new();
        _cleanup_close_ int memory = -EBADF;
        uint64_t lease, iova, n;
        Client client;

        scene_add(rig->scene, DEVICE, 1, "vfio-pci");
        bus_rig_commit(rig);
        acquired = acquire(rig, "confined", "a{sv}", 1, "iova_windows", "a(tt)", 1, UINT64_C(0x100000),
                           UINT64_C(0x1fffff));
        bus_rig_take_fds(rig, acquired, &lease, &client);
        assert(client.iommufd < 0);

        memory = assert_ok(memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        assert_ok(ftruncate(memory, 8192));
        assert_ok(fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK));
        map = call(rig, "MapFile", "thtta{sv}", UINT64_C(1), memory, UINT64_C(0), UINT64_C(8192), 0);
        assert_reply(map, "t");
        assert_ok(sd_bus_message_read(map, "t", &iova));
        assert_eq_int(iova, 0x100000);
        assert(fake_device_reaches(rig->scene->kernel, fake_kernel_find(rig->scene->kernel, DEVICE),
                                   PASID_NONE, 0x101fff));

        state = call(rig, "DmaState", NULL);
        assert_reply(state, "aa{sv}aa{sv}aa{sv}aa{sv}");

        unmap = call(rig, "Unmap", "ttt", UINT64_C(1), UINT64_C(0), UINT64_MAX);
        assert_reply(unmap, "t");
        assert_ok(sd_bus_message_read(unmap, "t", &n));
        assert_eq_int(n, 8192);

        client_close(&client);
        bus_rig_watch(rig);
        bus_rig_run_tasks(rig);
        bus_rig_free(rig);
}

/* An attach is done by a task: the answer comes when that has ended, and others are answered meanwhile. */
static void test_deferred(void) {
        _cleanup_message_ sd_bus_message *acquired = NULL, *message = NULL, *attach = NULL, *info = NULL,
                                         *ioas = NULL;
        _cleanup_free_ char *text = NULL;
        BusRig *rig = bus_rig_new();
        uint64_t lease;
        Client client;

        scene_add(rig->scene, DEVICE, 1, "vfio-pci");
        bus_rig_commit(rig);
        acquired = acquire(rig, "attached", "a{sv}", 1, "pasid", "b", 1);
        bus_rig_take_fds(rig, acquired, &lease, &client);

        assert_ok(sd_bus_message_new_method_call(rig->client, &message, NULL, PATH, IOMMUD_INTERFACE_LEASE,
                                                 "Attach"));
        assert_ok(sd_bus_message_append(message, "sta{sv}", DEVICE, UINT64_C(2), 1, "any_pasid", "b", 1));
        bus_rig_send(rig, message, &attach);
        assert(!attach);
        info = call(rig, "HwInfo", "s", DEVICE);
        assert_reply(info, "a{sv}");
        text = message_text(info);
        assert_eq_str(text,
                      "{\"iommu\": <s \"dmar0\">, \"emulated\": <b false>, \"driver\": <s \"intel-vtd\">, "
                      "\"hitless\": <b false>, \"dirty_tracking\": <b true>, \"nesting\": <b true>, "
                      "\"viommu\": <b false>, \"pasids\": <u 15>, \"pasid_execute\": <b false>, "
                      "\"pasid_privileged\": <b false>, \"aperture\": <(tt) (0, 281474976710655)>, "
                      "\"page_size\": <t 4096>, \"page_sizes\": <t 2101248>, \"type\": <u 1>, "
                      "\"data\": <ay []>}");
        assert(!attach);

        bus_rig_run_tasks(rig);
        assert(attach);
        assert_reply(attach, "a{sv}");
        assert_eq_int(fake_device_target(fake_kernel_find(rig->scene->kernel, DEVICE), 1),
                      fake_device_target(fake_kernel_find(rig->scene->kernel, DEVICE), PASID_NONE));

        ioas = call(rig, "AllocIoas", "a{sv}", 0);
        assert_reply(ioas, "ta{sv}");

        client_close(&client);
        bus_rig_watch(rig);
        bus_rig_run_tasks(rig);
        bus_rig_free(rig);
}

/* What is the driver's passes through, there and back. */
static void test_virtual(void) {
        _cleanup_message_ sd_bus_message *acquired = NULL, *message = NULL, *viommu = NULL, *vdevice = NULL,
                                         *queue = NULL, *none = NULL, *deep = NULL, *state = NULL;
        _cleanup_free_ char *made = NULL, *seen = NULL, *events = NULL;
        static const uint8_t data[] = { 1, 2 };
        BusRig *rig = bus_rig_new();
        uint64_t lease;
        Client client;

        scene_add(rig->scene, DEVICE, 1, "vfio-pci")->info.has |= 1U << IOMMU_FEATURE_VIOMMU;
        bus_rig_commit(rig);
        acquired = acquire(rig, "attached", "a{sv}", 1, "kind", "s", "nest-parent");
        bus_rig_take_fds(rig, acquired, &lease, &client);

        assert_ok(sd_bus_message_new_method_call(rig->client, &message, NULL, PATH, IOMMUD_INTERFACE_LEASE,
                                                 "AllocViommu"));
        assert_ok(sd_bus_message_append(message, "st", DEVICE, UINT64_C(2)));
        assert_ok(sd_bus_message_append(
                message, "a{sv}", 2, "type", "u", 7, "data", "ay", 2, data[0], data[1]));
        bus_rig_send(rig, message, &viommu);
        bus_rig_run_tasks(rig);
        assert_reply(viommu, "ta{sv}");
        made = message_text(viommu);
        assert_has(made, "\"data\": <ay [254, 253]>");

        message = sd_bus_message_unref(message);
        assert_ok(sd_bus_message_new_method_call(rig->client, &message, NULL, PATH, IOMMUD_INTERFACE_LEASE,
                                                 "AllocVdevice"));
        assert_ok(sd_bus_message_append(message, "stt", DEVICE, UINT64_C(3), UINT64_C(0x300)));
        bus_rig_send(rig, message, &vdevice);
        bus_rig_run_tasks(rig);
        assert_reply(vdevice, "ta{sv}");
        queue = call(rig, "AllocVeventq", "ta{sv}", UINT64_C(3), 1, "type", "u", 9);
        assert_reply(queue, "ta{sh}a{sv}");
        events = message_text(queue);
        assert_has(events, "event-queue");
        assert_has(rig->scene->kernel->journal, "alloc_veventq 64");

        none = call(rig, "AllocVeventq", "ta{sv}", UINT64_C(3), 0);
        assert_error(none, IOMMUD_ERROR_INVALID_OPTION, "\"type\" says what is wanted");
        deep = call(rig, "AllocVeventq", "ta{sv}", UINT64_C(3), 2, "type", "u", 9, "depth", "u", 524289);
        assert_error(deep, IOMMUD_ERROR_INVALID_OPTION, "holds 1 to 524288 events");

        state = call(rig, "DmaState", NULL);
        seen = message_text(state);
        assert_has(seen, "{\"handle\": <t 4>, \"kind\": <s \"vdevice\">, \"parent\": <t 3>, "
                         "\"iommu\": <s \"dmar0\">, \"device\": <s \"" DEVICE "\">, \"type\": <u 0>, "
                         "\"number\": <t 768>}");

        client_close(&client);
        bus_rig_watch(rig);
        bus_rig_run_tasks(rig);
        bus_rig_free(rig);
}

/* With the queue of the first domain, in both modes. */
static void test_fault_queue(const char *mode) {
        _cleanup_message_ sd_bus_message *acquired = NULL;
        BusRig *rig = bus_rig_new();
        unsigned n_queues = 0;
        const char *role;
        uint64_t lease;
        Client client;
        int fd;

        scene_add(rig->scene, DEVICE, 1, "vfio-pci");
        bus_rig_commit(rig);
        acquired = acquire(rig, mode, "a{sv}", 1, "fault_queue", "b", 1);
        bus_rig_take_fds(rig, acquired, &lease, &client);

        assert_ok(sd_bus_message_rewind(acquired, /* complete= */ true));
        assert_ok(sd_bus_message_skip(acquired, "o"));
        assert_ok(sd_bus_message_enter_container(acquired, 'a', "{sh}"));
        while (assert_ok(sd_bus_message_read(acquired, "{sh}", &role, &fd)) > 0)
                n_queues += strcmp(role, IOMMUD_FD_FAULT_QUEUE_PREFIX "2") == 0 && fd >= 0;
        assert_eq_int(n_queues, 1);

        client_close(&client);
        bus_rig_watch(rig);
        bus_rig_run_tasks(rig);
        bus_rig_free(rig);
}

static void test_refused(void) {
        BusRig *rig = bus_rig_new();
        uint64_t lease;
        Client client;

        scene_add(rig->scene, DEVICE, 1, "vfio-pci");
        bus_rig_commit(rig);

        {
                _cleanup_message_ sd_bus_message *a = acquire(rig, "vmm", "a{sv}", 0);
                _cleanup_message_ sd_bus_message *b = acquire(rig, "attached", "a{sv}", 1, "no", "b", 1);
                _cleanup_message_ sd_bus_message *c =
                        acquire(rig, "attached", "a{sv}", 1, "kind", "s", "nested");
                _cleanup_message_ sd_bus_message *d =
                        acquire(rig, "attached", "a{sv}", 1, "pasid", "s", "yes");

                assert_error(a, IOMMUD_ERROR_INVALID_OPTION, "In mode vmm the client makes the domains");
                assert_error(b, IOMMUD_ERROR_INVALID_OPTION, "There is no option \"no\"");
                assert_error(c, IOMMUD_ERROR_INVALID_OPTION, "can't be nested");
                assert_error(d, IOMMUD_ERROR_INVALID_OPTION, "must be of type b");
        }

        {
                _cleanup_message_ sd_bus_message *acquired = acquire(rig, "attached", "a{sv}", 0);

                bus_rig_take_fds(rig, acquired, &lease, &client);
        }
        {
                _cleanup_message_ sd_bus_message *a = call(rig, "Revoke", "a{sv}", 0);
                _cleanup_message_ sd_bus_message *b = call(rig, "Destroy", "t", UINT64_C(99));
                _cleanup_message_ sd_bus_message *c = call(rig, "Destroy", "t", UINT64_C(2));
                _cleanup_message_ sd_bus_message *d = call(rig, "Attach", "sta{sv}", DEVICE, UINT64_C(2), 1,
                                                           "pasid", "u", 0);
                _cleanup_message_ sd_bus_message *e = call(rig, "Detach", "sa{sv}", "no such device", 0);

                assert_error(a, IOMMUD_ERROR_NOT_SUPPORTED, "has the iommufd itself");
                assert_error(b, IOMMUD_ERROR_NO_SUCH_OBJECT, "has nothing of the number");
                assert_error(c, IOMMUD_ERROR_IN_USE, "is in use");
                assert_error(d, IOMMUD_ERROR_INVALID_OPTION, "PASIDs begin with 1");
                assert_error(e, IOMMUD_ERROR_NO_SUCH_DEVICE, "has no device");
        }
        rig->subject = BOB;
        {
                _cleanup_message_ sd_bus_message *a = call(rig, "AllocIoas", "a{sv}", 0);
                _cleanup_message_ sd_bus_message *b = call(rig, "DmaState", NULL);

                assert_error(a, IOMMUD_ERROR_DENIED, "belongs to uid 1000");
                assert_error(b, IOMMUD_ERROR_DENIED, "belongs to uid 1000");
        }

        client_close(&client);
        bus_rig_watch(rig);
        bus_rig_run_tasks(rig);
        bus_rig_free(rig);
}

int main(void) {
        test_confined();
        test_deferred();
        test_virtual();
        test_fault_queue("attached");
        test_fault_queue("confined");
        test_refused();
        return EXIT_SUCCESS;
}
