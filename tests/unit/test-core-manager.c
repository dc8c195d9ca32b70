/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the manager makes of news of the host's devices, and what is true of devices and groups then. */

#include "fake/assert.h"
#include "fake/scene.h"

static void test_add_and_remove(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Group *group;

        scene_add(s, "0000:01:00.1", 1, "nvme");
        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:00:1f.2", 7, "ahci");
        assert_eq_str(scene_changes(s),
                      "group-added 1, device-added 0000:01:00.1, group-changed 1, "
                      "device-added 0000:01:00.0, group-added 7, device-added 0000:00:1f.2, "
                      "group-changed 7");
        scene_commit(s);

        group = manager_find_group(s->manager, 1);
        assert(group);
        assert_eq_str(group->devices->facts.name, "0000:01:00.0");
        assert_eq_str(group->devices->next->facts.name, "0000:01:00.1");
        assert(!group->devices->next->next);
        assert_eq_str(((Device *) s->manager->devices.items[0])->facts.name, "0000:00:1f.2");
        assert(!manager_find_group(s->manager, 0));
        assert(!manager_find_device(s->manager, "0000:01:00.2"));

        scene_unplug(s, "0000:01:00.0");
        assert_eq_str(scene_changes(s), "device-removed 0000:01:00.0, group-changed 1");
        scene_commit(s);
        scene_unplug(s, "0000:01:00.1");
        assert_eq_str(scene_changes(s), "device-removed 0000:01:00.1, group-removed 1");
        scene_commit(s);
        assert_eq_int(s->manager->groups.n_items, 1);

        scene_unplug(s, "0000:01:00.1");     /* of what is not known there is nothing to say */
        assert_eq_str(scene_changes(s), "");
}

static void test_update(void) {
        _cleanup_scene_ Scene *s = scene_new();
        GroupFacts group = { .id = 1, .type = "identity" };

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_commit(s);
        scene_add(s, "0000:01:00.0", 1, "nvme");
        assert_eq_str(scene_changes(s), "");
        scene_add(s, "0000:01:00.0", 1, "ahci");
        assert_eq_str(scene_changes(s), "device-changed 0000:01:00.0, group-changed 1");
        scene_commit(s);

        assert_ok(manager_update_group(s->manager, &group, &s->changes));
        assert_ok(manager_update_group(s->manager, &group, &s->changes));
        assert_eq_str(scene_changes(s), "group-changed 1");
        scene_commit(s);
}

/* What only some looks at a device tell: it is the same device all the same. */
static void test_what_is_known_stays(void) {
        _cleanup_scene_ Scene *s = scene_new();
        const Device *device;
        DeviceFacts facts;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        device = manager_find_device(s->manager, "0000:01:00.0");
        facts = device->facts;
        strcpy(facts.serial, "S1");
        assert_ok(manager_update_device(s->manager, &facts, &s->changes));
        scene_commit(s);

        memset(facts.serial, 0, sizeof(facts.serial));
        strcpy(facts.driver, "vfio-pci");
        assert_ok(manager_update_device(s->manager, &facts, &s->changes));
        assert_eq_str(device->facts.serial, "S1");
        assert_eq_str(device->facts.driver, "vfio-pci");

        /* nor does a virtual function become a device of its own while it is taken away */
        strcpy(facts.physfn, "0000:02:00.0");
        facts.vf_index = 3;
        assert_ok(manager_update_device(s->manager, &facts, &s->changes));
        memset(facts.physfn, 0, sizeof(facts.physfn));
        facts.vf_index = -1;
        assert_ok(manager_update_device(s->manager, &facts, &s->changes));
        assert_eq_str(device->facts.physfn, "0000:02:00.0");
        assert_eq_int(device->facts.vf_index, 3);

        strcpy(facts.serial, "S2");          /* another one in the same slot */
        assert_ok(manager_update_device(s->manager, &facts, &s->changes));
        assert_eq_str(device->facts.serial, "S2");
        scene_commit(s);
}

