/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "core/approved.h"
#include "fake/assert.h"
#include "fake/scene.h"

#define NVME "0000:01:00.0"
#define AUDIO "0000:01:00.1"
#define PORT "0000:00:1c.0"

static const ClaimRequest PLAIN = {}, PERSISTENT = { .set_persistent = true, .persistent = true },
                          ACCEPT = { .accept = true };

/* A group of two with drivers of the kernel's, and the bridge above them. */
static Scene *scene_two(void) {
        Scene *s = scene_new();

        scene_keep(s);
        scene_add(s, PORT, 1, "pcieport");
        scene_add(s, NVME, 1, "nvme");
        scene_add(s, AUDIO, 1, "snd_hda_intel");
        scene_commit(s);
        return s;
}

static void assert_parked(Scene *s) {
        assert_eq_str(manager_find_group(s->manager, 1)->claim->reason, "");
        assert_eq_str(scene_claim_state(s, 1), "parked");
        assert_eq_str(dma_owner_to_string(group_dma_owner(manager_find_group(s->manager, 1))), "parked");
        assert(fake_device_is_bound(fake_kernel_find(s->kernel, NVME)));
        assert(fake_device_is_bound(fake_kernel_find(s->kernel, AUDIO)));
        assert_eq_str(fake_kernel_drivers(s->kernel),
                      PORT "=pcieport/- " NVME "=vfio-pci/vfio-pci " AUDIO "=vfio-pci/vfio-pci ");
}

static void test_park(void) {
        _cleanup_scene_ Scene *s = scene_two();
        Before before;

        scene_remember(s, &before);
        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_GRANTED);
        assert_parked(s);
        assert_eq_int(s->n_answers, 1);
        assert_eq_str(device_original_driver(manager_find_device(s->manager, NVME)), "nvme");

        /* once more is no error, and changes nothing */
        s->kernel->journal[0] = '\0';
        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_GRANTED);
        assert_eq_str(s->kernel->journal, "");
        assert_parked(s);

        assert_eq_int(scene_unclaim(s, 1), OUTCOME_GRANTED);
        assert_eq_str(scene_claim_state(s, 1), "none");
        scene_assert_as_before(s, &before);
        assert_eq_int(scene_unclaim(s, 1), OUTCOME_NO_SUCH_DEVICE);
}

/* Rules see the driver that the host has for it, and not the one that the claim has given it. */
static void test_policy_sees_original(void) {
        _cleanup_scene_ Scene *s = scene_two();
        DeviceMatch *match = &s->manager->policy->rules[0].devices[0];

        *match = (DeviceMatch) { .keys = 1U << DEVICE_KEY_DRIVER, .driver = "nvme" };
        assert_eq_int(scene_acquire(s, &ALICE, NVME), OUTCOME_DENIED);
        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_GRANTED);
        assert_parked(s);
        assert_eq_int(scene_acquire(s, &ALICE, NVME), OUTCOME_DENIED);

        strcpy(match->driver, "vfio-pci");
        assert_eq_int(scene_acquire(s, &ALICE, NVME), OUTCOME_GRANTED);
}

static void test_refusals(void) {
        _cleanup_scene_ Scene *s = scene_two();
        uint64_t id;
        Before before;

        scene_remember(s, &before);
        assert_eq_int(manager_claim(s->manager, &ALICE, 1, &PLAIN, &id, &s->refusal, &s->changes),
                      OUTCOME_DENIED);
        assert(!strstr(s->refusal.text, "uid 0"));
        assert_eq_int(manager_claim(s->manager, &CONTAINER_ROOT, 1, &PLAIN, &id, &s->refusal, &s->changes),
                      OUTCOME_DENIED);
        assert_has(s->refusal.text, "this uid 0 was not proved to be this host's root");
        assert_eq_int(manager_unclaim(s->manager, &ALICE, 1, &id, &s->refusal, &s->changes), OUTCOME_DENIED);
        assert_eq_int(scene_claim(s, 7, &PLAIN), OUTCOME_NO_SUCH_DEVICE);

        s->host = (FakeHost) { .device = AUDIO, .use = "it plays" };
        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_HOST_IN_USE);
        s->host = (FakeHost) {};

        scene_facts(s, AUDIO)->n_vfs = 2;
        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_NOT_SUPPORTED);
        scene_facts(s, AUDIO)->n_vfs = 0;

        s->kernel->foreign = 1;
        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_TAKEN);
        s->kernel->foreign = GROUP_NONE;
        scene_assert_as_before(s, &before);

        /* who has it keeps it, and who has none gets it when it is released */
        scene_grant(s, &ALICE, NVME);
        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_TAKEN);
}

