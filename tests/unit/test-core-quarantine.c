/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What was not reset after its last tenant: who gets it, who does not, and for how long. */

#include "core/quarantine.h"
#include "core/store.h"
#include "fake/assert.h"
#include "fake/scene.h"

#define DEVICE "0000:01:00.0"

/* A store of which writing down the quarantine fails so many times. */
typedef struct QuarantineStore {
        unsigned n_fail;
        char *text;                          /* what was written last; owned */
} QuarantineStore;

static int fake_save(void *userdata, const Lease *lease, KernelFailure *reterr) {
        return 0;
}

static int fake_save_last_lease(void *userdata, uint64_t id, KernelFailure *reterr) {
        return 0;
}

static void fake_forget(void *userdata, const Lease *lease) {
}

static int fake_save_quarantine(void *userdata, const Quarantine *quarantine, KernelFailure *reterr) {
        QuarantineStore *store = userdata;

        if (store->n_fail > 0) {
                store->n_fail--;
                return kernel_failure(reterr, -ENOSPC, "writing the quarantine");
        }

        free(store->text);
        return quarantine_write(quarantine, &store->text);
}

static int fake_keep_lifeline(void *userdata, uint64_t lease, int fd, KernelFailure *reterr) {
        return 0;
}

static Store quarantine_store_port(QuarantineStore *store) {
        static const StoreOps ops = {
                .save = fake_save,
                .keep_lifeline = fake_keep_lifeline,
                .save_last_lease = fake_save_last_lease,
                .forget = fake_forget,
                .save_quarantine = fake_save_quarantine,
        };

        return (Store) { .ops = &ops, .userdata = store };
}

static const QuarantineEntry *entry_of(const Scene *s, const char *device) {
        return quarantine_find(s->manager->quarantine, device);
}

/* A lease that comes and goes, as far as it goes by itself. */
static void tenancy(Scene *s, const Subject *subject, const char *selector) {
        Client client;

        scene_grant(s, subject, selector);
        scene_hand_over(s, s->lease, &client);
        client_close(&client);
        scene_watch(s);
        scene_run(s);
}

static void assert_quarantined(Scene *s, const Subject *subject, const char *selector) {
        assert_eq_int(scene_acquire(s, subject, selector), OUTCOME_QUARANTINED);
        assert_has(s->refusal.text, "is in quarantine: it");
        assert_has(s->refusal.text, "iommuctl quarantine clear");
}

static void test_reset_failed(void) {
        _cleanup_scene_ Scene *s = scene_new();
        FakeDevice *device;
        Refusal refusal;
        Before before;
        Client client;

        device = scene_add(s, DEVICE, 1, "nvme");
        scene_commit(s);
        scene_remember(s, &before);
        device->reset = PROVE_RESET_FAILED;

        scene_grant(s, &ALICE, DEVICE);
        scene_hand_over(s, s->lease, &client);
        client_close(&client);
        scene_watch(s);
        assert_eq_int(task_runner_take(&s->tasks), 1);
        task_runner_run_one(&s->tasks, 0, &s->changes);
        assert_has(scene_changes(s), "device-quarantined " DEVICE);
        scene_run(s);

        /* the host has its driver back, and nobody else gets the device */
        scene_assert_as_before(s, &before);
        assert_eq_str(entry_of(s, DEVICE)->reason, "its reset failed: reset " DEVICE ": Input/output error");
        assert_eq_int(entry_of(s, DEVICE)->uid, ALICE.uid);
        assert_quarantined(s, &ALICE, DEVICE);
        assert_quarantined(s, &BOB, DEVICE);
        assert_quarantined(s, &ROOT, DEVICE);

        /* who may not have it anyway does not hear of it */
        assert_eq_int(scene_acquire(s, &STRANGER, DEVICE), OUTCOME_DENIED);

        assert_eq_int(manager_clear_quarantine(s->manager, &ALICE, DEVICE, &refusal, &s->changes),
                      OUTCOME_DENIED);
        assert_eq_int(manager_clear_quarantine(s->manager, &CONTAINER_ROOT, DEVICE, &refusal, &s->changes),
                      OUTCOME_DENIED);
        assert(entry_of(s, DEVICE));
        assert_eq_int(manager_clear_quarantine(s->manager, &ROOT, "02:00.0", &refusal, &s->changes),
                      OUTCOME_NO_SUCH_DEVICE);
        assert_eq_int(manager_clear_quarantine(s->manager, &ROOT, "pf=", &refusal, &s->changes),
                      OUTCOME_INVALID_SELECTOR);
        scene_commit(s);
        assert_eq_int(manager_clear_quarantine(s->manager, &ROOT, "8086:10d3", &refusal, &s->changes), 0);
        assert_eq_str(scene_changes(s), "device-cleared " DEVICE);
        scene_commit(s);

        device->reset = 0;
        tenancy(s, &BOB, DEVICE);
        assert(!entry_of(s, DEVICE));
        scene_assert_as_before(s, &before);
}

