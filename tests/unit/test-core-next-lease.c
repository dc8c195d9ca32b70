/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is ready for the lease to come: it is there before anybody asks, is that lease's and no other's, and
 * nothing depends on it.
 */

#include <inttypes.h>
#include <poll.h>

#include "base/fd.h"
#include "core/next-lease.h"
#include "fake/assert.h"
#include "fake/child.h"
#include "fake/scene.h"

#define DEVICE "0000:01:00.0"

static void build(Scene *s) {
        scene_add(s, DEVICE, 1, "vfio-pci");
        scene_add(s, "0000:02:00.0", 2, "nvme");
        scene_keep(s);
        scene_monitor(s);
        scene_commit(s);
}

/* What the service manager has for a lease; NULL: nothing. */
static const FakeStoreItem *stored(const Scene *s, uint64_t lease) {
        for (unsigned i = 0; i < s->fake_store->n_items; i++)
                if (s->fake_store->items[i].lease == lease && s->fake_store->items[i].lifeline >= 0)
                        return &s->fake_store->items[i];

        return NULL;
}

static bool has_hung_up(int lifeline) {
        struct pollfd poll_fd = { .fd = lifeline };

        return poll(&poll_fd, 1, 0) == 1 && poll_fd.revents & POLLHUP;
}

static unsigned n_calls(Scene *s) {
        return s->kernel->n_calls;
}

/* The lease has it, and the store was not asked again for either the number or the lifeline. */
static void test_used(void) {
        _cleanup_scene_ Scene *s = scene_new();
        unsigned with, without;
        Client client;
        Lease *lease;

        build(s);
        without = n_calls(s);
        lease = scene_grant(s, &ALICE, DEVICE);
        without = n_calls(s) - without;
        scene_hand_over(s, lease->id, &client);
        client_close(&client);
        scene_watch(s);
        scene_run(s);

        assert(manager_wants_next_lease(s->manager));
        manager_prepare_next_lease(s->manager);
        assert(!manager_wants_next_lease(s->manager));
        assert_eq_int(s->manager->next.id, 2);
        assert(stored(s, 2) && !stored(s, 2)->record);

        with = n_calls(s);
        lease = scene_grant(s, &ALICE, DEVICE);
        with = n_calls(s) - with;
        assert_eq_int(lease->id, 2);
        assert_eq_int(without - with, 2);
        assert(stored(s, 2)->record);
        assert(manager_wants_next_lease(s->manager));

        /* it is the lease's, over a restart too */
        scene_hand_over(s, 2, &client);
        scene_restart(s);
        lease = scene_lease(s, 2);
        assert(lease && lease->state == LEASE_ACTIVE);
        client_close(&client);
        assert(has_hung_up(lease->lifeline));
        scene_watch(s);
        scene_run(s);
        assert(!scene_lease(s, 2));
        assert(!stored(s, 2));
}

/* A plan that comes to nothing leaves it; a lease that comes to nothing takes it along. */
static void test_not_granted(void) {
        _cleanup_scene_ Scene *s = scene_new();

        build(s);
        manager_prepare_next_lease(s->manager);
        assert_eq_int(scene_acquire(s, &STRANGER, DEVICE), OUTCOME_DENIED);
        assert_eq_int(s->manager->next.id, 1);
        assert(stored(s, 1));

        s->kernel->fail_call = "set_driver";
        assert_eq_int(scene_acquire(s, &ALICE, "0000:02:00.0"), OUTCOME_GRANTED);
        scene_run(s);
        s->kernel->fail_call = NULL;
        assert_eq_int(s->answer.outcome, OUTCOME_KERNEL_FAILED);
        if (scene_lease(s, 1)) {
                Refusal refusal;

                assert_eq_int(manager_release(s->manager, &ROOT, 1, &refusal, &s->changes), 0);
                scene_run(s);
        }
        assert(!stored(s, 1));

        manager_prepare_next_lease(s->manager);
        assert_eq_int(s->manager->next.id, 2);
}

/* While one lease is prepared, which takes its time, the next has something of its own. */
static void test_two(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Client first, second;

        build(s);
        manager_prepare_next_lease(s->manager);
        assert_eq_int(scene_acquire(s, &ALICE, "0000:02:00.0"), OUTCOME_GRANTED);
        manager_prepare_next_lease(s->manager);
        assert_eq_int(s->manager->next.id, 2);
        assert_eq_int(scene_acquire(s, &ALICE, DEVICE), OUTCOME_GRANTED);
        scene_run(s);

        scene_hand_over(s, 1, &first);
        scene_hand_over(s, 2, &second);
        client_close(&second);
        assert(has_hung_up(scene_lease(s, 2)->lifeline));
        assert(!has_hung_up(scene_lease(s, 1)->lifeline));
        client_close(&first);
        scene_watch(s);
        scene_run(s);
}

/* Instead of a pipe there is a holder, who is kept under the same name. */
static void test_holder(void) {
        _cleanup_(child_done) Child child = CHILD_INIT;
        _cleanup_scene_ Scene *s = scene_new();
        Lease *lease;

        if (!child_start(&child, /* flags= */ 0))
                return;

        build(s);
        manager_prepare_next_lease(s->manager);
        s->holder = child.pidfd;
        lease = scene_grant(s, &ALICE, DEVICE);
        assert(lease->lifeline_is_pidfd);
        assert_eq_int(lease->lifeline_client, -EBADF);
        assert(stored(s, 1));
        assert(!has_hung_up(stored(s, 1)->lifeline));

        child_end(&child);
        scene_watch(s);
        scene_run(s);
        assert(!stored(s, 1));
}

/* Each of its calls fails: nothing stays behind, and a lease is granted all the same. */
static void test_failures(void) {
        for (unsigned n = 1;; n++) {
                _cleanup_scene_ Scene *s = scene_new();
                unsigned before;

                build(s);
                before = n_calls(s);
                s->kernel->fail_at = before + n;
                manager_prepare_next_lease(s->manager);
                s->kernel->fail_at = 0;
                if (n_calls(s) - before < n) {
                        assert_eq_int(n - 1, 2);
                        assert(stored(s, 1));
                        return;
                }

                assert(manager_wants_next_lease(s->manager));
                assert(!stored(s, 1));
                assert_eq_int(scene_grant(s, &ALICE, DEVICE)->id, 1);
        }
}

/* The daemon is killed before it was used, or ends. */
static void test_unused(void) {
        _cleanup_scene_ Scene *s = scene_new();

        build(s);
        manager_prepare_next_lease(s->manager);
        scene_restart(s);
        /* nobody has the other end, by which it is known that it's nobody's: see sys/state-store.c */
        assert(has_hung_up(stored(s, 1)->lifeline));
        assert_eq_int(s->manager->leases.n_items, 0);

        manager_prepare_next_lease(s->manager);
        assert(s->manager->next.id > 1);
        manager_drop_next_lease(s->manager);
        assert(!stored(s, s->fake_store->last_lease));
        assert_eq_int(s->manager->next.id, 0);
}

int main(void) {
        test_used();
        test_not_granted();
        test_two();
        test_holder();
        test_failures();
        test_unused();
        return 0;
}
