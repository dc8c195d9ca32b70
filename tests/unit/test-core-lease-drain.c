/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From the end of the holder to the proof that nobody has the devices any more: how often it is tried, and
 * what is said.
 */

#include "base/fd.h"
#include "fake/assert.h"
#include "fake/scene.h"

/* A lease of ALICE's whose client has gone. */
#define drain(scene, ...) drain_strv(scene, (const char *const[]) { __VA_ARGS__, NULL })

static Lease *drain_strv(Scene *s, const char *const *selectors) {
        Client client;
        Lease *lease;

        scene_commit(s);
        lease = scene_grant_strv(s, &ALICE, selectors);
        scene_hand_over(s, lease->id, &client);
        client_close(&client);
        scene_watch(s);
        scene_commit(s);
        assert_eq_int(lease->state, LEASE_DRAINING);
        return lease;
}

static void test_delays(void) {
        static const uint64_t expected[] = { 0, 20, 40, 80, 160, 320, 640, 1280, 2560, 5000, 5000, 5000 };
        _cleanup_scene_ Scene *s = scene_new();
        FakeDevice *device;
        Lease *lease;

        device = scene_add(s, "0000:01:00.0", 1, "nvme");
        lease = drain(s, "01:00.0");
        fake_device_hold(device, ELEMENTSOF(expected) - 1, 4711, "qemu-system-x86");

        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                const Task *task;

                assert_eq_int(lease->state, LEASE_DRAINING);
                assert_eq_int(task_runner_take(&s->tasks), 1);
                task = task_runner_find(&s->tasks, "0000:01:00.0");
                assert(task && task->kind == TASK_PROVE_FREE);
                assert_eq_int(task->delay_usec, expected[i] * 1000);
                assert_eq_int(task->timeout_usec, LIMIT_PROVE_FREE_USEC);
                assert(scene_step(s));
                assert_eq_int(lease->devices[0].holders.n_items, i + 1 < ELEMENTSOF(expected) ? 1 : 0);
                if (i + 1 < ELEMENTSOF(expected))
                        assert_eq_str(lease->reason,
                                      "0000:01:00.0 is still open in qemu-system-x86 (pid 4711)");
        }

        assert_eq_int(lease->state, LEASE_RESTORING);
        assert_eq_str(lease->reason, "");
        scene_run(s);
        assert_eq_str(device->driver, "nvme");
        assert(!scene_lease(s, 1));
}

static void test_forever(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Lease *lease;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        lease = drain(s, "01:00.0");
        fake_device_hold(fake_kernel_find(s->kernel, "0000:01:00.0"), UINT32_MAX, 1, NULL);
        for (unsigned i = 0; i < 200; i++)
                assert(scene_step(s));

        assert_eq_int(task_runner_find(&s->tasks, "0000:01:00.0")->delay_usec, LIMIT_DRAIN_LAST_USEC);
        assert_eq_str(lease->reason, "0000:01:00.0 is still open, in a process that could not be found");
        assert_eq_int(lease->devices[0].holders.n_items, 0);
}

/* A process may call itself anything. What it is called is shown to administrators and sent over the bus. */
static void test_names_of_holders(void) {
        _cleanup_scene_ Scene *s = scene_new();
        FakeDevice *device;
        Lease *lease;

        device = scene_add(s, "0000:01:00.0", 1, "nvme");
        lease = drain(s, "01:00.0");

        fake_device_hold(device, 1, 4711, "\xff\x1b[2J\n\xc3.");
        assert(scene_step(s));
        assert_eq_str(lease->reason, "0000:01:00.0 is still open in ??[2J??. (pid 4711)");

        /* more of them than there is room for */
        fake_device_hold(device, 2, 4711, "abcdefghijklmno");
        device->holders.n_items = HOLDERS_MAX;
        for (unsigned i = 1; i < HOLDERS_MAX; i++)
                device->holders.items[i] = device->holders.items[0];
        assert(scene_step(s));
        assert_has(lease->reason, "in abcdefghijklmno (pid 4711), abcdefghijklmno (pid 4711),");
        assert_eq_int(strlen(lease->reason), sizeof(lease->reason) - 1);

        /* the same again is no news */
        assert(task_runner_step(&s->tasks, &s->changes));
        assert_eq_str(scene_changes(s), "");
        scene_run(s);
}