/* The devices never leave the VFIO driver while the group changes hands. */
static void test_lend(void) {
        _cleanup_scene_ Scene *s = scene_two();
        Client client;
        Before before;

        scene_remember(s, &before);
        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_GRANTED);
        s->kernel->journal[0] = '\0';

        scene_grant(s, &ALICE, NVME);
        assert_eq_str(scene_claim_state(s, 1), "lent");
        assert_eq_str(s->kernel->journal, "close_device " NVME "\nclose_device " AUDIO "\n"
                                          "open_context process\nopen_device " NVME "\n");
        assert_eq_int(s->fake_store->n_fds, 0);
        scene_hand_over(s, s->lease, &client);
        assert(!fake_device_is_bound(fake_kernel_find(s->kernel, NVME)));

        /* neither is for anybody else now */
        assert_eq_int(scene_acquire(s, &BOB, AUDIO), OUTCOME_TAKEN);
        assert_eq_int(scene_unclaim(s, 1), OUTCOME_TAKEN);
        assert_eq_int(scene_claim(s, 1, &PERSISTENT), OUTCOME_GRANTED);

        client_close(&client);
        scene_watch(s);
        scene_run(s);
        assert_parked(s);
        assert_eq_int(s->fake_store->n_fds, 3);

        assert_eq_int(scene_unclaim(s, 1), OUTCOME_GRANTED);
        scene_assert_as_before(s, &before);
}

/* An Acquire that fails after the group was let go of gives it back to the claim. */
static void test_lend_fails(void) {
        _cleanup_scene_ Scene *s = scene_two();

        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_GRANTED);
        s->kernel->fail_call = "open_context";
        assert_eq_int(scene_acquire(s, &ALICE, NVME), OUTCOME_GRANTED);
        while (s->answer.outcome == OUTCOME_GRANTED)
                assert(scene_step(s));
        s->kernel->fail_call = NULL;
        assert_eq_int(s->answer.outcome, OUTCOME_KERNEL_FAILED);

        /* that was the same call that parking needs: it is tried again on root's word */
        scene_run(s);
        if (strcmp(scene_claim_state(s, 1), "parked") != 0)
                assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_GRANTED);
        assert_parked(s);
}

/* Each call of a Claim fails in turn: all is put back, or all of it was done. */
static void test_claim_fails(void) {
        for (unsigned n = 1;; n++) {
                _cleanup_scene_ Scene *s = scene_two();
                Before before;
                int r;

                scene_remember(s, &before);
                s->kernel->fail_at = s->kernel->n_calls + n;
                r = scene_claim(s, 1, &PERSISTENT);
                if (s->kernel->n_calls < s->kernel->fail_at) {
                        assert_eq_int(r, OUTCOME_GRANTED);
                        assert(n > 14);
                        break;
                }

                s->kernel->fail_at = 0;
                if (r == OUTCOME_GRANTED) {
                        /* it asked what it did not have to know */
                        assert_parked(s);
                        assert_eq_int(scene_unclaim(s, 1), OUTCOME_GRANTED);
                } else
                        assert_eq_int(r, OUTCOME_KERNEL_FAILED);
                scene_assert_as_before(s, &before);
        }
}

/* What can't be written down is not begun: nobody would know what to put back. */
static void test_no_record(void) {
        _cleanup_scene_ Scene *s = scene_two();
        Before before;

        scene_remember(s, &before);
        s->kernel->fail_call = "save_claim";
        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_KERNEL_FAILED);
        s->kernel->fail_call = NULL;
        assert(!strstr(s->kernel->journal, "set_driver"));
        scene_assert_as_before(s, &before);

        /* nor is the way back, of which the next daemon would know nothing */
        assert_eq_int(scene_claim(s, 1, &PERSISTENT), OUTCOME_GRANTED);
        s->kernel->journal[0] = '\0';
        s->kernel->fail_call = "save_claim";
        assert_eq_int(scene_unclaim(s, 1), OUTCOME_KERNEL_FAILED);
        s->kernel->fail_call = NULL;
        assert_eq_str(s->kernel->journal, "");
        assert_eq_int(scene_unclaim(s, 1), OUTCOME_GRANTED);
        scene_assert_as_before(s, &before);
}

