/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Devices that are unplugged in each state of a lease. The kernel removes a device only when nobody has it
 * open any more, so nothing is left to be proved or given back; and what is plugged in again under the same
 * name or number is another's.
 */

#include "fake/assert.h"
#include "fake/scene.h"

#define NAME "0000:01:00.0"

static void plug_in(Scene *s) {
        scene_add(s, NAME, 1, "nvme");
        scene_commit(s);
}

/* Is back under its name, and in a group of the same number. */
static void replug(Scene *s) {
        scene_unplug(s, NAME);
        plug_in(s);
}

static void let_go(Scene *s) {
        Client client;

        scene_hand_over(s, s->lease, &client);
        client_close(&client);
}

static void assert_untouched(Scene *s, size_t journal) {
        assert_eq_str(s->kernel->journal + journal, "");
        assert_eq_str(fake_kernel_find(s->kernel, NAME)->driver, "nvme");
        assert_eq_int(group_dma_owner(manager_find_group(s->manager, 1)), DMA_OWNER_KERNEL);
        assert_eq_int(s->manager->leases.n_items, 0);
        assert_eq_int(scene_acquire(s, &BOB, NAME), OUTCOME_GRANTED);
        scene_run(s);
        assert_eq_int(scene_lease(s, s->lease)->state, LEASE_ACTIVE);
}

/* The task has not begun: it finds nothing. */
static void test_preparing_before(void) {
        _cleanup_scene_ Scene *s = scene_new();

        plug_in(s);
        assert_eq_int(scene_acquire(s, &ALICE, NAME), OUTCOME_GRANTED);
        scene_unplug(s, NAME);
        scene_run(s);
        assert_eq_int(s->n_answers, 1);
        assert_eq_int(s->answer.outcome, OUTCOME_NO_SUCH_DEVICE);
        assert_eq_int(s->manager->leases.n_items, 0);
        assert_eq_int(s->manager->groups.n_items, 0);
}

/* It is unplugged, and the monitor has not heard of it when its driver is to be changed. */
static void test_preparing_unheard(void) {
        _cleanup_scene_ Scene *s = scene_new();

        plug_in(s);
        assert_eq_int(scene_acquire(s, &ALICE, NAME), OUTCOME_GRANTED);
        fake_kernel_find(s->kernel, NAME)->gone = true;
        scene_run(s);
        assert_eq_int(s->n_answers, 1);
        assert_eq_int(s->answer.outcome, OUTCOME_NO_SUCH_DEVICE);
        assert_has(s->answer.text, NAME " was unplugged");
        assert_eq_int(s->manager->leases.n_items, 0);
        scene_unplug(s, NAME);
        scene_commit(s);
}

/* The task is done, another one is still under way. */
static void test_preparing_after(void) {
        for (unsigned back = 0; back < 2; back++) {
                _cleanup_scene_ Scene *s = scene_new();
                size_t journal;

                plug_in(s);
                scene_add(s, "0000:02:00.0", 2, "nvme");
                assert_eq_int(scene_acquire(s, &ALICE, NAME, "02:00.0"), OUTCOME_GRANTED);
                assert(scene_step(s));
                assert_eq_str(fake_kernel_find(s->kernel, NAME)->driver, "vfio-pci");

                journal = strlen(s->kernel->journal);
                if (back)
                        replug(s);
                else
                        scene_unplug(s, NAME);
                scene_run(s);
                assert_eq_int(s->n_answers, 1);
                assert_eq_int(s->answer.outcome, OUTCOME_NO_SUCH_DEVICE);
                assert_eq_str(s->kernel->journal + journal,
                              "set_driver 0000:02:00.0 vfio-pci vfio-pci\n"
                              "set_driver 0000:02:00.0 nvme -\n");
                if (back)
                        assert_untouched(s, strlen(s->kernel->journal));
        }
}

static void test_active(void) {
        for (unsigned back = 0; back < 2; back++) {
                _cleanup_scene_ Scene *s = scene_new();
                size_t journal;

                plug_in(s);
                scene_grant(s, &ALICE, NAME);
                let_go(s);
                journal = strlen(s->kernel->journal);
                scene_unplug(s, NAME);
                scene_commit(s);
                assert_eq_int(s->manager->leases.n_items, 0);        /* there is nothing left to hold */
                scene_run(s);
                plug_in(s);
                assert_untouched(s, journal);
        }
}

static void set_node(Scene *s, const char *name, const char *node) {
        DeviceFacts facts = *scene_facts(s, name);

        memset(facts.cdev, 0, sizeof(facts.cdev));
        strcpy(facts.cdev, node);
        assert_ok(manager_update_device(s->manager, &facts, &s->changes));
}

