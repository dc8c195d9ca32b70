/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Leases whose devices iommud binds and attaches, from Acquire to the end, with each call to the kernel
 * failing in turn.
 */

#include <string.h>

#include "base/fd.h"
#include "core/domain.h"
#include "core/ioas.h"
#include "fake/assert.h"
#include "fake/scene.h"

static void build_one(Scene *s) {
        scene_add(s, "0000:01:00.0", 1, "nvme");
}

/* Two in one group, of which one is asked for; the other is on a VFIO driver already. */
static void build_companion(Scene *s) {
        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:01:00.1", 1, "vfio-pci");
}

/* Two groups behind two IOMMUs. */
static void build_two(Scene *s) {
        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:02:00.0", 2, "vfio-pci");
        strcpy(scene_facts(s, "0000:02:00.0")->iommu, "dmar1");
}

static void build_emulated(Scene *s) {
        scene_add(s, "0000:01:00.0", 1, "vfio-pci");
        fake_kernel_find(s->kernel, "0000:01:00.0")->info = (HwInfo) { .emulated = true };
}

static const struct {
        void (*build)(Scene *s);
        const char *const *selectors;
        unsigned n_domains, n_bound;
} topologies[] = {
        { build_one, (const char *const[]) { "01:00.0", NULL }, 1, 1 },
        { build_companion, (const char *const[]) { "01:00.0", NULL }, 1, 2 },
        { build_two, (const char *const[]) { "01:00.0", "02:00.0", NULL }, 2, 2 },
        { build_emulated, (const char *const[]) { "01:00.0", NULL }, 0, 1 },
};

/* All devices are bound, and attached to what their lease says. */
static void assert_attached(Scene *s, const Lease *lease, unsigned n_bound) {
        unsigned n = 0;

        for (unsigned i = 0; i < lease->n_devices; i++) {
                const LeaseDevice *device = &lease->devices[i];
                const FakeDevice *fake = fake_kernel_find(s->kernel, device->name);

                assert(device->dma.bound && fake_device_is_bound(fake));
                assert_eq_int(fake_device_target(fake, PASID_NONE),
                              device->dma.domain ? device->dma.domain->id : device->dma.ioas->id);
                n++;
        }

        assert_eq_int(n, n_bound);
}

static void test_life(Mode mode, size_t t) {
        _cleanup_scene_ Scene *s = scene_new();
        Before before;
        Client client;
        Lease *lease;

        topologies[t].build(s);
        scene_keep(s);
        scene_monitor(s);
        scene_commit(s);
        scene_remember(s, &before);
        s->mode = mode;

        lease = scene_grant_strv(s, &ALICE, topologies[t].selectors);
        assert_eq_int(lease->context->domains.n_items, topologies[t].n_domains);
        assert_attached(s, lease, topologies[t].n_bound);

        scene_hand_over(s, s->lease, &client);
        assert((client.iommufd >= 0) == (mode == MODE_ATTACHED));
        assert_attached(s, lease, topologies[t].n_bound);      /* what is iommud's is not handed over */

        client_close(&client);
        scene_watch(s);
        scene_run(s);
        assert_eq_int(fake_kernel_count_objects(s->kernel, FAKE_IOAS), 0);
        scene_assert_as_before(s, &before);
}

/* Acquire to end with the n-th call failing; false: there were not so many. */
static bool fail_once(Mode mode, size_t t, unsigned n) {
        _cleanup_scene_ Scene *s = scene_new();
        Refusal refusal;
        Client client;
        Before before;

        topologies[t].build(s);
        scene_keep(s);
        scene_monitor(s);
        scene_commit(s);
        scene_remember(s, &before);
        s->mode = mode;
        s->domain_options.fault_queue = t != 3;
        s->kernel->fail_at = n;

        if (scene_acquire_strv(s, &ALICE, topologies[t].selectors) == 0) {
                scene_run(s);
                assert_eq_int(s->n_answers, 1);
                if (s->answer.outcome == OUTCOME_GRANTED) {
                        scene_hand_over(s, s->lease, &client);
                        client_close(&client);
                        scene_watch(s);
                } else {
                        assert_eq_int(s->answer.outcome, OUTCOME_KERNEL_FAILED);
                        assert_has(s->answer.text, s->kernel->failed);
                        /* copies may be with the service manager still */
                        if (strncmp(s->kernel->failed, "keep_lifeline", strlen("keep_lifeline")) == 0)
                                assert_has(s->kernel->journal, "prove_free ");
                }
                scene_run(s);
        }

        if (scene_lease(s, s->lease)) {
                assert_eq_int(scene_lease(s, s->lease)->state, LEASE_STUCK);
                assert_eq_int(manager_release(s->manager, &ROOT, s->lease, &refusal, &s->changes), 0);
                scene_run(s);
        }
        if (strncmp(s->kernel->failed, "read_driver", strlen("read_driver")) == 0)
                scene_monitor(s);

        scene_assert_as_before(s, &before);
        return s->kernel->failed[0];
}