static void test_no_reset(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Before before;

        scene_add(s, DEVICE, 1, "")->reset = PROVE_NO_RESET;
        scene_commit(s);
        scene_remember(s, &before);

        tenancy(s, &ALICE, DEVICE);
        assert_eq_int(entry_of(s, DEVICE)->kind, QUARANTINE_NO_RESET);
        assert_has(entry_of(s, DEVICE)->reason, "only uid 1000, who had it last, and root may have it");
        assert_quarantined(s, &BOB, DEVICE);

        /* the same again, of which there is no news */
        tenancy(s, &ALICE, DEVICE);
        assert_eq_int(s->manager->quarantine->n_entries, 1);
        assert_quarantined(s, &BOB, DEVICE);

        /* what root leaves in it is not for the user who had it before */
        tenancy(s, &ROOT, DEVICE);
        assert_eq_int(s->manager->quarantine->n_entries, 1);
        assert_quarantined(s, &ALICE, DEVICE);
        tenancy(s, &ROOT, DEVICE);
        scene_assert_as_before(s, &before);
}

/*
 * What can't be unbound is not, and may be with its last tenant still, in a descriptor that nobody can see.
 */
static void test_no_proof(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Before before;

        scene_add(s, DEVICE, 1, "vfio-pci");
        strcpy(manager_find_device(s->manager, DEVICE)->facts.subsystem, "mdev");
        strcpy(manager_find_device(s->manager, DEVICE)->facts.cdev, "vfio0");
        scene_commit(s);
        scene_remember(s, &before);

        scene_grant(s, &ALICE, DEVICE);
        assert(!manager_find_lease(s->manager, s->lease)->devices[0].recycle);
        manager_hangup(s->manager, s->lease, "test", &s->changes);
        scene_run(s);
        scene_assert_as_before(s, &before);
        assert_eq_int(entry_of(s, DEVICE)->kind, QUARANTINE_NO_PROOF);
        assert_has(entry_of(s, DEVICE)->reason, "only uid 1000, who had it last, and root may have it");
        assert(quarantine_entry_admits(entry_of(s, DEVICE), &ALICE));
        assert(quarantine_entry_admits(entry_of(s, DEVICE), &ROOT));
        assert_quarantined(s, &BOB, DEVICE);
}

/* A number alone is nobody: that of root in a container is the same as root's. */
static void test_admits(void) {
        const QuarantineEntry of_root = { .kind = QUARANTINE_NO_RESET, .uid = 0, .own_userns = true };
        const QuarantineEntry of_container = { .kind = QUARANTINE_NO_RESET, .uid = 0 };
        const QuarantineEntry failed = { .uid = 1000, .own_userns = true };

        assert(quarantine_entry_admits(&of_root, &ROOT));
        assert(!quarantine_entry_admits(&of_root, &CONTAINER_ROOT));
        assert(quarantine_entry_admits(&of_container, &CONTAINER_ROOT));
        assert(quarantine_entry_admits(&of_container, &ROOT));
        assert(!quarantine_entry_admits(&of_container, &ALICE));
        assert(!quarantine_entry_admits(&failed, &ALICE));
        assert(!quarantine_entry_admits(&failed, &ROOT));
}

/* The devices of a group reach the same memory. */
static void test_group(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Refusal refusal;

        scene_add(s, DEVICE, 1, "nvme")->reset = PROVE_NO_RESET;
        scene_add(s, "0000:01:00.1", 1, "");
        scene_add(s, "0000:02:00.0", 2, "nvme");
        tenancy(s, &ALICE, DEVICE);

        assert_quarantined(s, &BOB, "01:00.1");
        tenancy(s, &BOB, "02:00.0");
        tenancy(s, &ALICE, "01:00.1");
        assert_eq_int(manager_clear_quarantine(s->manager, &ROOT, "group:1", &refusal, &s->changes), 0);
        tenancy(s, &BOB, "01:00.1");
}

/* Neither another driver nor unplugging resets a device, and it can be cleared while it is not there. */
static void test_until_cleared(void) {
        _cleanup_scene_ Scene *s = scene_new();
        FakeDevice *device;
        Refusal refusal;

        device = scene_add(s, DEVICE, 1, "nvme");
        device->reset = PROVE_RESET_FAILED;
        tenancy(s, &ALICE, DEVICE);

        strcpy(device->driver, "pci-stub");
        scene_monitor(s);
        assert_quarantined(s, &ALICE, DEVICE);
        scene_unplug(s, DEVICE);
        scene_commit(s);
        scene_add(s, DEVICE, 3, "nvme");
        scene_commit(s);
        assert_quarantined(s, &ALICE, DEVICE);

        scene_unplug(s, DEVICE);
        scene_commit(s);
        assert_eq_int(manager_clear_quarantine(s->manager, &ROOT, "group:1", &refusal, &s->changes),
                      OUTCOME_NO_SUCH_DEVICE);
        assert_eq_int(manager_clear_quarantine(s->manager, &ROOT, "01:00.0", &refusal, &s->changes), 0);
        scene_commit(s);
        scene_add(s, DEVICE, 3, "nvme")->reset = 0;
        tenancy(s, &BOB, DEVICE);
}