/* What was approved, and what lasts, is what is on record, and nothing else. */
static void test_no_approval(void) {
        _cleanup_scene_ Scene *s = scene_two();
        const Group *group = manager_find_group(s->manager, 1);
        const ApprovedGroup *approved;

        s->kernel->fail_call = "save_approved";
        assert_eq_int(scene_claim(s, 1, &PERSISTENT), OUTCOME_KERNEL_FAILED);
        assert_eq_str(scene_claim_state(s, 1), "none");
        assert(!approved_find(s->manager->approved, group));

        s->kernel->fail_call = NULL;
        assert_eq_int(scene_claim(s, 1, &PERSISTENT), OUTCOME_GRANTED);
        s->kernel->fail_call = "save_approved";
        assert_eq_int(scene_unclaim(s, 1), OUTCOME_KERNEL_FAILED);
        s->kernel->fail_call = NULL;
        assert_parked(s);
        approved = approved_find(s->manager->approved, group);
        assert(approved && approved->persistent && group->claim->persistent);
}

/* Each call on the way from a lease back to being parked, and of Release: nothing gets out of our hands. */
static void test_return_fails(void) {
        for (unsigned n = 1;; n++) {
                _cleanup_scene_ Scene *s = scene_two();
                Client client;
                Before before;
                bool last;
                int r;

                scene_remember(s, &before);
                assert_eq_int(scene_claim(s, 1, &PERSISTENT), OUTCOME_GRANTED);
                scene_grant(s, &ALICE, NVME);
                scene_hand_over(s, s->lease, &client);
                client_close(&client);
                s->kernel->fail_at = s->kernel->n_calls + n;
                scene_watch(s);
                scene_run(s);
                last = s->kernel->n_calls < s->kernel->fail_at;
                s->kernel->fail_at = 0;

                assert_eq_str(fake_kernel_find(s->kernel, AUDIO)->driver, "vfio-pci");
                assert_eq_str(fake_kernel_find(s->kernel, NVME)->override, "vfio-pci");
                if (manager_find_group(s->manager, 1)->lease) {
                        assert_ok(manager_release(s->manager, &ROOT, s->lease, &s->refusal, &s->changes));
                        scene_run(s);
                }
                if (strcmp(scene_claim_state(s, 1), "parked") != 0) {
                        assert_eq_str(scene_claim_state(s, 1), "failed");
                        assert_eq_int(scene_acquire(s, &ALICE, NVME), OUTCOME_NOT_VIABLE);
                        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_GRANTED);
                }
                assert_parked(s);

                s->kernel->fail_at = last ? 0 : s->kernel->n_calls + n;
                r = scene_unclaim(s, 1);
                s->kernel->fail_at = 0;
                if (r != OUTCOME_GRANTED)
                        assert_eq_int(scene_unclaim(s, 1), OUTCOME_GRANTED);
                scene_assert_as_before(s, &before);
                if (last)
                        break;
        }
}

/* The daemon ends after each task of a claim, a hand-over, the way back and a release. */
static void test_restart_anywhere(void) {
        bool done = false;

        for (unsigned n = 0; !done; n++) {
                _cleanup_scene_ Scene *s = scene_two();
                Client client = {};
                unsigned i = 0;
                Before before;
                uint64_t id;

                scene_remember(s, &before);
                assert_ok(manager_claim(
                        s->manager, &ROOT, 1, &PERSISTENT, &id, &s->refusal, &s->changes));
                while (i < n && scene_step(s))
                        i++;
                if (i < n && scene_acquire(s, &ALICE, NVME) == OUTCOME_GRANTED)
                        while (i < n && scene_step(s))
                                i++;
                if (i < n) {
                        scene_hand_over(s, s->lease, &client);
                        client_close(&client);
                        scene_watch(s);
                        while (i < n && scene_step(s))
                                i++;
                }
                done = i < n;

                scene_restart(s);
                scene_run(s);
                /* a hang-up that nobody has seen */
                scene_watch(s);
                scene_run(s);
                if (strcmp(scene_claim_state(s, 1), "none") == 0)
                        assert_eq_int(scene_claim(s, 1, &PERSISTENT), OUTCOME_GRANTED);
                assert_parked(s);
                assert_eq_int(s->fake_store->n_fds, 3);

                assert_ok(manager_unclaim(s->manager, &ROOT, 1, &id, &s->refusal, &s->changes));
                for (i = 0; i < n && scene_step(s); i++)
                        ;
                scene_restart(s);
                scene_run(s);
                scene_assert_as_before(s, &before);
        }
}