/* A device without its group is early: whoever reads sysfs reads the group first. */
static void test_no_group(void) {
        _cleanup_scene_ Scene *s = scene_new();
        DeviceFacts facts = DEVICE_FACTS_INIT;

        strcpy(facts.name, "0000:01:00.0");
        facts.group = 3;
        assert_eq_int(manager_update_device(s->manager, &facts, &s->changes), -ESTALE);
        assert_eq_str(scene_changes(s), "");
        assert_eq_int(s->manager->devices.n_items, 0);
}

static void test_renumber(void) {
        _cleanup_scene_ Scene *s = scene_new();

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_commit(s);
        scene_add(s, "0000:01:00.0", 2, "nvme");
        assert_eq_str(scene_changes(s), "group-added 2, device-removed 0000:01:00.0, group-removed 1, "
                                        "device-added 0000:01:00.0, group-changed 2");
        scene_commit(s);
        assert_eq_int(s->manager->groups.n_items, 1);
        assert_eq_int(manager_find_device(s->manager, "0000:01:00.0")->group->facts.id, 2);

        /* there and back within one set */
        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:01:00.0", 2, "nvme");
        scene_commit(s);
}

/* Devices are called by their names alone: of two that have the same the first is known, and stays. */
static void test_same_name(void) {
        _cleanup_scene_ Scene *s = scene_new();
        DeviceFacts other = DEVICE_FACTS_INIT;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_commit(s);

        strcpy(other.subsystem, "other");
        strcpy(other.name, "0000:01:00.0");
        other.group = 1;
        assert_eq_int(manager_update_device(s->manager, &other, &s->changes), 0);
        manager_remove_device(s->manager, "other", "0000:01:00.0", &s->changes);
        assert_eq_int(s->changes.n_items, 0);
        assert_eq_str(manager_find_device(s->manager, "0000:01:00.0")->facts.subsystem, "pci");
        assert_eq_str(manager_find_device(s->manager, "0000:01:00.0")->facts.driver, "nvme");
        scene_commit(s);
}