/* As long as it is on no record the lease keeps the device; and what could not be cleared is not. */
static void test_store_fails(void) {
        _cleanup_scene_ Scene *s = scene_new();
        QuarantineStore fake = { .n_fail = 3 };
        Store store = quarantine_store_port(&fake);
        Refusal refusal;
        Client client;
        Lease *lease;

        manager_set_store(s->manager, &store);
        scene_add(s, DEVICE, 1, "nvme")->reset = PROVE_RESET_FAILED;
        lease = scene_grant(s, &ALICE, DEVICE);
        scene_hand_over(s, s->lease, &client);
        client_close(&client);
        scene_watch(s);
        for (unsigned i = 0; i < 3; i++) {
                assert(scene_step(s));
                assert_eq_int(lease->state, LEASE_DRAINING);
                assert_has(lease->reason, "writing the quarantine: No space left on device");
                assert(!entry_of(s, DEVICE));
        }
        scene_run(s);
        assert(!scene_lease(s, 1));
        assert(entry_of(s, DEVICE));
        assert_has(fake.text, "device=" DEVICE " kind=reset-failed uid=1000 own-userns=1 reason=its reset");

        fake.n_fail = 1;
        assert_eq_int(manager_clear_quarantine(s->manager, &ROOT, DEVICE, &refusal, &s->changes),
                      OUTCOME_KERNEL_FAILED);
        assert(entry_of(s, DEVICE));
        assert_eq_str(scene_changes(s), "");
        assert_eq_int(manager_clear_quarantine(s->manager, &ROOT, DEVICE, &refusal, &s->changes), 0);
        assert_eq_str(fake.text, "version=1\n");
        free(fake.text);
}

/* Whichever call fails, a lease that was granted does not end before its device is in quarantine. */
static void test_every_failure(void) {
        for (unsigned n = 1;; n++) {
                _cleanup_scene_ Scene *s = scene_new();
                Client client;

                scene_add(s, DEVICE, 1, "nvme")->reset = PROVE_RESET_FAILED;
                scene_commit(s);
                s->kernel->fail_at = n;
                if (scene_acquire(s, &ALICE, DEVICE) > 0)
                        continue;
                scene_run(s);
                if (s->answer.outcome != OUTCOME_GRANTED)
                        continue;

                scene_hand_over(s, s->lease, &client);
                client_close(&client);
                scene_watch(s);
                scene_run(s);
                assert(entry_of(s, DEVICE));
                if (!s->kernel->failed[0])
                        break;
        }
}

static void test_text(void) {
        static const char twice[] = "version=1\n"
                                    "device=a kind=no-reset uid=1 own-userns=1 reason=x\n"
                                    "device=a kind=reset-failed uid=1 own-userns=1 reason=x\n";
        static const char *const bad[] = {
                "",
                "version=2x\n",
                "version=1\nnonsense\n",
                "version=1\ndevice= kind=no-reset uid=1 own-userns=1 reason=x\n",
                "version=1\ndevice=a kind=none uid=1 own-userns=1 reason=x\n",
                "version=1\ndevice=a kind=no-reset uid=-1 own-userns=1 reason=x\n",
                "version=1\ndevice=a kind=no-reset uid=1 own-userns=2 reason=x\n",
                "version=1\ndevice=a kind=no-reset uid=1 own-userns=1\n",
                "version=1\ndevice=a kind=no-reset uid=1 own-userns=1 why=x\n",
                "version=1\ndevice=a kind=no-reset uid=1 own-userns=1 reason=x\n\ndevice=a kind=no-reset\n",
                twice,
        };
        static const char good[] = "version=1\n"
                                   "device=a kind=no-reset uid=1 own-userns=0 reason=of two words\n"
                                   "device=b kind=reset-failed uid=4294967294 own-userns=1 reason=\n";
        _cleanup_(quarantine_freep) Quarantine *quarantine = NULL;
        _cleanup_free_ char *text = NULL;

        assert_ok(quarantine_new(&quarantine));
        assert_ok(quarantine_read(quarantine, good));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_eq_int(quarantine_read(quarantine, bad[i]), -EBADMSG);
        assert_eq_int(quarantine_read(quarantine, "version=2\n"), -EPROTONOSUPPORT);

        assert_eq_int(quarantine->n_entries, 2);
        assert_eq_str(quarantine_find(quarantine, "a")->reason, "of two words");
        assert(!quarantine_find(quarantine, "c"));
        assert_ok(quarantine_write(quarantine, &text));
        assert_eq_str(text, good);
}