/* Who asked for it has seen the daemon go, and has no answer: it is undone, at whichever task that was. */
static void test_restart_fresh(void) {
        bool done = false;

        for (unsigned n = 0; !done; n++) {
                _cleanup_scene_ Scene *s = scene_two();
                Before before;
                uint64_t id;

                scene_remember(s, &before);
                assert_ok(manager_claim(s->manager, &ROOT, 1, &PLAIN, &id, &s->refusal, &s->changes));
                for (unsigned i = 0; i < n && scene_step(s); i++)
                        ;
                done = strcmp(scene_claim_state(s, 1), "parked") == 0;

                scene_restart(s);
                scene_run(s);
                assert_eq_str(scene_claim_state(s, 1), done ? "parked" : "none");
                if (!done)
                        scene_assert_as_before(s, &before);
        }
}

/* It ended when the driver was back already, and what the driver makes of power/control was not undone. */
static void test_restart_power(void) {
        _cleanup_scene_ Scene *s = scene_two();
        FakeDevice *nvme = fake_kernel_find(s->kernel, NVME);
        Before before;
        uint64_t id;

        scene_remember(s, &before);
        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_GRANTED);
        assert_ok(manager_unclaim(s->manager, &ROOT, 1, &id, &s->refusal, &s->changes));
        while (!strstr(s->kernel->journal, "set_driver " NVME " nvme"))
                assert(scene_step(s));
        nvme->power = POWER_CONTROL_ON;
        scene_restart(s);
        scene_run(s);
        scene_assert_as_before(s, &before);
}

/* What comes back bound to something else, or not at all, is not trusted. */
static void test_restart_proves(void) {
        static const char *const names[] = { "claim-1-iommufd", "claim-1-device-0", "claim-1-device-1" };

        for (unsigned i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_scene_ Scene *s = scene_two();

                assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_GRANTED);
                fake_store_lose_fd(s->fake_store, names[i]);
                scene_restart(s);
                scene_run(s);
                assert_parked(s);
                assert_eq_int(s->fake_store->n_fds, 3);
        }

        for (unsigned i = 0; i < 2; i++) {
                _cleanup_scene_ Scene *s = scene_two();

                assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_GRANTED);
                s->kernel->journal[0] = '\0';
                s->kernel->fail_call = i ? "check_parked" : NULL;
                scene_restart(s);
                s->kernel->fail_call = NULL;
                scene_run(s);
                assert_parked(s);
                /* proved: it was bound all the time. Not: it was closed, and bound anew */
                assert_eq_int(!!strstr(s->kernel->journal, "close_device"), i);
                assert_eq_int(!!strstr(s->kernel->journal, "bind_device"), i);
        }
}

static void test_grown(void) {
        _cleanup_scene_ Scene *s = scene_two();

        assert_eq_int(scene_claim(s, 1, &PERSISTENT), OUTCOME_GRANTED);
        scene_add(s, "0000:01:00.2", 1, "");
        scene_commit(s);
        assert_eq_str(scene_claim_state(s, 1), "parked");
        assert_eq_int(scene_acquire(s, &ALICE, NVME), OUTCOME_NOT_VIABLE);
        assert_has(s->refusal.text, "0000:01:00.2 (8086:10d3)");
        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_NOT_VIABLE);
        assert_has(manager_find_claim(s->manager, 1)->reason, "0000:01:00.2");

        /* it goes again, and all is well */
        scene_unplug(s, "0000:01:00.2");
        scene_commit(s);
        assert_eq_str(manager_find_claim(s->manager, 1)->reason, "");
        scene_add(s, "0000:01:00.2", 1, "");
        scene_commit(s);

        /* over a restart of the host nothing of it is claimed */
        assert_eq_int(scene_unclaim(s, 1), OUTCOME_GRANTED);
        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_NOT_VIABLE);
        assert_eq_int(scene_claim(s, 1, &ACCEPT), OUTCOME_GRANTED);
        assert(fake_device_is_bound(fake_kernel_find(s->kernel, "0000:01:00.2")));
        assert_eq_int(scene_unclaim(s, 1), OUTCOME_GRANTED);

        /* another card in the same slot */
        scene_facts(s, NVME)->device = 0x1234;
        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_NOT_VIABLE);
        assert_has(s->refusal.text, NVME " (8086:1234)");
}

