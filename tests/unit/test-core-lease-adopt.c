/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The daemon is killed and started again, at every point in the life of a lease: what it finds is finished
 * or undone, and a client that holds its devices keeps them.
 */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/lease-private.h"
#include "core/lease-record.h"
#include "fake/assert.h"
#include "fake/scene.h"

/* How much of a task's work was done when the daemon died: its result was never heard of. */
typedef enum Death {
        DEATH_BEFORE,
        DEATH_HALFWAY,
        DEATH_AFTER,
        _DEATH_MAX,
} Death;

static void build(Scene *s) {
        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:01:00.1", 1, "ixgbe");
        scene_add(s, "0000:02:00.0", 2, "vfio-pci");
        strcpy(fake_kernel_find(s->kernel, "0000:02:00.0")->override, "vfio-pci");
        scene_keep(s);
        scene_monitor(s);
        scene_commit(s);
}

/* The work of the oldest task, as far as it came, without anybody to hear its result. */
static void do_in_vain(Scene *s, Death death) {
        TaskResult result;

        if (task_runner_take(&s->tasks) == 0 || death == DEATH_BEFORE)
                return;

        s->kernel->fail_call = death == DEATH_HALFWAY ? "set_driver" : NULL;
        task_run(&s->tasks.waiting[0], &s->kernel_port, &result);
        s->kernel->fail_call = NULL;
}

/* What is left is given up by its client, and brought to its end. */
static void finish(Scene *s, Client *client, const Before *before) {
        client_close(client);
        scene_watch(s);
        scene_run(s);
        scene_assert_as_before(s, before);
}

/* Dies when @n tasks are done. Returns false when there were not so many. */
static bool die_after_tasks(unsigned n, Death death, bool client_dies_too) {
        _cleanup_scene_ Scene *s = scene_new();
        Client client = { .lifeline = -EBADF, .iommufd = -EBADF };
        bool was_active;
        Before before;

        build(s);
        scene_remember(s, &before);
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0", "02:00.0"), OUTCOME_GRANTED);
        scene_commit(s);

        for (unsigned i = 0; i < n; i++) {
                if (scene_step(s))
                        continue;

                /* it is active, and its client has it; or it was, and goes on to its end */
                if (!scene_lease(s, 1))
                        return false;
                if (client.n_devices == 0)
                        scene_hand_over(s, 1, &client);
                else {
                        client_close(&client);
                        scene_watch(s);
                        scene_commit(s);
                }
        }

        was_active = scene_lease(s, 1) && scene_lease(s, 1)->state == LEASE_ACTIVE && client.n_devices > 0;
        do_in_vain(s, death);
        if (client_dies_too)
                client_close(&client);
        scene_restart(s);

        if (was_active) {
                Lease *lease = scene_lease(s, 1);

                assert_eq_int(lease->state, LEASE_ACTIVE);
                assert_eq_int(lease->subject.uid, ALICE.uid);
                assert_eq_int(scene_acquire(s, &BOB, "02:00.0"), OUTCOME_TAKEN);
                scene_watch(s);
                assert_eq_int(lease->state, client_dies_too ? LEASE_DRAINING : LEASE_ACTIVE);
        }

        finish(s, &client, &before);
        return true;
}

/* And once more while it is going on with what it has found. */
static void test_dies_twice(void) {
        for (unsigned n = 0; n < 8; n++) {
                _cleanup_scene_ Scene *s = scene_new();
                Client client = { .lifeline = -EBADF, .iommufd = -EBADF };
                Before before;

                build(s);
                scene_remember(s, &before);
                assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
                scene_run(s);
                scene_restart(s);
                scene_watch(s);
                for (unsigned i = 0; i < n; i++)
                        scene_step(s);
                do_in_vain(s, DEATH_HALFWAY);
                scene_restart(s);
                finish(s, &client, &before);
        }
}

/* The record speaks of a lifeline; what was kept is another pipe, or none. */
static void test_wrong_lifeline(void) {
        for (unsigned kept = 0; kept < 2; kept++) {
                _cleanup_scene_ Scene *s = scene_new();
                FakeStoreItem *item;
                Before before;
                Client client;
                int pipes[2];

                build(s);
                scene_remember(s, &before);
                scene_grant(s, &ALICE, "02:00.0");
                scene_hand_over(s, 1, &client);

                item = &s->fake_store->items[0];
                close_fd(item->lifeline);
                assert_ok(pipe2(pipes, O_CLOEXEC));
                item->lifeline = kept ? pipes[0] : -EBADF;
                if (!kept)
                        close_fd(pipes[0]);

                scene_restart(s);
                assert_eq_int(scene_lease(s, 1)->state, LEASE_DRAINING);
                close_fd(pipes[1]);
                finish(s, &client, &before);
        }
}

