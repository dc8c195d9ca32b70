/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every call to the kernel fails in turn, over the whole life of a lease: alone, and with all that follow
 * it. Whatever happens, the caller has one answer, and in the end every device is as it was.
 */

#include "fake/assert.h"
#include "fake/scene.h"

typedef struct Topology {
        const char *name;
        void (*build)(Scene *scene);
        const char *const *selectors;
} Topology;

static void build_one_device(Scene *s) {
        scene_add(s, "0000:01:00.0", 1, "nvme");
}

static void build_ready_device(Scene *s) {
        scene_add(s, "0000:01:00.0", 1, "vfio-pci");
}

static void build_two_devices(Scene *s) {
        scene_add(s, "0000:01:00.0", 1, "ixgbe");
        scene_add(s, "0000:01:00.1", 1, "");
        strcpy(fake_kernel_find(s->kernel, "0000:01:00.1")->override, "something");
}

static void build_companion(Scene *s) {
        scene_add(s, "0000:01:00.0", 1, "vfio-pci");
        scene_add(s, "0000:01:00.1", 1, "snd_hda_intel");
}

static void build_two_groups(Scene *s) {
        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:02:00.0", 2, "nvme");
        scene_add(s, "0000:02:00.1", 2, "vfio-pci");
}

static const Topology topologies[] = {
        { "one device", build_one_device, (const char *const[]) { "01:00.0", NULL } },
        { "one device on vfio-pci", build_ready_device, (const char *const[]) { "01:00.0", NULL } },
        { "two of one group", build_two_devices, (const char *const[]) { "01:00.0", "01:00.1", NULL } },
        { "a companion", build_companion, (const char *const[]) { "01:00.0", NULL } },
        { "two groups", build_two_groups, (const char *const[]) { "02:00.1", "01:00.0", "02:00.0", NULL } },
};

static void assert_refused(const Refusal *refusal, const char *call) {
        assert_eq_int(refusal->outcome, OUTCOME_KERNEL_FAILED);
        assert_has(refusal->text, call);
        assert_has(refusal->text, "(EIO)");
}

/* Ends the lease, as its client, if it is active. */
static void hang_up(Scene *s) {
        Client client;

        if (!scene_lease(s, s->lease) || scene_lease(s, s->lease)->state != LEASE_ACTIVE)
                return;

        scene_hand_over(s, s->lease, &client);
        client_close(&client);
        scene_watch(s);
}

/* Acquire to end with the n-th call failing. Returns false when there were not so many calls. */
static bool fail_once(const Topology *topology, TaskOrder order, unsigned n) {
        _cleanup_scene_ Scene *s = scene_new();
        Refusal refusal;
        bool granted;
        Before before;

        topology->build(s);
        scene_keep(s);
        scene_monitor(s);
        scene_commit(s);
        scene_remember(s, &before);
        s->tasks.order = order;
        s->kernel->fail_at = n;

        if (scene_acquire_strv(s, &ALICE, topology->selectors) > 0) {
                assert_refused(&s->refusal, s->kernel->failed);
                assert_eq_int(s->n_answers, 0);
                assert_eq_int(scene_count_changes(s, CHANGE_LEASE_ADDED), 0);
                scene_assert_as_before(s, &before);
                return true;
        }

        scene_run(s);
        assert_eq_int(s->n_answers, 1);
        granted = s->answer.outcome == OUTCOME_GRANTED;
        if (granted)
                hang_up(s);
        else {
                assert_refused(&s->answer, s->kernel->failed);
                assert(!scene_lease(s, s->lease));
        }
        scene_run(s);

        /* Giving back is not tried again by itself: an administrator has to see why it failed. */
        if (scene_lease(s, s->lease)) {
                assert_eq_int(scene_lease(s, s->lease)->state, LEASE_STUCK);
                assert_has(scene_lease(s, s->lease)->reason, s->kernel->failed);
                assert_eq_int(manager_release(s->manager, &ROOT, s->lease, &refusal, &s->changes), 0);
                scene_run(s);
        }

        /* news that the kernel did not give come from the monitor */
        if (strncmp(s->kernel->failed, "read_driver", strlen("read_driver")) == 0)
                scene_monitor(s);

        assert_eq_int(s->n_answers, 1);
        scene_assert_as_before(s, &before);
        return s->kernel->failed[0];
}

/* The kernel fails from the n-th call on, until it is mended and root says so. */
static bool fail_for_good(const Topology *topology, TaskOrder order, unsigned n) {
        _cleanup_scene_ Scene *s = scene_new();
        Refusal refusal;
        Before before;

        topology->build(s);
        scene_keep(s);
        scene_monitor(s);
        scene_commit(s);
        scene_remember(s, &before);
        s->tasks.order = order;
        s->kernel->fail_at = n;
        s->kernel->fail_on = true;

        if (scene_acquire_strv(s, &ALICE, topology->selectors) > 0) {
                assert_refused(&s->refusal, "");
                scene_assert_as_before(s, &before);
                return true;
        }

        for (unsigned i = 0; i < 24; i++) {
                hang_up(s);
                if (!scene_step(s))
                        break;
        }
        assert_eq_int(s->n_answers, 1);      /* nobody waits for what can't be mended */

        s->kernel->fail_at = 0;
        scene_run(s);
        hang_up(s);
        scene_run(s);
        if (scene_lease(s, s->lease)) {
                assert_eq_int(scene_lease(s, s->lease)->state, LEASE_STUCK);
                assert(scene_lease(s, s->lease)->reason[0]);
                assert_eq_int(scene_acquire(s, &BOB, "group:1"), OUTCOME_DRAINING);
                assert_eq_int(manager_release(s->manager, &ROOT, s->lease, &refusal, &s->changes), 0);
                scene_run(s);
        }

        scene_monitor(s);
        assert_eq_int(s->n_answers, 1);
        scene_assert_as_before(s, &before);
        return s->kernel->failed[0];
}

/* What can't be written down is not begun: nobody would know what to put back. */
static void test_no_record(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Before before;

        build_one_device(s);
        scene_keep(s);
        scene_commit(s);
        scene_remember(s, &before);
        s->kernel->fail_call = "save 1";
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
        scene_run(s);
        assert_eq_int(s->answer.outcome, OUTCOME_KERNEL_FAILED);
        assert(!strstr(s->kernel->journal, "set_driver"));
        scene_assert_as_before(s, &before);
}

/* What the process itself lacks: the two descriptors of the lifeline, before all others. */
static void test_no_lifeline(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Before before;

        build_one_device(s);
        scene_commit(s);
        scene_remember(s, &before);
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);

        limit_fds(1);
        scene_run(s);
        unlimit_fds();

        assert_eq_int(s->answer.outcome, OUTCOME_KERNEL_FAILED);
        assert_has(s->answer.text, "pipe2");
        scene_assert_as_before(s, &before);
}

int main(void) {
        for (size_t i = 0; i < ELEMENTSOF(topologies); i++)
                for (TaskOrder order = 0; order < _TASK_ORDER_MAX; order++) {
                        unsigned n, m;

                        for (n = 1; fail_once(&topologies[i], order, n); n++)
                                ;
                        for (m = 1; fail_for_good(&topologies[i], order, m); m++)
                                ;
                        printf("%s: %u calls, each failed\n", topologies[i].name, n - 1);
                        assert(n > 5 && m > 5);
                }

        test_no_record();
        test_no_lifeline();
        return 0;
}