/* A claim that lasts is taken as the devices come, each of them. */
static void test_persistent(void) {
        _cleanup_scene_ Scene *s = scene_two();

        assert_eq_int(scene_claim(s, 1, &PERSISTENT), OUTCOME_GRANTED);
        scene_unplug(s, AUDIO);
        scene_run(s);
        assert_eq_str(scene_claim_state(s, 1), "parked");
        scene_unplug(s, NVME);
        scene_unplug(s, PORT);
        scene_run(s);
        assert_eq_int(s->manager->claims.n_items, 0);
        assert_eq_int(s->fake_store->n_claims + s->fake_store->n_fds, 0);

        /* group numbers are not what it goes by */
        scene_add(s, PORT, 3, "pcieport");
        scene_add(s, NVME, 3, "nvme");
        scene_run(s);
        scene_add(s, AUDIO, 3, "");
        scene_run(s);
        assert_eq_str(scene_claim_state(s, 3), "parked");
        assert(fake_device_is_bound(fake_kernel_find(s->kernel, NVME)));
        assert(fake_device_is_bound(fake_kernel_find(s->kernel, AUDIO)));
        assert(manager_find_group(s->manager, 3)->claim->persistent);
}

/* One that can't be taken is there, with the reason, and is handed to nobody. */
static void test_persistent_fails(void) {
        _cleanup_scene_ Scene *s = scene_two();

        assert_eq_int(scene_claim(s, 1, &PERSISTENT), OUTCOME_GRANTED);
        scene_unplug(s, AUDIO);
        scene_unplug(s, NVME);
        scene_unplug(s, PORT);
        scene_run(s);

        s->host = (FakeHost) { .device = NVME, .use = "/ is on it" };
        scene_add(s, NVME, 3, "nvme");
        scene_run(s);
        assert_eq_str(scene_claim_state(s, 3), "failed");
        assert_has(manager_find_group(s->manager, 3)->claim->reason, "/ is on it");
        assert_eq_str(fake_kernel_find(s->kernel, NVME)->driver, "nvme");
        assert(!manager_is_claiming(s->manager));
        assert_eq_int(scene_acquire(s, &ALICE, NVME), OUTCOME_NOT_VIABLE);

        s->host = (FakeHost) {};
        assert_eq_int(scene_claim(s, 3, &PLAIN), OUTCOME_GRANTED);
        assert_eq_str(scene_claim_state(s, 3), "parked");
}

/* The host starts anew: of the claim there is what lasts, and no driver has had the devices yet. */
static void reboot(Scene *s) {
        char name[64];

        for (unsigned i = 0; i < 2; i++) {
                snprintf(name, sizeof(name), "claim-1-device-%u", i);
                fake_store_lose_fd(s->fake_store, name);
        }
        fake_store_lose_fd(s->fake_store, "claim-1-iommufd");
        s->store_port.ops->forget_claim(s->store_port.userdata, manager_find_claim(s->manager, 1));
        for (unsigned i = 0; i < s->kernel->n_devices; i++) {
                FakeDevice *device = &s->kernel->devices[i];

                if (strcmp(device->driver, "pcieport") == 0)
                        continue;
                strcpy(device->driver, "");
                strcpy(device->override, "");
                device->context = 0;
        }
        scene_restart(s);
        scene_run(s);
}