/* Devices were unplugged while the daemon was away. */
static void test_unplugged(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Client client;

        build(s);
        scene_grant(s, &ALICE, "01:00.0", "02:00.0");
        scene_hand_over(s, 1, &client);
        client_close(&client);
        fake_kernel_find(s->kernel, "0000:01:00.0")->gone = true;
        scene_restart(s);
        scene_watch(s);
        scene_run(s);
        assert(!scene_lease(s, 1));
        assert_eq_str(fake_kernel_find(s->kernel, "0000:01:00.1")->driver, "ixgbe");
        assert_eq_str(fake_kernel_find(s->kernel, "0000:02:00.0")->driver, "vfio-pci");
}

/* Which device has which is of no account here. */
static void set_nodes(Scene *s) {
        for (size_t i = 0; i < s->manager->devices.n_items; i++) {
                Device *device = s->manager->devices.items[i];

                if (strcmp(device->facts.driver, "vfio-pci") == 0)
                        strcpy(device->facts.cdev, "vfio0");
        }
}

/* What the kernel shows while it waits for who has the device open: a driver still, and no node. */
static void set_leaving(Scene *s, const char *name) {
        DeviceFacts *facts = scene_facts(s, name);

        assert_eq_str(facts->driver, "vfio-pci");
        memset(facts->cdev, 0, sizeof(facts->cdev));
}

