/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Devices that can't be given back, and tasks that don't return: who waits for what, and how it goes on. */

#include "fake/assert.h"
#include "fake/scene.h"

static Lease *active_lease(Scene *s) {
        Client client;

        scene_commit(s);
        scene_grant(s, &ALICE, "group:1");
        scene_hand_over(s, s->lease, &client);
        client_close(&client);
        return scene_lease(s, s->lease);
}

static void release(Scene *s, uint64_t lease, const Subject *subject) {
        Refusal refusal;

        assert_eq_int(manager_release(s->manager, subject, lease, &refusal, &s->changes), 0);
        scene_commit(s);
}

static void test_restore_fails(void) {
        _cleanup_scene_ Scene *s = scene_new();
        FakeDevice *device;
        Before before;
        Lease *lease;

        device = scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:01:00.1", 1, "nvme");
        scene_remember(s, &before);
        lease = active_lease(s);
        device->refuses = "nvme";
        scene_watch(s);
        scene_run(s);

        assert_eq_int(lease->state, LEASE_STUCK);
        assert_has(lease->reason, "0000:01:00.0: write nvme/bind: Invalid argument");
        assert_eq_str(fake_kernel_find(s->kernel, "0000:01:00.1")->driver, "nvme");
        assert_eq_int(scene_acquire(s, &BOB, "01:00.1"), OUTCOME_DRAINING);
        assert_has(s->refusal.text, "stuck: 0000:01:00.0: write nvme/bind");

        /* not mended yet */
        release(s, 1, &ALICE);
        assert_eq_int(lease->state, LEASE_RESTORING);
        scene_run(s);
        assert_eq_int(lease->state, LEASE_STUCK);

        device->refuses = NULL;
        release(s, 1, &ALICE);
        scene_run(s);
        scene_assert_as_before(s, &before);
        assert_eq_int(s->n_answers, 1);
}

/* ENODEV from a driver's probe is not the device's absence. */
static void test_driver_says_enodev(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Lease *lease;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        lease = active_lease(s);
        s->kernel->fail_call = "set_driver";
        s->kernel->fail_error = -ENODEV;
        scene_watch(s);
        scene_run(s);
        assert_eq_int(lease->state, LEASE_STUCK);
        assert_has(lease->reason, "No such device");

        s->kernel->fail_call = NULL;
        release(s, 1, &ROOT);
        scene_run(s);
        assert_eq_str(fake_kernel_drivers(s->kernel), "0000:01:00.0=nvme/- ");
}

/* Of several things that go wrong the caller is told the first; what came of it does not help. */
static void test_first_failure(void) {
        static const char *const expected[_TASK_ORDER_MAX] = {
                [TASKS_OLDEST_FIRST] = "set_driver 0000:01:00.0 vfio-pci",
                [TASKS_NEWEST_FIRST] = "set_driver 0000:01:00.1 vfio-pci",
        };

        for (TaskOrder order = 0; order < _TASK_ORDER_MAX; order++) {
                _cleanup_scene_ Scene *s = scene_new();
                Before before;

                scene_add(s, "0000:01:00.0", 1, "nvme");
                scene_add(s, "0000:01:00.1", 1, "nvme");
                scene_commit(s);
                scene_remember(s, &before);
                s->tasks.order = order;
                s->kernel->fail_call = "set_driver";
                assert_eq_int(scene_acquire(s, &ALICE, "group:1"), OUTCOME_GRANTED);
                scene_run(s);
                assert_eq_int(s->n_answers, 1);
                assert_has(s->answer.text, expected[order]);
                assert_eq_int(scene_lease(s, 1)->state, LEASE_STUCK);

                s->kernel->fail_call = NULL;
                release(s, 1, &ROOT);
                scene_run(s);
                scene_assert_as_before(s, &before);
        }
}

/* The change of a driver hangs while the caller waits: it is told, and what comes of it later is undone. */
static void test_overdue_while_preparing(void) {
        for (TaskOrder order = 0; order < _TASK_ORDER_MAX; order++) {
                _cleanup_scene_ Scene *s = scene_new();
                Before before;

                scene_add(s, "0000:01:00.0", 1, "nvme");
                scene_add(s, "0000:01:00.1", 1, "nvme");
                scene_commit(s);
                scene_remember(s, &before);
                s->tasks.order = order;

                assert_eq_int(scene_acquire(s, &ALICE, "group:1"), OUTCOME_GRANTED);
                scene_overdue(s, "0000:01:00.0");
                scene_commit(s);
                assert_eq_int(s->n_answers, 1);
                assert_eq_int(s->answer.outcome, OUTCOME_KERNEL_FAILED);
                assert_has(s->answer.text, "0000:01:00.0 has not returned after 20 s");
                assert_has(s->answer.text, "(ETIMEDOUT)");
                assert_eq_int(scene_lease(s, 1)->state, LEASE_STUCK);
                assert_has(scene_lease(s, 1)->reason, "0000:01:00.0 has not returned");
                assert_eq_int(scene_acquire(s, &BOB, "01:00.1"), OUTCOME_DRAINING);

                scene_run(s);                /* it returns after all */
                assert_eq_int(s->n_answers, 1);
                assert(!strstr(s->kernel->journal, "open_device"));
                scene_assert_as_before(s, &before);
        }
}