/* A device that no driver has had yet when it is claimed goes back to where it would be without us. */
static void test_early(void) {
        static const struct {
                const char *driver, *override;                 /* when root claimed it */
                bool forgotten;                                /* by a version that did not write it down */
                const char *refuses, *native;                  /* after the start of the host */
                const char *back;
        } table[] = {
                { "nvme", "", false, NULL, "other", "nvme/-" },
                { "other", "other", false, NULL, "nvme", "other/other" },
                { "vfio-pci", "", false, NULL, "nvme", "vfio-pci/-" },
                { "", "", false, NULL, "nvme", "-/-" },
                /* it is not there any more */
                { "nvme", "", false, "nvme", "other", "other/-" },
                { "nvme", "", false, "nvme", NULL, "-/-" },
                { "nvme", "", true, NULL, "other", "other/-" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                for (unsigned restart = 0; restart < 4; restart++) {
                        _cleanup_scene_ Scene *s = scene_two();
                        FakeDevice *nvme = fake_kernel_find(s->kernel, NVME);
                        char *slash;
                        uint64_t id;

                        strcpy(nvme->driver, table[i].driver);
                        strcpy(nvme->override, table[i].override);
                        nvme->refuses = table[i].refuses;
                        nvme->native = table[i].native;
                        scene_monitor(s);
                        assert_eq_int(scene_claim(s, 1, &PERSISTENT), OUTCOME_GRANTED);

                        if (table[i].forgotten)
                                while ((slash = strchr(s->fake_store->approved, '/')))
                                        memmove(slash, slash + strcspn(slash, " \n"),
                                                strlen(slash + strcspn(slash, " \n")) + 1);
                        reboot(s);
                        assert_parked(s);
                        assert_eq_str(device_original_driver(manager_find_device(s->manager, NVME)),
                                      table[i].forgotten ? "" : table[i].driver);

                        /* and once more, by root, of a claim that was taken by itself */
                        assert_eq_int(scene_claim(s, 1, &PERSISTENT), OUTCOME_GRANTED);
                        assert_ok(manager_unclaim(s->manager, &ROOT, 1, &id, &s->refusal, &s->changes));
                        for (unsigned n = 0; n < restart && scene_step(s); n++)
                                ;
                        if (restart > 0)
                                scene_restart(s);
                        scene_run(s);
                        assert_eq_str(scene_claim_state(s, 1), "none");
                        assert_eq_str(nvme->override[0] ? nvme->override : "-",
                                      strchr(table[i].back, '/') + 1);
                        assert_eq_int(strncmp(table[i].back, nvme->driver[0] ? nvme->driver : "-",
                                              strcspn(table[i].back, "/")), 0);
                }
}

/* An override that is there when the host starts is what the host wants now. */
static void test_early_override(void) {
        _cleanup_scene_ Scene *s = scene_two();
        FakeDevice *nvme = fake_kernel_find(s->kernel, NVME);

        assert_eq_int(scene_claim(s, 1, &PERSISTENT), OUTCOME_GRANTED);
        scene_unplug(s, AUDIO);
        scene_unplug(s, NVME);
        scene_unplug(s, PORT);
        scene_run(s);

        strcpy(nvme->override, "other");
        nvme->native = "other";
        scene_add(s, NVME, 3, "");
        scene_run(s);
        assert_eq_str(scene_claim_state(s, 3), "parked");
        assert_eq_int(scene_unclaim(s, 3), OUTCOME_GRANTED);
        assert_eq_str(nvme->driver, "other");
        assert_eq_str(nvme->override, "other");

        /* one that comes to a claim that is there already */
        scene_unplug(s, NVME);
        strcpy(nvme->override, "");
        scene_add(s, PORT, 1, "pcieport");
        scene_add(s, NVME, 1, "nvme");
        scene_add(s, AUDIO, 1, "snd_hda_intel");
        assert_eq_int(scene_claim(s, 1, &PERSISTENT), OUTCOME_GRANTED);
        scene_unplug(s, NVME);
        scene_run(s);
        strcpy(nvme->override, "");
        scene_add(s, NVME, 1, "");
        scene_run(s);
        assert_parked(s);
        assert_eq_int(scene_unclaim(s, 1), OUTCOME_GRANTED);
        assert_eq_str(nvme->driver, "nvme");
}

/* Its node goes, since somebody takes it from the driver: that waits until we close it. */
static void test_leaves(void) {
        _cleanup_scene_ Scene *s = scene_two();
        DeviceFacts facts;

        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_GRANTED);
        for (unsigned i = 0; i < 2; i++) {
                facts = *scene_facts(s, i ? AUDIO : NVME);
                strcpy(facts.cdev, "vfio0");
                assert_ok(manager_update_device(s->manager, &facts, &s->changes));
                memset(facts.cdev, 0, sizeof(facts.cdev));
                assert_ok(manager_update_device(s->manager, &facts, &s->changes));
                scene_run(s);
                assert_eq_int(fake_device_n_open(fake_kernel_find(s->kernel, facts.name)), 0);
                assert_eq_str(scene_claim_state(s, 1), i ? "failed" : "parked");
        }

        assert_eq_int(scene_claim(s, 1, &PLAIN), OUTCOME_GRANTED);
        assert_parked(s);
}

/* Overdue: the caller is told, and it goes on when the kernel has come back. */
static void test_overdue(void) {
        _cleanup_scene_ Scene *s = scene_two();
        uint64_t id;

        assert_ok(manager_claim(s->manager, &ROOT, 1, &PLAIN, &id, &s->refusal, &s->changes));
        scene_commit(s);
        scene_overdue(s, NVME);
        scene_commit(s);
        assert_eq_int(s->n_answers, 1);
        assert_eq_int(s->answer.outcome, OUTCOME_KERNEL_FAILED);
        assert_eq_int(scene_acquire(s, &ALICE, NVME), OUTCOME_DRAINING);
        scene_run(s);
        assert_parked(s);

        /* the same of a close that a lease waits for */
        assert_eq_int(scene_acquire(s, &ALICE, NVME), OUTCOME_GRANTED);
        scene_commit(s);
        scene_overdue(s, NVME);
        scene_commit(s);
        assert_eq_int(s->n_answers, 2);
        scene_run(s);
        assert_parked(s);
}

static void test_approved_text(void) {
        static const char *const bad[] = {
                "", "version=\n", "version=1\npersistent=2 a=0000:0000\n", "version=1\npersistent=1\n",
                "version=1\npersistent=1 a=0000\n", "version=1\npersistent=1 a=00000:0000\n",
                "version=1\npersistent=1 =0000:0000\n", "version=1\npersistent=1 a=0000:000g\n",
                "version=1\npersistent=1 a=0000:0000 a=0000:0000\n",
                "version=1\npersistent=1 a=0000:0000\npersistent=0 a=0000:0000\n",
                "version=2\npersistent=1 a=0000:0000/\n", "version=2\npersistent=1 a=0000:0000/b\n",
                "version=2\npersistent=1 a=0000:0000/b/c/\n", "version=2\npersistent=1 a/b/c=0000:0000\n",
                ("version=2\npersistent=1 a=0000:0000/0123456789012345678901234567890123456789"
                 "012345678901234567890123456789/\n"),
        };
        static const char good[] = "version=2\npersistent=1 0000:01:00.0=8086:10d3/nvme/ x=0000:0000/a/b\n"
                                   "persistent=0 0000:02:00.0=1af4:1000//\n",
                          old[] = "version=1\npersistent=1 0000:01:00.0=8086:10d3\n";
        _cleanup_(approved_freep) Approved *approved = NULL;
        _cleanup_free_ char *text = NULL;

        assert_ok(approved_new(&approved));
        assert_ok(approved_read(approved, good));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_eq_int(approved_read(approved, bad[i]), -EBADMSG);
        assert_eq_int(approved_read(approved, "version=3\npersistent=1 x\n"), -EPROTONOSUPPORT);
        assert_ok(approved_write(approved, &text));
        assert_eq_str(text, good);

        assert_ok(approved_read(approved, old));
        assert_eq_int(approved->n_groups, 1);
        assert(!approved->groups[0].devices[0].has_driver);
        strcpy(approved->groups[0].devices[0].driver, "HDA Intel");
        approved->groups[0].devices[0].has_driver = true;
        free(text);
        assert_ok(approved_write(approved, &text));
        assert_eq_str(text, "version=2\npersistent=1 0000:01:00.0=8086:10d3\n");
}

int main(void) {
        test_park();
        test_policy_sees_original();
        test_refusals();
        test_lend();
        test_lend_fails();
        test_no_record();
        test_no_approval();
        test_claim_fails();
        test_return_fails();
        test_restart_anywhere();
        test_restart_fresh();
        test_restart_power();
        test_restart_proves();
        test_grown();
        test_persistent();
        test_persistent_fails();
        test_early();
        test_early_override();
        test_leaves();
        test_overdue();
        test_approved_text();
        return 0;
}