/* What holders of active leases were told, or not, is told by the next daemon. */
static void test_reminded(void) {
        static const struct {
                const char *gone, *leaving, *asked;
                bool noticed;
                const char *told, *not_told;
        } table[] = {
                { .not_told = "lease-" },
                { .asked = "new firmware", .told = "lease-requested 1" },
                { .noticed = true, .told = "lease-expires 1", .not_told = "lease-requested" },
                { .leaving = "0000:02:00.0", .told = "lease-requested 1" },
                { .leaving = "0000:02:00.0", .asked = "new firmware", .told = "lease-requested 1" },
                { .leaving = "0000:01:00.1", .not_told = "lease-requested" },        /* a companion */
                { .gone = "0000:02:00.0", .told = "lease-device-gone 1 0000:02:00.0",
                  .not_told = "lease-requested" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_scene_ Scene *s = scene_new();
                const char *told;
                Refusal refusal;
                Client client;

                build(s);
                strcpy(s->client, "bus:1.42");
                scene_grant(s, &ALICE, "01:00.0", "02:00.0");
                scene_hand_over(s, 1, &client);
                scene_lease(s, 1)->noticed = table[i].noticed;
                if (table[i].noticed)
                        scene_lease(s, 1)->until_usec = UINT64_MAX;
                assert_eq_int(manager_request_release(s->manager, &ALICE, 1,
                                      table[i].asked ?: "", 77, &refusal, &s->changes), 0);
                if (!table[i].asked)
                        scene_lease(s, 1)->request_reason[0] = '\0';
                lease_save_progress(scene_lease(s, 1), &s->changes);
                scene_commit(s);

                if (table[i].gone)
                        fake_kernel_find(s->kernel, table[i].gone)->gone = true;
                scene_restart(s);
                set_nodes(s);
                if (table[i].leaving)
                        set_leaving(s, table[i].leaving);
                manager_remind_holders(s->manager, &s->changes);
                told = scene_changes(s);
                if (table[i].told)
                        assert_has(told, table[i].told);
                if (table[i].not_told)
                        assert(!strstr(told, table[i].not_told));
                if (table[i].told && strstr(table[i].told, "requested"))
                        assert(!strstr(strstr(told, "lease-requested") + 1, "lease-requested"));
                if (table[i].leaving && table[i].told)
                        assert_has(scene_lease(s, 1)->reason, "is being unplugged");
                assert_eq_int(scene_lease(s, 1)->state, LEASE_ACTIVE);
                client_close(&client);
        }
}

/* The only one went while nobody was there to see it: nothing is left to be held. */
static void test_reminded_of_nothing(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Client client;

        build(s);
        scene_grant(s, &ALICE, "02:00.0");
        scene_hand_over(s, 1, &client);
        fake_kernel_find(s->kernel, "0000:02:00.0")->gone = true;
        scene_restart(s);
        assert_eq_int(scene_lease(s, 1)->state, LEASE_ACTIVE);
        manager_remind_holders(s->manager, &s->changes);
        scene_run(s);
        assert(!scene_lease(s, 1));
        client_close(&client);
}

/* A record as the store may have it too: of a lease that had ended, and could not be removed. */
static void leave_record(Scene *s, uint64_t lease, const char *state, const char *devices) {
        FakeStoreItem *item = &s->fake_store->items[s->fake_store->n_items++];

        *item = (FakeStoreItem) { .lease = lease, .lifeline = -EBADF };
        assert(asprintf(&item->record,
                        "version=1 id=%u state=%s mode=vmm accounting=process uid=1001 own-userns=1 pid=7 "
                        "since=5 lifeline=pipe:9\n%s",
                        (unsigned) lease, state, devices) >= 0);
}

/*
 * What a record of the past says of a device is not done to who has it now, whichever of the two is read
 * first, and whatever state the past one was in.
 */
static void test_stale(void) {
        static const char dirty[] =
                "device=0000:01:00.0 subsystem=pci driver=nvme override= target=vfio-pci given=1 handed=1 "
                "recycle=1 dirty=1\n"
                "device=0000:01:00.1 subsystem=pci driver=ahci override= target=vfio-pci given=0 handed=0 "
                "recycle=0 dirty=1\n";
        static const struct {
                uint64_t lease;
                const char *state;
        } table[] = {
                { 1, "active" }, { 1, "draining" }, { 1, "restoring" }, { 3, "draining" }, { 3, "active" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_scene_ Scene *s = scene_new();
                Client client;
                Before before;

                build(s);
                scene_remember(s, &before);
                s->manager->last_lease = 1;
                scene_grant(s, &ALICE, "01:00.0");
                scene_hand_over(s, 2, &client);
                leave_record(s, table[i].lease, table[i].state, dirty);

                scene_restart(s);
                assert_eq_int(scene_lease(s, 2)->state, LEASE_ACTIVE);
                assert_eq_int(s->manager->leases.n_items, 1);
                assert_eq_int(s->fake_store->n_items, 1);
                assert_eq_int(task_runner_take(&s->tasks), 0);
                assert_eq_str(fake_kernel_find(s->kernel, "0000:01:00.0")->driver, "vfio-pci");
                finish(s, &client, &before);
        }
}

/* Of two that were both being given back, the younger knows what the drivers were. */
static void test_stale_twice(void) {
        static const char old[] =
                "device=0000:01:00.0 subsystem=pci driver=ahci override= target=vfio-pci given=1 handed=0 "
                "recycle=0 dirty=1\n";
        static const char both[] =
                "device=0000:01:00.0 subsystem=pci driver=nvme override= target=vfio-pci given=1 handed=0 "
                "recycle=0 dirty=1 power=auto\n";
        static const char other[] =
                "device=0000:02:00.0 subsystem=pci driver=vfio-pci override=vfio-pci target= given=1 "
                "handed=1 recycle=1 dirty=1\n";
        _cleanup_free_ char *old_and_other = NULL;
        _cleanup_scene_ Scene *s = scene_new();
        Before before;

        build(s);
        scene_remember(s, &before);
        assert(asprintf(&old_and_other, "%s%s", old, other) >= 0);
        leave_record(s, 4, "restoring", old_and_other);
        leave_record(s, 5, "restoring", both);
        strcpy(fake_kernel_find(s->kernel, "0000:01:00.0")->driver, "vfio-pci");
        strcpy(fake_kernel_find(s->kernel, "0000:01:00.0")->override, "vfio-pci");

        /* what nobody else has is looked after all the same */
        scene_restart(s);
        assert_eq_int(scene_lease(s, 4)->n_devices, 1);
        assert_eq_str(scene_lease(s, 4)->devices[0].name, "0000:02:00.0");
        scene_run(s);
        scene_assert_as_before(s, &before);
}

/* The next lease is not mistaken for the one before. */
static void test_numbers(void) {
        _cleanup_scene_ Scene *s = scene_new();
        uint64_t last = LIMIT_LEASE_NUMBERS;
        Client client;

        build(s);
        scene_grant(s, &ALICE, "01:00.0");
        assert_eq_int(s->lease, 1);
        scene_restart(s);
        scene_grant(s, &BOB, "02:00.0");
        assert_eq_int(s->lease, last + 1);
        scene_hand_over(s, last + 1, &client);
        client_close(&client);
        scene_watch(s);
        scene_run(s);

        /* nor when nothing of that one is left: a client may still know its path */
        assert_eq_int(s->manager->leases.n_items, 0);
        scene_restart(s);
        for (unsigned i = 1; i <= LIMIT_LEASE_NUMBERS; i++) {
                assert_eq_int(scene_acquire(s, &BOB, "02:00.0"), OUTCOME_GRANTED);
                assert_eq_int(s->lease, 2 * last + i);
                scene_run(s);
                scene_hand_over(s, s->lease, &client);
                client_close(&client);
                scene_watch(s);
                scene_run(s);
        }

        /* a number that can't be written down is not given to anybody */
        s->kernel->fail_call = "save_last_lease";
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_KERNEL_FAILED);
        assert_has(s->refusal.text, "save_last_lease 64");
        assert_eq_int(s->manager->leases.n_items, 0);
        s->kernel->fail_call = NULL;
}

#define LONG_NAME "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_texts(void) {
        static const char first[] =
                "version=1 id=7 state=active mode=vmm accounting=process uid=1000 own-userns=1 pid=4711 "
                "since=5 client=bus:1.42 lifeline=pipe:9\n";
        static const char device[] =
                "device=0000:01:00.0 subsystem=pci driver=nvme override= target=vfio-pci given=1 handed=1 "
                "recycle=1 dirty=1\n";
        static const struct {
                const char *a, *b;
                int expected;
        } table[] = {
                { first, device, 0 },
                { "", "", -EBADMSG },
                { first, "", -EBADMSG },
                { device, first, -EBADMSG },
                { "version=2 id=7\n", device, -EPROTONOSUPPORT },
                { "version=two id=7\n", device, -EBADMSG },
                { "version=1 id=0 state=active\n", device, -EBADMSG },
                { "version=1 id=7 state=gone\n", device, -EBADMSG },
                { "version=1 id=7 mode=legacy\n", device, -EBADMSG },
                { "version=1 id=7 uid=-1\n", device, -EBADMSG },
                { "version=1 id=7 lifeline=socket:9\n", device, -EBADMSG },
                { "version=1 id=7 own-userns=2\n", device, -EBADMSG },
                { "version=1 id=7 unknown=1\n", device, -EBADMSG },
                { "version=1 id=7 state\n", device, -EBADMSG },
                { first, "device=../../etc subsystem=pci given=1\n", -EBADMSG },
                { first, "device=a driver=x/y given=1\n", -EBADMSG },
                { first, "device=a given=1 unknown=1\n", -EBADMSG },
                { first, "device=a given=0\ndevice=b given=1\n", -EBADMSG },
                { first,
                  "device=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa given=1\n",
                  -EBADMSG },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_free_ char *text = NULL, *again = NULL;
                _cleanup_scene_ Scene *s = scene_new();
                Lease *lease = NULL;
                int r;

                assert(asprintf(&text, "%s%s", table[i].a, table[i].b) >= 0);
                r = lease_record_read(s->manager, text, &lease);
                if (r != table[i].expected)
                        assert_failed(__FILE__, __LINE__, text, "gave %d", r);
                if (r < 0) {
                        assert_eq_int(s->manager->leases.n_items, 0);
                        continue;
                }

                /* what is written of it is what was read */
                assert_ok(lease_record_write(lease, &again));
                assert_eq_str(again, text);
                assert_eq_int(lease_record_read(s->manager, text, &lease), -EEXIST);
        }
}