/* The kernel waits for the holder, who is asked once; of what nobody has open it takes no asking. */
static void test_leaves(void) {
        _cleanup_scene_ Scene *s = scene_new();

        plug_in(s);
        scene_add(s, "0000:01:00.1", 1, "nvme");
        scene_grant(s, &ALICE, NAME);
        let_go(s);
        set_node(s, NAME, "vfio0");
        set_node(s, "0000:01:00.1", "vfio1");
        scene_commit(s);

        set_node(s, "0000:01:00.1", "");     /* a companion */
        assert(!strstr(scene_changes(s), "lease-requested"));
        set_node(s, NAME, "");
        assert_has(scene_changes(s), "lease-requested 1");
        assert_eq_str(scene_lease(s, 1)->request_reason,
                      NAME " is being unplugged, or taken from its driver");
        scene_commit(s);
        set_node(s, NAME, "");
        assert_eq_str(scene_changes(s), "");
        assert_eq_int(scene_lease(s, 1)->state, LEASE_ACTIVE);

        /* one that has no holder any more */
        set_node(s, NAME, "vfio0");
        scene_watch(s);
        scene_commit(s);
        set_node(s, NAME, "");
        assert(!strstr(scene_changes(s), "lease-requested"));
}

/* One of two: the lease goes on with the other, and gives back that one only. */
static void test_active_in_part(void) {
        _cleanup_scene_ Scene *s = scene_new();
        size_t journal;

        plug_in(s);
        scene_add(s, "0000:02:00.0", 2, "nvme");
        scene_grant(s, &ALICE, NAME, "02:00.0");
        let_go(s);
        replug(s);
        assert_eq_int(scene_lease(s, s->lease)->state, LEASE_ACTIVE);

        journal = strlen(s->kernel->journal);
        scene_watch(s);
        scene_run(s);
        assert_eq_str(s->kernel->journal + journal,
                      "prove_free 0000:02:00.0\n"
                      "set_driver 0000:02:00.0 nvme -\n");
        assert_untouched(s, strlen(s->kernel->journal));
}

/* A group of which another device stays keeps its lease. */
static void test_companion(void) {
        _cleanup_scene_ Scene *s = scene_new();

        plug_in(s);
        scene_add(s, "0000:01:00.1", 1, "nvme");
        scene_grant(s, &ALICE, "01:00.1");
        let_go(s);
        scene_unplug(s, NAME);               /* was taken along */
        scene_commit(s);
        assert_eq_int(scene_lease(s, s->lease)->state, LEASE_ACTIVE);
        assert(manager_find_group(s->manager, 1)->lease);

        scene_watch(s);
        scene_run(s);
        assert_eq_int(s->manager->leases.n_items, 0);
        assert_eq_str(fake_kernel_find(s->kernel, "0000:01:00.1")->driver, "nvme");
}

static void test_draining(void) {
        for (unsigned when = 0; when < 2; when++) {
                _cleanup_scene_ Scene *s = scene_new();

                plug_in(s);
                scene_grant(s, &ALICE, NAME);
                let_go(s);
                scene_watch(s);
                scene_commit(s);
                if (when == 1) {
                        fake_device_hold(fake_kernel_find(s->kernel, NAME), 1, 1, "qemu");
                        assert(scene_step(s));
                }

                /* its trial, which is queued already, is waited for */
                assert(task_runner_find(&s->tasks, NAME));
                replug(s);
                assert_eq_int(s->manager->leases.n_items, 1);
                scene_run(s);
                assert_untouched(s, strlen(s->kernel->journal));
        }
}

static void test_restoring(void) {
        _cleanup_scene_ Scene *s = scene_new();

        plug_in(s);
        scene_grant(s, &ALICE, NAME);
        let_go(s);
        scene_watch(s);
        assert(scene_step(s));
        assert_eq_int(scene_lease(s, s->lease)->state, LEASE_RESTORING);
        scene_unplug(s, NAME);
        scene_run(s);
        assert_eq_int(s->manager->leases.n_items, 0);
        assert_eq_int(s->n_answers, 1);
}

static void test_stuck(void) {
        _cleanup_scene_ Scene *s = scene_new();

        plug_in(s);
        scene_grant(s, &ALICE, NAME);
        let_go(s);
        fake_kernel_find(s->kernel, NAME)->refuses = "nvme";
        scene_watch(s);
        scene_run(s);
        assert_eq_int(scene_lease(s, s->lease)->state, LEASE_STUCK);

        /* an administrator's way out */
        scene_unplug(s, NAME);
        scene_commit(s);
        assert_eq_int(s->manager->leases.n_items, 0);
        fake_kernel_find(s->kernel, NAME)->refuses = NULL;
        plug_in(s);
        assert_untouched(s, strlen(s->kernel->journal));
}

int main(void) {
        test_preparing_before();
        test_preparing_unheard();
        test_preparing_after();
        test_active();
        test_leaves();
        test_active_in_part();
        test_companion();
        test_draining();
        test_restoring();
        test_stuck();
        return 0;
}
