/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How much one request and one user can have, and who is in the way of whom. */

#include <inttypes.h>

#include "core/account.h"
#include "fake/assert.h"
#include "fake/scene.h"

static void add_devices(Scene *s, unsigned n) {
        char name[KERNEL_NAME_MAX];

        for (unsigned i = 0; i < n; i++) {
                snprintf(name, sizeof(name), "0000:%02x:00.0", i + 1);
                scene_add(s, name, i + 1, "vfio-pci");
        }
}

static void test_devices_of_one_request(void) {
        _cleanup_scene_ Scene *s = scene_new();

        add_devices(s, LIMIT_LEASE_DEVICES);
        assert_eq_int(scene_acquire(s, &ALICE, "8086:10d3"), OUTCOME_GRANTED);
        assert_eq_int(scene_lease(s, s->lease)->n_given, LIMIT_LEASE_DEVICES);
        assert_eq_int(scene_lease(s, s->lease)->n_groups, LIMIT_LEASE_DEVICES);
}

static void test_too_many_devices(void) {
        _cleanup_scene_ Scene *s = scene_new();

        add_devices(s, LIMIT_LEASE_DEVICES + 1);
        assert_eq_int(scene_acquire(s, &ALICE, "8086:10d3"), OUTCOME_QUOTA);
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0", "02:00.0", "03:00.0", "04:00.0", "05:00.0",
                                    "06:00.0", "07:00.0", "08:00.0", "09:00.0"), OUTCOME_QUOTA);
        assert_eq_int(s->kernel->n_calls, 0);

        /* the same one again is not one more */
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0", "02:00.0", "03:00.0", "04:00.0", "05:00.0",
                                    "06:00.0", "07:00.0", "08:00.0", "01:00.0"), OUTCOME_GRANTED);
}

static void test_quota_of_a_user(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Account *account;
        Charge charge = {};

        add_devices(s, 2);
        assert_ok(manager_get_account(s->manager, ALICE.uid, &account));
        assert_eq_int(charge_take(&charge, account, LIMIT_UID_DEVICES - 1), 0);

        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0", "02:00.0"), OUTCOME_QUOTA);
        assert_has(s->refusal.text, "1 leases with 127 devices");
        assert_eq_int(scene_acquire(s, &BOB, "02:00.0"), OUTCOME_GRANTED);
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
        assert_eq_int(account->used[ACCOUNT_LEASES], 2);
        assert_eq_int(account->used[ACCOUNT_DEVICES], LIMIT_UID_DEVICES);
        assert_eq_int(scene_lease(s, s->lease)->n_given, 1);

        charge_done(&charge);
}

static void test_taken_and_draining(void) {
        _cleanup_scene_ Scene *s = scene_new();
        FakeDevice *device;
        uint64_t lease;

        device = scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:01:00.1", 1, "nvme");
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
        lease = s->lease;

        /* while it is prepared, and while it is there: any device of the group, for anybody */
        for (unsigned i = 0; i < 2; i++) {
                assert_eq_int(scene_acquire(s, &BOB, "01:00.0"), OUTCOME_TAKEN);
                assert_eq_int(scene_acquire(s, &BOB, "01:00.1"), OUTCOME_TAKEN);
                assert_eq_int(scene_acquire(s, &ALICE, "01:00.1"), OUTCOME_TAKEN);
                assert_has(s->refusal.text, "lease 1 of uid 1000");
                scene_run(s);
        }

        /* the reason why it is not free yet is for whoever wants it next */
        fake_device_hold(device, 1, 4711, "qemu");
        manager_hangup(s->manager, lease, "its lifeline was closed", &s->changes);
        assert(task_runner_step(&s->tasks, &s->changes));
        assert_eq_int(scene_acquire(s, &BOB, "01:00.1"), OUTCOME_DRAINING);
        assert_has(s->refusal.text, "qemu (pid 4711)");

        scene_run(s);
        assert_eq_int(scene_acquire(s, &BOB, "01:00.1"), OUTCOME_GRANTED);
        scene_run(s);
}

int main(void) {
        test_devices_of_one_request();
        test_too_many_devices();
        test_quota_of_a_user();
        test_taken_and_draining();
        return 0;
}
