/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changes as signals: whoever follows them knows what there is. */

#include "bus-rig.h"
#include "fake/assert.h"
#include "names.h"

#define DEVICE "/org/iommud1/device/_30000_3a01_3a00_2e0"
#define DEVICE_CHANGED                                                                                      \
        DEVICE " PropertiesChanged org.iommud1.Device Serial Driver DriverOverride OriginalDriver Lease "   \
        "Cdev IommuFeatures Quarantine\n"
#define GROUP_CHANGED(id)                                                                                   \
        "/org/iommud1/group/" id " PropertiesChanged org.iommud1.Group DmaOwner Viable Blockers Devices "   \
        "Lease Claim ClaimPersistent ClaimReason\n"
#define LEASE_CHANGED                                                                                       \
        "/org/iommud1/lease/1 PropertiesChanged org.iommud1.Lease State StateReason Holders Devices "       \
        "Companions Groups Revoked\n"
#define ADDED(path, interface)                                                                              \
        "/org/iommud1 InterfacesAdded " path " Peer Introspectable Properties " interface "\n"
#define REMOVED(path, interface)                                                                            \
        "/org/iommud1 InterfacesRemoved " path " Peer Introspectable Properties " interface "\n"

static void assert_received(BusRig *rig, const char *expected) {
        bus_rig_forget(rig);
        bus_rig_commit(rig);
        assert_eq_str(rig->received, expected);
}

static void test_hotplug(void) {
        _cleanup_rig_ BusRig *rig = bus_rig_new();

        scene_add(rig->scene, "0000:01:00.0", 1, "nvme");
        assert_received(rig, ADDED("/org/iommud1/group/1", IOMMUD_INTERFACE_GROUP)
                             ADDED(DEVICE, IOMMUD_INTERFACE_DEVICE));

        scene_add(rig->scene, "0000:01:00.0", 1, "ahci");
        assert_received(rig, DEVICE_CHANGED GROUP_CHANGED("1"));

        scene_unplug(rig->scene, "0000:01:00.0");
        assert_received(rig, REMOVED(DEVICE, IOMMUD_INTERFACE_DEVICE)
                             REMOVED("/org/iommud1/group/1", IOMMUD_INTERFACE_GROUP));
        assert_received(rig, "");
}

static void test_renumber(void) {
        _cleanup_rig_ BusRig *rig = bus_rig_new();

        scene_add(rig->scene, "0000:01:00.0", 1, "nvme");
        bus_rig_commit(rig);
        scene_add(rig->scene, "0000:01:00.0", 2, "nvme");
        assert_received(rig, ADDED("/org/iommud1/group/2", IOMMUD_INTERFACE_GROUP)
                             REMOVED(DEVICE, IOMMUD_INTERFACE_DEVICE)
                             REMOVED("/org/iommud1/group/1", IOMMUD_INTERFACE_GROUP)
                             ADDED(DEVICE, IOMMUD_INTERFACE_DEVICE));
}

/* What came and went before anybody was told of it: its end at most. */
static void test_came_and_went(void) {
        _cleanup_rig_ BusRig *rig = bus_rig_new();

        scene_add(rig->scene, "0000:01:00.0", 1, "nvme");
        scene_unplug(rig->scene, "0000:01:00.0");
        assert_received(rig, REMOVED(DEVICE, IOMMUD_INTERFACE_DEVICE)
                             REMOVED("/org/iommud1/group/1", IOMMUD_INTERFACE_GROUP));

        scene_add(rig->scene, "0000:01:00.0", 1, "nvme");
        bus_rig_commit(rig);
        scene_add(rig->scene, "0000:01:00.0", 1, "ahci");
        scene_unplug(rig->scene, "0000:01:00.0");
        assert_received(rig, REMOVED(DEVICE, IOMMUD_INTERFACE_DEVICE)
                             REMOVED("/org/iommud1/group/1", IOMMUD_INTERFACE_GROUP));
}

/* A lease from beginning to end, each step of it. */
static void test_lease(void) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_rig_ BusRig *rig = bus_rig_new();

        scene_add(rig->scene, "0000:01:00.0", 1, "nvme");
        bus_rig_commit(rig);

        bus_rig_forget(rig);
        bus_rig_send_acquire(rig, "01:00.0", &reply);
        assert_eq_str(rig->received, ADDED("/org/iommud1/lease/1", IOMMUD_INTERFACE_LEASE)
                                     GROUP_CHANGED("1") DEVICE_CHANGED);

        task_runner_step(&rig->scene->tasks, &rig->scene->changes);
        bus_rig_forget(rig);
        bus_rig_commit(rig);
        assert_eq_int(strncmp(rig->received, "reply\n", 6), 0);
        assert_has(rig->received, LEASE_CHANGED);
        assert_has(rig->received, DEVICE_CHANGED);

        reply = sd_bus_message_unref(reply); /* and with it all that the client has got */
        bus_rig_forget(rig);
        bus_rig_watch(rig);
        assert_eq_str(rig->received, LEASE_CHANGED);         /* draining */

        task_runner_step(&rig->scene->tasks, &rig->scene->changes);
        /* restoring; and now it is known what its IOMMU has */
        assert_received(rig, DEVICE_CHANGED LEASE_CHANGED);
        task_runner_step(&rig->scene->tasks, &rig->scene->changes);
        bus_rig_forget(rig);
        bus_rig_commit(rig);
        assert_has(rig->received, DEVICE_CHANGED);
        assert_has(rig->received, GROUP_CHANGED("1"));
        assert_has(rig->received, REMOVED("/org/iommud1/lease/1", IOMMUD_INTERFACE_LEASE));
}

int main(void) {
        test_hotplug();
        test_renumber();
        test_came_and_went();
        test_lease();
        return 0;
}