/* What is asked for and not there is refused, and all is put back. */
static void test_features(void) {
        static const struct {
                DomainOptions options;
                HwInfo info;
                bool cannot_nest;
                const char *text;
        } cases[] = {
                { { .dirty_tracking = true }, { .pasid_log2 = 4 }, false, "which pages are dirty" },
                { { .pasid = true }, { .dirty_tracking = true }, false, "no PASIDs" },
                { { .kind = DOMAIN_NEST_PARENT }, {}, true, "can't make such a domain" },
                { { .kind = DOMAIN_NEST_PARENT }, { .lacks = 1U << IOMMU_FEATURE_NESTING }, true,
                  "can't nest domains" },
                { { .fault_queue = true }, { .lacks = 1U << IOMMU_FEATURE_PAGE_FAULTS }, false, NULL },
                { { .fault_queue = true }, { .emulated = true }, false, "no IOMMU of its own" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_scene_ Scene *s = scene_new();
                FakeDevice *device;
                Before before;
                Client client;

                device = scene_add(s, "0000:01:00.0", 1, "nvme");
                scene_keep(s);
                scene_monitor(s);
                scene_commit(s);
                scene_remember(s, &before);
                device->info = cases[i].info;
                device->cannot_nest = cases[i].cannot_nest;
                s->mode = MODE_ATTACHED;
                s->domain_options = cases[i].options;

                assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
                scene_run(s);
                if (!cases[i].text) {
                        /* only an attach finds it out, which the fake lets through: for the next time */
                        assert_eq_int(s->answer.outcome, OUTCOME_GRANTED);
                        device_set_info(manager_find_device(s->manager, "0000:01:00.0"),
                                        &(HwInfo) { .asked = true, .lacks = cases[i].info.lacks },
                                        &s->changes);
                        scene_hand_over(s, s->lease, &client);
                        client_close(&client);
                        scene_watch(s);
                        scene_run(s);
                } else {
                        assert_eq_int(s->answer.outcome, OUTCOME_NOT_SUPPORTED);
                        assert_has(s->answer.text, cases[i].text);
                }
                scene_assert_as_before(s, &before);

                /* now it is known, and nothing is touched any more */
                if (i == 2)
                        continue;
                s->kernel->journal[0] = '\0';
                assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_NOT_SUPPORTED);
                assert_eq_str(s->kernel->journal, "");
                scene_assert_as_before(s, &before);

                /* a daemon that was started anew has forgotten it: refused all the same, and all put back */
                scene_restart(s);
                scene_run(s);
                assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
                scene_run(s);
                if (cases[i].text) {
                        assert_eq_int(s->answer.outcome, OUTCOME_NOT_SUPPORTED);
                        assert_has(s->answer.text, cases[i].text);
                } else {
                        scene_hand_over(s, s->lease, &client);
                        client_close(&client);
                        scene_watch(s);
                        scene_run(s);
                }
                scene_assert_as_before(s, &before);
        }
}

/* The daemon is killed and started again: nothing is lost, and all of it comes to its end. */
static void test_restart(Mode mode, size_t t) {
        _cleanup_scene_ Scene *s = scene_new();
        Before before;
        Client client;
        Lease *lease;

        topologies[t].build(s);
        scene_keep(s);
        scene_monitor(s);
        scene_commit(s);
        scene_remember(s, &before);
        s->mode = mode;
        s->ioas_options = (IoasOptions) { .windows = { { 0x100000, 0xffffff } }, .n_windows = 1 };

        scene_grant_strv(s, &ALICE, topologies[t].selectors);
        scene_hand_over(s, s->lease, &client);
        scene_restart(s);
        scene_run(s);

        lease = scene_lease(s, s->lease);
        assert(lease);
        assert_eq_int(lease->state, LEASE_ACTIVE);
        assert_eq_int(lease->mode, mode);
        assert_eq_int(lease->context->domains.n_items, topologies[t].n_domains);
        assert_eq_int(((Ioas *) lease->context->ioases.items[0])->options.windows[0].last, 0xffffff);
        assert_attached(s, lease, topologies[t].n_bound);

        client_close(&client);
        scene_watch(s);
        scene_run(s);
        scene_assert_as_before(s, &before);
}

/* A context that has not come back is no context any more: the lease ends. */
static void test_restart_without_fd(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Before before;
        Client client;

        build_one(s);
        scene_keep(s);
        scene_commit(s);
        scene_remember(s, &before);
        s->mode = MODE_CONFINED;

        scene_grant(s, &ALICE, "01:00.0");
        scene_hand_over(s, s->lease, &client);
        s->store_port.ops->drop_fd(s->store_port.userdata, "lease-1-iommufd");
        scene_restart(s);
        assert_eq_int(scene_lease(s, s->lease)->state, LEASE_DRAINING);

        client_close(&client);
        scene_run(s);
        scene_assert_as_before(s, &before);
}

int main(void) {
        static const Mode modes[] = { MODE_ATTACHED, MODE_CONFINED };

        for (size_t i = 0; i < ELEMENTSOF(modes); i++)
                for (size_t t = 0; t < ELEMENTSOF(topologies); t++) {
                        test_life(modes[i], t);
                        test_restart(modes[i], t);
                        for (unsigned n = 1; fail_once(modes[i], t, n); n++)
                                ;
                }

        test_features();
        test_restart_without_fd();
        return EXIT_SUCCESS;
}
