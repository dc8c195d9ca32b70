/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of a lease when all goes well: what is done in which order, what is handed over, who ends it. */

#include "core/account.h"
#include "fake/assert.h"
#include "fake/child.h"
#include "fake/scene.h"

static void test_rebind(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Account *account;
        Before before;
        Client client;
        Lease *lease;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_commit(s);
        scene_remember(s, &before);

        /* nothing happens to the host in the call itself */
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
        assert_eq_str(fake_kernel_drivers(s->kernel), before.drivers);
        assert_eq_str(scene_changes(s), "lease-added 1, group-changed 1, device-changed 0000:01:00.0");
        lease = scene_lease(s, s->lease);
        assert_eq_int(lease->state, LEASE_PREPARING);
        assert_eq_int(lease->since_usec, SCENE_NOW_USEC);
        assert_eq_int(group_dma_owner(manager_find_group(s->manager, 1)), DMA_OWNER_LEASED);
        assert_ok(manager_get_account(s->manager, ALICE.uid, NULL, &account));
        assert_eq_int(account->used[ACCOUNT_LEASES], 1);
        assert_eq_int(account->used[ACCOUNT_DEVICES], 1);

        scene_run(s);
        assert_eq_int(lease->state, LEASE_ACTIVE);
        assert_eq_int(s->n_answers, 1);
        assert_eq_int(s->answer.outcome, OUTCOME_GRANTED);

        scene_hand_over(s, s->lease, &client);
        assert_eq_int(client.n_devices, 1);
        assert(fake_device_is_fd(fake_kernel_find(s->kernel, "0000:01:00.0"), client.devices[0]));
        scene_watch(s);
        assert_eq_int(lease->state, LEASE_ACTIVE);

        client_close(&client);
        scene_watch(s);
        assert_eq_int(lease->state, LEASE_DRAINING);
        assert_eq_str(lease->end_cause, "its lifeline was closed");
        scene_run(s);

        scene_assert_as_before(s, &before);
        assert_eq_str(s->kernel->journal,
                      "set_driver 0000:01:00.0 vfio-pci vfio-pci\n"
                      "probe_group 1\n"
                      "open_context process\n"
                      "open_device 0000:01:00.0\n"
                      "prove_free 0000:01:00.0\n"
                      "set_driver 0000:01:00.0 nvme -\n");
        assert_eq_int(s->n_answers, 1);
}

/* What is on the VFIO driver already is handed over at once, and unbound before it goes to anybody else. */
static void test_ready(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Before before;
        Client client;

        strcpy(scene_add(s, "0000:01:00.0", 1, "vfio-pci")->override, "vfio-pci");
        fake_kernel_find(s->kernel, "0000:01:00.0")->power = POWER_CONTROL_ON;
        scene_monitor(s);
        scene_commit(s);
        scene_remember(s, &before);

        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
        assert_eq_str(scene_changes(s),
                      "lease-added 1, group-changed 1, device-changed 0000:01:00.0, lease-changed 1, "
                                        "lease-answered 1");
        assert_eq_int(scene_lease(s, 1)->state, LEASE_ACTIVE);

        scene_hand_over(s, 1, &client);
        client_close(&client);
        scene_watch(s);
        scene_run(s);
        scene_assert_as_before(s, &before);
        assert_eq_str(s->kernel->journal,
                      "probe_group 1\n"
                      "open_context process\n"
                      "open_device 0000:01:00.0\n"
                      "prove_free 0000:01:00.0\n"
                      "set_driver 0000:01:00.0 - vfio-pci\n"
                      "set_driver 0000:01:00.0 vfio-pci vfio-pci\n");
}

static void test_two_groups(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Before before;
        Client client;
        Lease *lease;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:01:00.1", 1, "ixgbe");
        scene_add(s, "0000:01:00.2", 1, "");
        scene_add(s, "0000:02:00.0", 2, "vfio-pci");
        scene_commit(s);
        scene_remember(s, &before);

        lease = scene_grant(s, &ALICE, "02:00.0", "01:00.1");
        assert_eq_int(lease->n_groups, 2);
        assert_eq_int(lease->n_given, 2);
        assert_eq_int(lease->n_devices, 3);
        assert_eq_str(lease->devices[0].name, "0000:02:00.0");       /* in the order of the request */
        assert_eq_str(lease->devices[1].name, "0000:01:00.1");
        assert_eq_str(lease->devices[2].name, "0000:01:00.0");       /* a companion, taken from its driver */
        assert_eq_int(s->n_answers, 1);

        scene_hand_over(s, s->lease, &client);
        assert(fake_device_is_fd(fake_kernel_find(s->kernel, "0000:02:00.0"), client.devices[0]));
        assert(fake_device_is_fd(fake_kernel_find(s->kernel, "0000:01:00.1"), client.devices[1]));
        assert_eq_int(client.n_devices, 2);
        assert_eq_int(fake_device_n_open(fake_kernel_find(s->kernel, "0000:01:00.0")), 0);

        client_close(&client);
        scene_watch(s);
        scene_run(s);
        scene_assert_as_before(s, &before);
        assert(!strstr(s->kernel->journal, "prove_free 0000:01:00.0"));     /* nobody has ever had it */
}