/*
 * The record is lost: nobody gets anything that root has not cleared, one by one or all at once; bridges are
 * nobody's anyway.
 */
static void test_lost(void) {
        _cleanup_scene_ Scene *s = scene_new();
        _cleanup_(quarantine_freep) Quarantine *again = NULL;
        QuarantineStore kept = {};
        Store store = quarantine_store_port(&kept);
        Refusal refusal;

        scene_add(s, DEVICE, 1, "vfio-pci");
        scene_add(s, "0000:02:00.0", 2, "vfio-pci");
        scene_add(s, "0000:02:00.1", 2, "");
        scene_add(s, "0000:01:1f.0", 1, "pcieport");
        scene_facts(s, "0000:01:1f.0")->bridge = true;
        s->manager->quarantine->lost = true;
        manager_set_store(s->manager, &store);
        scene_commit(s);

        assert_eq_int(scene_acquire(s, &ALICE, DEVICE), OUTCOME_QUARANTINED);
        assert_has(s->refusal.text, "the record of what is in quarantine was damaged");
        assert_eq_int(scene_acquire(s, &ROOT, DEVICE), OUTCOME_QUARANTINED);
        scene_add(s, "0000:05:00.0", 5, "vfio-pci");
        scene_commit(s);
        assert_eq_int(scene_acquire(s, &ROOT, "05:00.0"), OUTCOME_QUARANTINED);

        assert_eq_int(manager_clear_quarantine(s->manager, &ALICE, "all", &refusal, &s->changes),
                      OUTCOME_DENIED);
        assert_eq_int(manager_clear_quarantine(s->manager, &ROOT, DEVICE, &refusal, &s->changes), 0);
        assert_eq_str(scene_changes(s), "device-cleared " DEVICE);
        assert_has(kept.text, "lost\n");
        assert_has(kept.text, "device=" DEVICE " kind=cleared");
        scene_commit(s);
        assert_eq_int(manager_clear_quarantine(s->manager, &ROOT, DEVICE, &refusal, &s->changes),
                      OUTCOME_NO_SUCH_DEVICE);

        /* that one can be had again, and be put into quarantine again; its sibling counts by itself */
        fake_kernel_find(s->kernel, DEVICE)->reset = PROVE_RESET_FAILED;
        tenancy(s, &ALICE, DEVICE);
        assert_eq_int(entry_of(s, DEVICE)->kind, QUARANTINE_RESET_FAILED);
        assert_eq_int(manager_clear_quarantine(s->manager, &ROOT, "02:00.0", &refusal, &s->changes), 0);
        assert_eq_int(scene_acquire(s, &ALICE, "02:00.0"), OUTCOME_QUARANTINED);
        assert_has(s->refusal.text, "0000:02:00.1 is in quarantine");

        /* all of this is still so after a restart */
        assert_ok(quarantine_new(&again));
        assert_ok(quarantine_read(again, kept.text));
        assert(again->lost && !quarantine_find(again, "0000:02:00.0"));
        assert_eq_int(quarantine_find(again, DEVICE)->kind, QUARANTINE_RESET_FAILED);
        assert_eq_int(quarantine_find(again, "0000:09:00.0")->kind, QUARANTINE_UNKNOWN);

        scene_commit(s);
        assert_eq_int(manager_clear_quarantine(s->manager, &ROOT, "all", &refusal, &s->changes), 0);
        assert_has(scene_changes(s), "device-cleared " DEVICE);
        assert_has(scene_changes(s), "device-cleared 0000:02:00.1");
        assert_has(scene_changes(s), "device-cleared 0000:05:00.0");
        assert(!strstr(scene_changes(s), "device-cleared 0000:02:00.0"));
        assert(!s->manager->quarantine->lost && s->manager->quarantine->n_entries == 0);
        scene_commit(s);
        assert_eq_int(manager_clear_quarantine(s->manager, &ROOT, "all", &refusal, &s->changes),
                      OUTCOME_NO_SUCH_DEVICE);

        fake_kernel_find(s->kernel, DEVICE)->reset = 0;
        tenancy(s, &ALICE, DEVICE);
        manager_set_store(s->manager, NULL);
        free(kept.text);
}

int main(void) {
        test_lost();
        for (QuarantineKind kind = 0; kind < _QUARANTINE_KIND_MAX; kind++)
                assert_eq_int(quarantine_kind_from_string(quarantine_kind_to_string(kind)), kind);

        test_reset_failed();
        test_no_reset();
        test_no_proof();
        test_admits();
        test_group();
        test_until_cleared();
        test_store_fails();
        test_every_failure();
        test_text();
        return 0;
}
