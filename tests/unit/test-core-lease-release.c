/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What can be asked of a lease, by whom, and who is told what. */

#include "fake/assert.h"
#include "fake/scene.h"

#define DEVICE "0000:01:00.0"

/* A lease of ALICE's, who came over a bus. */
static Scene *scene_leased(Client *ret_client) {
        Scene *s = scene_new();

        scene_add(s, DEVICE, 1, "nvme");
        scene_add(s, "0000:01:00.1", 1, "nvme");
        scene_commit(s);
        strcpy(s->client, "bus:1.42");
        scene_grant(s, &ALICE, DEVICE, "0000:01:00.1");
        scene_hand_over(s, s->lease, ret_client);
        scene_commit(s);
        return s;
}

static void test_request(void) {
        static const struct {
                const Subject *subject;
                const char *reason, *expected;
        } table[] = {
                { &ROOT, "", "uid 0 asks for it" },
                { &ALICE, "", "uid 1000 asks for it" },
                { &ROOT, "the host is to be\nrebooted", "the host is to be?rebooted" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_scene_ Scene *s = NULL;
                Refusal refusal;
                Client client;

                s = scene_leased(&client);
                assert_eq_int(manager_request_release(s->manager, table[i].subject, 1, table[i].reason, 77,
                                                      &refusal, &s->changes), 0);
                assert_eq_str(scene_changes(s), "lease-changed 1, lease-requested 1");
                assert_has(scene_lease(s, 1)->reason, table[i].expected);
                assert_eq_str(scene_lease(s, 1)->request_reason, table[i].expected);
                assert_eq_int(scene_lease(s, 1)->request_deadline_usec, 77);
                assert_eq_int(scene_lease(s, 1)->state, LEASE_ACTIVE);
                client_close(&client);
        }
}

/* Of the question whether it may be asked, and then of the request. */
static void assert_not_requested(
                Scene *s, const Subject *subject, uint64_t lease, int outcome, const char *text) {

        Refusal refusal;

        assert_eq_int(manager_check_request(s->manager, subject, lease, &refusal), outcome);
        assert_has(refusal.text, text);
        refusal = (Refusal) {};
        assert_eq_int(manager_request_release(s->manager, subject, lease, "", 0, &refusal, &s->changes),
                      outcome);
        assert_has(refusal.text, text);
        assert_eq_str(scene_changes(s), "");
}

static void test_request_refused(void) {
        _cleanup_scene_ Scene *s = NULL;
        const Subject *const strangers[] = { &BOB, &STRANGER, &CONTAINER_ROOT };
        Refusal refusal;
        Client client;

        s = scene_leased(&client);
        for (size_t i = 0; i < ELEMENTSOF(strangers); i++)
                assert_not_requested(s, strangers[i], 1, OUTCOME_DENIED, "belongs to uid");
        assert_not_requested(s, &ROOT, 9, OUTCOME_NO_SUCH_DEVICE, "9");
        assert_eq_int(manager_check_request(s->manager, &ALICE, 1, &refusal), 0);
        assert_eq_str(scene_lease(s, 1)->request_reason, "");

        strcpy(scene_lease(s, 1)->client, "");
        assert_not_requested(s, &ROOT, 1, OUTCOME_NOT_SUPPORTED, "not acquired over the bus");

        fake_device_hold(fake_kernel_find(s->kernel, DEVICE), 3, 4711, "sleep");
        client_close(&client);
        scene_watch(s);
        scene_commit(s);
        assert_not_requested(s, &ROOT, 1, OUTCOME_DRAINING, "is draining");
        scene_run(s);
}

/* What the edge does when it is told to end a process, with the result of it. */
static unsigned kill_all(Scene *s) {
        unsigned n = 0;

        for (size_t i = 0; i < s->changes.n_items; i++) {
                const Change *change = &s->changes.items[i];
                const Lease *lease = scene_lease(s, change->id);

                if (change->kind != CHANGE_LEASE_KILL)
                        continue;
                n++;
                assert_ok(manager_kill_process(s->manager, lease, lease_find_device(lease, change->name),
                                               change->pid));
        }

        return n;
}

/* A request is pending until the lease ends, whoever serves it; one that can't be kept is none. */
static void test_request_survives(void) {
        static const char reason[] = "new\tfirmware: 100% \xc3\xa4nderung";
        _cleanup_scene_ Scene *s = scene_new();
        Refusal refusal;
        Client client;

        scene_add(s, DEVICE, 1, "nvme");
        scene_keep(s);
        scene_commit(s);
        strcpy(s->client, "bus:1.42");
        scene_grant(s, &ALICE, DEVICE);
        scene_hand_over(s, 1, &client);
        scene_commit(s);

        s->kernel->fail_call = "save 1";
        assert_eq_int(manager_request_release(s->manager, &ROOT, 1, reason, 77, &refusal, &s->changes),
                      OUTCOME_KERNEL_FAILED);
        s->kernel->fail_call = NULL;
        assert_eq_str(scene_changes(s), "");
        assert_eq_str(scene_lease(s, 1)->request_reason, "");
        assert_eq_int(scene_lease(s, 1)->request_deadline_usec, 0);

        assert_eq_int(manager_request_release(s->manager, &ROOT, 1, reason, 77, &refusal, &s->changes), 0);
        for (unsigned i = 0; i < 2; i++) {
                char asked[128];

                strcpy(asked, scene_lease(s, 1)->request_reason);
                assert_has(asked, "firmware: 100% ");
                scene_restart(s);
                assert_eq_str(scene_lease(s, 1)->request_reason, asked);
                assert_eq_int(scene_lease(s, 1)->request_deadline_usec, 77);
                assert_has(scene_lease(s, 1)->reason, asked);
        }

        client_close(&client);
        scene_watch(s);
        assert_eq_str(scene_lease(s, 1)->reason, "");
        scene_run(s);
}

/* What root has said of the holders holds until they are gone, also for the next daemon. */
static void test_kill_survives(bool active) {
        _cleanup_scene_ Scene *s = scene_new();
        Refusal refusal;
        Client client;
        unsigned n = 0;

        scene_add(s, DEVICE, 1, "nvme");
        scene_keep(s);
        scene_commit(s);
        scene_grant(s, &ALICE, DEVICE);
        scene_hand_over(s, 1, &client);
        fake_device_hold(fake_kernel_find(s->kernel, DEVICE), 1000, 4711, "sleep");
        client_close(&client);
        if (!active) {
                scene_watch(s);
                scene_commit(s);
        }
        assert_eq_int(manager_kill_holders(s->manager, &ROOT, 1, &refusal, &s->changes), 0);

        scene_restart(s);
        assert(scene_lease(s, 1)->kill);
        for (unsigned i = 0; i < 4 && n == 0; i++) {
                scene_commit(s);
                assert(task_runner_step(&s->tasks, &s->changes));
                n = kill_all(s);
        }
        assert_eq_int(n, 1);
        scene_run(s);
        assert(!scene_lease(s, 1));
}

/* Who acquired it is known after a restart too. */
static void test_client_survives(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Client client;

        scene_add(s, DEVICE, 1, "nvme");
        scene_keep(s);
        scene_commit(s);
        strcpy(s->client, "bus:1.42");
        scene_grant(s, &ALICE, DEVICE);
        scene_hand_over(s, 1, &client);
        scene_restart(s);
        assert_eq_str(scene_lease(s, 1)->client, "bus:1.42");
        client_close(&client);
        scene_watch(s);
        scene_run(s);
}

static void test_kill_refused(void) {
        _cleanup_scene_ Scene *s = NULL;
        const Subject *const others[] = { &ALICE, &BOB, &CONTAINER_ROOT };
        Refusal refusal;
        Client client;

        s = scene_leased(&client);
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                assert_eq_int(manager_kill_holders(s->manager, others[i], 1, &refusal, &s->changes),
                              OUTCOME_DENIED);
        assert_eq_int(scene_lease(s, 1)->state, LEASE_ACTIVE);
        assert_eq_str(scene_changes(s), "");
        client_close(&client);
}

/* An active lease is ended by it; a draining one has its holders ended, each once. */
static void test_kill(bool active) {
        _cleanup_scene_ Scene *s = NULL;
        FakeDevice *device;
        Refusal refusal;
        Client client;
        unsigned n = 0;

        s = scene_leased(&client);
        device = fake_kernel_find(s->kernel, DEVICE);
        fake_device_hold(device, 1000, 4711, "sleep");
        if (active) {
                assert_eq_int(manager_kill_holders(s->manager, &ROOT, 1, &refusal, &s->changes), 0);
                client_close(&client);
        } else {
                client_close(&client);
                scene_watch(s);
                scene_commit(s);
                assert(task_runner_step(&s->tasks, &s->changes));
                assert_eq_int(kill_all(s), 0);   /* not before root has said so */
                assert_eq_int(manager_kill_holders(s->manager, &ROOT, 1, &refusal, &s->changes), 0);
        }
        assert_eq_int(scene_lease(s, 1)->state, LEASE_DRAINING);
        assert_eq_int(kill_all(s), 0);           /* nobody who was not found just now */

        for (unsigned i = 0; i < 4 && n == 0; i++) {
                scene_commit(s);
                assert(task_runner_step(&s->tasks, &s->changes));
                n = kill_all(s);
        }
        assert_eq_int(n, 1);
        assert_has(scene_changes(s), "lease-kill 1 " DEVICE " 4711");

        /* it is found again before it is gone, and not told a second time; then somebody else is found */
        device->holders.items[1] = (Holder) { .pid = 4712, .comm = "other" };
        device->holders.n_items = 2;
        scene_commit(s);
        task_runner_take(&s->tasks);
        for (unsigned i = 0; i < s->tasks.n_waiting; i++)
                if (s->tasks.waiting[i].kind == TASK_PROVE_FREE) {
                        task_runner_run_one(&s->tasks, i, &s->changes);
                        break;
                }
        assert_has(scene_changes(s), "lease-kill 1 " DEVICE " 4712");
        assert(!strstr(scene_changes(s), "4711"));

        scene_run(s);
        assert(!scene_lease(s, 1));
        assert_has(s->kernel->journal, "kill_holder " DEVICE " 4711\n");
        assert_eq_str(device->driver, "nvme");
}

static void test_device_gone(void) {
        _cleanup_scene_ Scene *s = NULL;
        Client client;

        s = scene_leased(&client);
        scene_unplug(s, "0000:01:00.1");
        assert_has(scene_changes(s), "lease-device-gone 1 0000:01:00.1");
        assert_eq_int(scene_lease(s, 1)->state, LEASE_ACTIVE);
        scene_commit(s);

        /* the last one: it is told before the lease has ended */
        scene_unplug(s, DEVICE);
        assert_has(scene_changes(s), "lease-device-gone 1 " DEVICE ", ");
        assert_has(scene_changes(s), "lease-ended 1");
        scene_commit(s);
        client_close(&client);
}

/* It is the group's, and not the lease's: nothing is done to it, and it is nobody else's either. */
static void test_group_grew(void) {
        _cleanup_scene_ Scene *s = NULL;
        Client client;

        s = scene_leased(&client);
        scene_add(s, "0000:01:00.2", 1, "");
        assert_has(scene_changes(s), "lease-group-grew 1 0000:01:00.2");
        scene_commit(s);
        assert_eq_int(scene_acquire(s, &BOB, "0000:01:00.2"), OUTCOME_TAKEN);
        scene_add(s, "0000:02:00.0", 2, "nvme");
        assert(!strstr(scene_changes(s), "grew"));

        client_close(&client);
        scene_watch(s);
        scene_run(s);
        assert(!scene_lease(s, 1));
        assert_eq_str(fake_kernel_find(s->kernel, "0000:01:00.2")->driver, "");
}

int main(void) {
        test_request();
        test_request_refused();
        test_request_survives();
        test_client_survives();
        test_kill_refused();
        test_kill(/* active= */ true);
        test_kill(/* active= */ false);
        test_kill_survives(/* active= */ true);
        test_kill_survives(/* active= */ false);
        test_device_gone();
        test_group_grew();
        return 0;
}