static void test_release(void) {
        static const struct {
                const Subject *owner, *subject;
                int expected;
        } table[] = {
                { &ALICE, &ALICE, 0 },
                { &ALICE, &ROOT, 0 },
                { &ALICE, &BOB, OUTCOME_DENIED },
                { &ALICE, &STRANGER, OUTCOME_DENIED },
                { &ALICE, &CONTAINER_ROOT, OUTCOME_DENIED },
                { &ROOT, &ROOT, 0 },
                { &ROOT, &ALICE, OUTCOME_DENIED },
                { &ROOT, &CONTAINER_ROOT, OUTCOME_DENIED },          /* the same number, not the same user */
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_scene_ Scene *s = scene_new();
                Refusal refusal = {};
                Lease *lease;

                scene_add(s, "0000:01:00.0", 1, "vfio-pci");
                lease = scene_grant(s, table[i].owner, "01:00.0");

                assert_eq_int(manager_release(s->manager, table[i].subject, 1, &refusal, &s->changes),
                              table[i].expected);
                assert_eq_int(lease->state, table[i].expected == 0 ? LEASE_DRAINING : LEASE_ACTIVE);
                assert_eq_int(refusal.outcome, table[i].expected);
                assert_eq_str(scene_changes(s),
                              table[i].expected == 0 ? "lease-ending 1, lease-changed 1" : "");
                assert(lease->ended_by == (table[i].expected == 0 ? table[i].subject->uid : (uid_t) -1));

                /* a second time is no error, and no news */
                scene_commit(s);
                assert_eq_int(manager_release(s->manager, table[i].subject, 1, &refusal, &s->changes),
                              table[i].expected);
                assert_eq_str(scene_changes(s), "");
                scene_run(s);
        }
}

static void test_no_such_lease(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Refusal refusal;

        assert_eq_int(manager_release(s->manager, &ROOT, 1, &refusal, &s->changes), OUTCOME_NO_SUCH_DEVICE);
        manager_hangup(s->manager, 1, "its lifeline was closed", &s->changes);
        assert_eq_str(scene_changes(s), "");
}

static void test_holder(void) {
        _cleanup_(child_done) Child holder = CHILD_INIT;
        _cleanup_scene_ Scene *s = scene_new();
        Before before;
        Client client;

        if (!child_start(&holder, /* flags= */ 0))
                return;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_commit(s);
        scene_remember(s, &before);
        s->holder = holder.pidfd;
        scene_grant(s, &ALICE, "01:00.0");
        scene_hand_over(s, 1, &client);
        assert_eq_int(client.lifeline, -EBADF);
        assert(scene_lease(s, 1)->lifeline != holder.pidfd);         /* which is the caller's, and may go */
        client_close(&client);
        scene_watch(s);
        assert_eq_int(scene_lease(s, 1)->state, LEASE_ACTIVE);

        child_end(&holder);
        before.n_fds--;                      /* what has kept it alive */
        scene_watch(s);
        scene_run(s);
        scene_assert_as_before(s, &before);
}

static void test_ended_while_prepared(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Refusal refusal;
        Before before;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:02:00.0", 2, "nvme");
        scene_commit(s);
        scene_remember(s, &before);

        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0", "02:00.0"), OUTCOME_GRANTED);
        assert(scene_step(s));               /* one is rebound, one is under way */
        assert_eq_int(manager_release(s->manager, &ROOT, s->lease, &refusal, &s->changes), 0);
        assert_eq_int(scene_lease(s, s->lease)->state, LEASE_PREPARING);
        scene_run(s);

        assert_eq_int(s->n_answers, 1);
        assert_eq_int(s->answer.outcome, OUTCOME_DRAINING);
        assert_has(s->answer.text, "uid 0 released it");
        assert(!strstr(s->kernel->journal, "open_"));
        scene_assert_as_before(s, &before);
}

/* The end of the program: nothing is given back, but nothing of it is left open either. */
static void test_free(void) {
        unsigned n_fds = count_fds();
        Scene *s = scene_new();

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:02:00.0", 2, "vfio-pci");
        scene_add(s, "0000:03:00.0", 3, "nvme");
        assert_eq_int(scene_acquire(s, &ALICE, "02:00.0"), OUTCOME_GRANTED);
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
        scene_free(s);
        assert_eq_int(count_fds(), n_fds);
}

int main(void) {
        test_rebind();
        test_ready();
        test_two_groups();
        test_release();
        test_no_such_lease();
        test_holder();
        test_ended_while_prepared();
        test_free();
        return 0;
}