/* The same, but it is what was to be undone that hangs: that caller must not wait for ever either. */
static void test_overdue_while_undoing(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Before before;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_commit(s);
        scene_remember(s, &before);
        s->kernel->fail_call = "open_context";
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
        assert(scene_step(s));
        assert_eq_int(scene_lease(s, 1)->state, LEASE_RESTORING);
        assert_eq_int(s->n_answers, 0);

        scene_overdue(s, "0000:01:00.0");
        scene_commit(s);
        assert_eq_int(scene_lease(s, 1)->state, LEASE_STUCK);
        assert_eq_int(s->n_answers, 1);
        assert_has(s->answer.text, "open_context");          /* what went wrong first */

        scene_run(s);
        assert_eq_int(s->n_answers, 1);
        scene_assert_as_before(s, &before);
}

static void test_overdue_trial(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Before before;
        Lease *lease;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_remember(s, &before);
        lease = active_lease(s);
        scene_watch(s);
        scene_commit(s);
        scene_overdue(s, "0000:01:00.0");
        scene_commit(s);
        assert_eq_int(lease->state, LEASE_STUCK);
        assert_has(lease->reason, "trial of 0000:01:00.0 has not returned after 10 s");

        /* a second one would hang as well */
        release(s, 1, &ALICE);
        assert_eq_int(lease->state, LEASE_STUCK);
        assert_eq_int(task_runner_take(&s->tasks), 1);

        assert(scene_step(s));
        assert_eq_int(lease->state, LEASE_RESTORING);
        assert_eq_str(lease->reason, "");
        scene_run(s);
        scene_assert_as_before(s, &before);
}

static void test_overdue_restore(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Before before;
        Lease *lease;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_remember(s, &before);
        lease = active_lease(s);
        scene_watch(s);
        assert(scene_step(s));
        assert_eq_int(lease->state, LEASE_RESTORING);
        scene_overdue(s, "0000:01:00.0");
        scene_commit(s);
        assert_eq_int(lease->state, LEASE_STUCK);
        assert_eq_int(scene_acquire(s, &BOB, "01:00.0"), OUTCOME_DRAINING);

        scene_run(s);
        scene_assert_as_before(s, &before);
}

/* What hangs is killed when the kernel lets go of it, before it is done: it is done again. */
static void test_overdue_restore_killed(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Before before;
        Lease *lease;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_remember(s, &before);
        lease = active_lease(s);
        scene_watch(s);
        assert(scene_step(s));
        assert_eq_int(lease->state, LEASE_RESTORING);
        scene_overdue(s, "0000:01:00.0");
        scene_commit(s);
        assert_eq_int(lease->state, LEASE_STUCK);

        s->kernel->fail_call = "set_driver";
        s->kernel->fail_error = -ETIMEDOUT;
        assert(scene_step(s));
        assert_eq_int(lease->state, LEASE_RESTORING);
        assert_eq_str(lease->reason, "");

        /* once more is enough of that: it did not hang this time */
        assert(scene_step(s));
        assert_eq_int(lease->state, LEASE_STUCK);

        s->kernel->fail_call = NULL;
        release(s, 1, &ROOT);
        scene_run(s);
        scene_assert_as_before(s, &before);
}

/* One device hangs, another could not be given back: the word of an administrator is for the other. */
static void test_release_beside_overdue(void) {
        _cleanup_scene_ Scene *s = scene_new();
        FakeDevice *device;
        Before before;
        Lease *lease;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        device = scene_add(s, "0000:01:00.1", 1, "nvme");
        scene_remember(s, &before);
        lease = active_lease(s);
        s->tasks.order = TASKS_NEWEST_FIRST;
        scene_watch(s);
        assert(scene_step(s) && scene_step(s));
        assert_eq_int(lease->state, LEASE_RESTORING);

        device->refuses = "nvme";
        scene_overdue(s, "0000:01:00.0");
        assert(scene_step(s));
        assert_eq_int(lease->state, LEASE_STUCK);
        assert(!task_runner_find(&s->tasks, "0000:01:00.1"));

        device->refuses = NULL;
        release(s, 1, &ROOT);
        assert_eq_int(lease->state, LEASE_STUCK);
        assert(task_runner_find(&s->tasks, "0000:01:00.1"));
        assert(scene_step(s));
        assert_eq_str(device->driver, "nvme");
        assert_eq_int(lease->state, LEASE_STUCK);

        scene_run(s);
        scene_assert_as_before(s, &before);
}

int main(void) {
        test_restore_fails();
        test_driver_says_enodev();
        test_first_failure();
        test_overdue_while_preparing();
        test_overdue_while_undoing();
        test_overdue_trial();
        test_overdue_restore();
        test_overdue_restore_killed();
        test_release_beside_overdue();
        return 0;
}