/* Two trials in one group would each find it owned by the other. */
static void test_one_trial_per_group(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Lease *lease;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:01:00.1", 1, "nvme");
        scene_add(s, "0000:01:00.2", 1, "nvme");
        scene_add(s, "0000:02:00.0", 2, "nvme");
        lease = drain(s, "group:1", "group:2");

        assert_eq_int(task_runner_take(&s->tasks), 2);
        assert(task_runner_find(&s->tasks, "0000:01:00.0"));
        assert(task_runner_find(&s->tasks, "0000:02:00.0"));

        /* nothing is given back while anything may be open: drivers of one function touch the others */
        while (lease->state == LEASE_DRAINING) {
                for (unsigned i = 0; i < s->tasks.n_waiting; i++)
                        assert_eq_int(s->tasks.waiting[i].kind, TASK_PROVE_FREE);
                assert(task_runner_take(&s->tasks) <= 2);
                assert(scene_step(s));
                assert(task_runner_take(&s->tasks) <= 2 || lease->state == LEASE_RESTORING);
        }

        assert_eq_int(lease->state, LEASE_RESTORING);
        assert_eq_int(task_runner_take(&s->tasks), 4);       /* these may well run side by side */
        scene_run(s);
        assert(!scene_lease(s, 1));
}

/* That one device is free does not make what is said of another untrue. */
static void test_reason_stays(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Lease *lease;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:02:00.0", 2, "nvme");
        lease = drain(s, "01:00.0", "02:00.0");
        fake_device_hold(fake_kernel_find(s->kernel, "0000:01:00.0"), 1, 4711, "qemu");

        assert(scene_step(s));
        assert_has(lease->reason, "0000:01:00.0 is still open in qemu");
        assert(scene_step(s));
        assert(!lease_find_device(lease, "0000:02:00.0")->handed);
        assert_has(lease->reason, "0000:01:00.0 is still open in qemu");
        scene_run(s);
        assert(!scene_lease(s, 1));
}

/* A trial that fails proves nothing. */
static void test_failing_trial(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Lease *lease;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        lease = drain(s, "01:00.0");
        s->kernel->fail_call = "prove_free";
        for (unsigned i = 0; i < 3; i++) {
                assert(scene_step(s));
                assert_eq_int(lease->state, LEASE_DRAINING);
                assert_has(lease->reason, "prove_free 0000:01:00.0: Input/output error");
        }
        assert_eq_int(task_runner_find(&s->tasks, "0000:01:00.0")->delay_usec, 4 * LIMIT_DRAIN_FIRST_USEC);

        s->kernel->fail_call = NULL;
        scene_run(s);
        assert(!scene_lease(s, 1));
}

/* The client has ended its lease but keeps a descriptor: it keeps the device, and nobody is harmed. */
static void test_client_keeps_the_device(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Client client;

        scene_add(s, "0000:01:00.0", 1, "vfio-pci");
        scene_grant(s, &ALICE, "01:00.0");
        scene_hand_over(s, 1, &client);
        client.lifeline = close_fd(client.lifeline);
        scene_watch(s);

        for (unsigned i = 0; i < 10; i++)
                assert(scene_step(s));
        assert_eq_int(scene_lease(s, 1)->state, LEASE_DRAINING);
        assert_eq_int(scene_acquire(s, &BOB, "01:00.0"), OUTCOME_DRAINING);

        client_close(&client);
        scene_run(s);
        assert_eq_int(scene_acquire(s, &BOB, "01:00.0"), OUTCOME_GRANTED);
}

int main(void) {
        test_delays();
        test_forever();
        test_names_of_holders();
        test_one_trial_per_group();
        test_reason_stays();
        test_failing_trial();
        test_client_keeps_the_device();
        return 0;
}