static int no_lifeline(void *userdata, uint64_t lease) {
        return -EBADF;
}

/* More groups than a lease can have: we have not written such a record, but it must not be the end of us. */
static void test_too_many_groups(void) {
        static const char first[] =
                "version=1 id=7 state=restoring mode=vmm accounting=process uid=0 own-userns=1 pid=1 "
                "since=5 lifeline=pipe:9\n";
        _cleanup_scene_ Scene *s = scene_new();
        char text[4096];
        Lease *lease;
        size_t n;

        n = (size_t) snprintf(text, sizeof(text), "%s", first);
        for (unsigned i = 0; i < 12; i++) {
                char name[KERNEL_NAME_MAX];

                snprintf(name, sizeof(name), "0000:%02x:00.0", i + 1);
                scene_add(s, name, i + 1, "nvme");
                n += (size_t) snprintf(text + n, sizeof(text) - n,
                                       "device=%s subsystem=pci driver=nvme given=%d\n", name, i == 0);
        }

        assert_ok(lease_record_read(s->manager, text, &lease));
        manager_adopt_leases(
                s->manager, no_lifeline, /* take_fd= */ NULL, /* userdata= */ NULL, &s->changes);
        scene_commit(s);
        assert_eq_int(s->manager->leases.n_items, 0);
}

int main(void) {
        for (Death death = 0; death < _DEATH_MAX; death++)
                for (unsigned dies = 0; dies < 2; dies++) {
                        unsigned n = 0;

                        while (die_after_tasks(n, death, dies))
                                n++;
                        assert(n > 8);
                }

        test_dies_twice();
        test_wrong_lifeline();
        test_unplugged();
        test_reminded();
        test_reminded_of_nothing();
        test_stale();
        test_stale_twice();
        test_numbers();
        test_texts();
        test_too_many_groups();
        return 0;
}