static void test_driver_facts(void) {
        static const struct {
                const char *subsystem, *driver, *cdev;
                bool own_dma, on_vfio;
                const char *vfio_driver;
                const char *found;           /* on the bus */
        } table[] = {
                { "pci", "", "", false, false, "vfio-pci" },
                { "pci", "nvme", "", true, false, "vfio-pci" },
                { "pci", "vfio-pci", "", false, true, "vfio-pci" },
                { "pci", "vfio-pci", "vfio0", false, true, "vfio-pci" },
                { "pci", "mlx5_vfio_pci", "vfio0", false, true, "vfio-pci" },
                { "pci", "mlx5_vfio_pci", "", true, false, "vfio-pci" },
                { "pci", "pcieport", "", false, false, "vfio-pci" },
                { "pci", "pci-stub", "", false, false, "vfio-pci" },
                { "pci", "vfio-platform", "", true, false, "vfio-pci" },
                { "platform", "vfio-platform", "", false, true, "vfio-platform" },
                { "platform", "arm-smmu", "", true, false, "vfio-platform" },
                { "mdev", "vfio_mdev", "vfio3", false, true, NULL },
                { "mdev", "vfio_mdev", "", true, false, NULL },
                { "amba", "vfio-amba", "", false, true, "vfio-amba" },
                { "fsl-mc", "fsl_dpaa2_eth", "", true, false, "vfio-fsl-mc" },
                { "cdx", "", "", false, false, "vfio-cdx" },
                { "other", "native", "", true, false, "vfio-other", "vfio-other" },
                { "other", "vfio-other", "", false, true, "vfio-other", "vfio-other" },
                { "other", "vfio-other", "", true, false, NULL },
                { "pci", "nvme", "", true, false, "vfio-pci", "vfio-other" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                DeviceFacts facts = DEVICE_FACTS_INIT;

                strcpy(facts.subsystem, table[i].subsystem);
                strcpy(facts.driver, table[i].driver);
                strcpy(facts.cdev, table[i].cdev);
                strcpy(facts.vfio_driver, table[i].found ?: "");
                assert_eq_int(device_facts_own_dma(&facts), table[i].own_dma);
                assert_eq_int(device_facts_on_vfio(&facts), table[i].on_vfio);
                assert_eq_str(device_facts_vfio_driver(&facts), table[i].vfio_driver);
        }
}

static void test_set_driver(void) {
        _cleanup_scene_ Scene *s = scene_new();
        DeviceFacts expected;
        Device *device;

        scene_add(s, "0000:01:00.0", 1, "a-driver-with-a-long-name");
        device = manager_find_device(s->manager, "0000:01:00.0");
        strcpy(device->facts.cdev, "vfio7");
        expected = device->facts;
        change_set_device(&s->changes, CHANGE_DEVICE_CHANGED, device->facts.name);
        scene_commit(s);

        /* the node stays while the driver does */
        device_set_driver(device, "a-driver-with-a-long-name", "x", &s->changes);
        assert_eq_str(device->facts.cdev, "vfio7");
        scene_commit(s);

        device_set_driver(device, "nvme", "", &s->changes);
        assert_eq_str(scene_changes(s), "device-changed 0000:01:00.0, group-changed 1");
        scene_commit(s);
        device_set_driver(device, "nvme", "", &s->changes);
        assert_eq_str(scene_changes(s), "");

        /* comparable as bytes with what the scanner will say */
        memset(expected.driver, 0, sizeof(expected.driver));
        memset(expected.cdev, 0, sizeof(expected.cdev));
        strcpy(expected.driver, "nvme");
        assert_eq_int(memcmp(&expected, &device->facts, sizeof(expected)), 0);
}

static void test_dma_owner(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Group *group;

        scene_add(s, "0000:01:00.0", 1, "vfio-pci");
        scene_add(s, "0000:01:00.1", 1, "nvme");
        group = manager_find_group(s->manager, 1);
        assert(!group_is_viable(group));
        assert_eq_int(group_dma_owner(group), DMA_OWNER_KERNEL);

        scene_add(s, "0000:01:00.1", 1, "");
        assert(group_is_viable(group));
        assert_eq_int(group_dma_owner(group), DMA_OWNER_NONE);

        s->kernel->foreign = 1;
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_TAKEN);
        assert_eq_int(group_dma_owner(group), DMA_OWNER_FOREIGN);
        s->kernel->foreign = GROUP_NONE;
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
        assert_eq_int(group_dma_owner(group), DMA_OWNER_LEASED);
}

static void test_tasks(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Task a = { .name = "a" }, b = { .name = "b" }, task;
        TaskResult result = {};

        assert(!manager_next_task(s->manager, &task));
        assert_ok(manager_queue_task(s->manager, &a));
        assert_ok(manager_queue_task(s->manager, &b));
        assert(a.id != b.id && a.id != 0 && b.id != 0);
        assert(manager_next_task(s->manager, &task));
        assert_eq_str(task.name, "a");
        assert(manager_next_task(s->manager, &task));
        assert_eq_int(task.id, b.id);
        assert(!manager_next_task(s->manager, &task));

        /* results of tasks that nobody asked for, or not any more */
        manager_task_done(s->manager, &a, &result, &s->changes);
        manager_task_overdue(s->manager, &a, &s->changes);
        manager_task_done(s->manager, &(Task) {}, &result, &s->changes);
        assert_eq_str(scene_changes(s), "");
}

static void test_accounts(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Account *a, *b, *c;

        assert_ok(manager_get_account(s->manager, 1001, NULL, &b));
        assert_ok(manager_get_account(s->manager, 1000, NULL, &a));
        assert_ok(manager_get_account(s->manager, 1001, NULL, &c));
        assert(b == c && a != b);
        assert_eq_int(s->manager->accounts.n_items, 2);
}

int main(void) {
        test_add_and_remove();
        test_update();
        test_what_is_known_stays();
        test_no_group();
        test_renumber();
        test_same_name();
        test_driver_facts();
        test_set_driver();
        test_dma_owner();
        test_tasks();
        test_accounts();
        return 0;
}
