/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is known of a device's IOMMU, and since when. */

#include "core/iommu.h"
#include "fake/assert.h"
#include "fake/scene.h"

#define NAME "0000:01:00.0"
#define FAULTS (1U << IOMMU_FEATURE_PAGE_FAULTS)

static const HwInfo *info_of(Scene *s) {
        return manager_find_device(s->manager, NAME)->info;
}

static unsigned count_probes(const Scene *s) {
        unsigned n = 0;

        for (unsigned i = 0; i < s->tasks.n_done; i++)
                n += s->tasks.done[i].kind == TASK_PROVE_FREE && s->tasks.done[i].probe;

        return n;
}

static void end(Scene *s) {
        Client client;

        scene_hand_over(s, s->lease, &client);
        client_close(&client);
        scene_watch(s);
        scene_run(s);
        assert(!scene_lease(s, s->lease));
}

/* The client binds: the end of the lease is the first time that iommud has it bound. */
static void test_vmm(void) {
        _cleanup_scene_ Scene *s = scene_new();
        FakeDevice *device;

        device = scene_add(s, NAME, 1, "nvme");
        scene_grant(s, &ALICE, "01:00.0");
        assert(!info_of(s));

        /* who has it open is all that there is to be said of it */
        fake_device_hold(device, 1, 4711, "qemu-system-x86");
        end(s);
        assert(info_of(s)->asked);
        assert_eq_int(info_of(s)->has, device->info.has);
        assert_eq_int(info_of(s)->lacks, device->info.lacks);
        assert_eq_int(info_of(s)->page_size, 4096);
        assert_eq_int(info_of(s)->page_sizes, 0x201000);
        assert_eq_int(count_probes(s), 2);

        /* once is enough */
        scene_commit(s);
        scene_grant(s, &ALICE, "01:00.0");
        end(s);
        assert_eq_int(count_probes(s), 2);
}

/* iommud binds: it is known as long as the lease is there, but for what only an attach says. */
static void test_attached(void) {
        _cleanup_scene_ Scene *s = scene_new();
        const Lease *lease;

        scene_add(s, NAME, 1, "nvme");
        s->mode = MODE_ATTACHED;
        lease = scene_grant(s, &ALICE, "01:00.0");
        assert(info_of(s) && !((info_of(s)->has | info_of(s)->lacks) & FAULTS));
        assert(info_of(s)->has & 1U << IOMMU_FEATURE_NESTING);
        assert_eq_int(lease->devices[0].dma.info.has, info_of(s)->has);
        assert_eq_int(fake_kernel_count_objects(s->kernel, FAKE_DOMAIN), 1);

        end(s);
        assert_eq_int(count_probes(s), 1);
        assert(info_of(s)->has & FAULTS);

        /* and remembered for the next one */
        lease = scene_grant(s, &ALICE, "01:00.0");
        assert(lease->devices[0].dma.info.has & FAULTS);
        end(s);
        assert_eq_int(count_probes(s), 1);
}

static void test_claim(void) {
        _cleanup_scene_ Scene *s = scene_new();

        scene_add(s, NAME, 1, "nvme");
        scene_commit(s);
        assert_eq_int(scene_claim(s, 1, &(ClaimRequest) {}), OUTCOME_GRANTED);
        assert(info_of(s) && info_of(s)->lacks & 1U << IOMMU_FEATURE_VIOMMU);
        assert_eq_int(scene_unclaim(s, 1), OUTCOME_GRANTED);
}

/* It is news, and only once. */
static void test_news(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Device *device;

        scene_add(s, NAME, 1, "nvme");
        scene_commit(s);
        device = manager_find_device(s->manager, NAME);

        device_set_info(device, &(HwInfo) {}, &s->changes);
        assert(!device->info);
        assert_eq_str(scene_changes(s), "");
        for (unsigned i = 0; i < 2; i++) {
                device_set_info(device, &(HwInfo) { .asked = true, .emulated = true }, &s->changes);
                assert(device_info_is_complete(device));
                assert_eq_str(scene_changes(s), i == 0 ? "device-changed " NAME : "");
                scene_commit(s);
        }
}

/* What its IOMMU is known to lack stands until the kernel was asked. */
static void test_iommu(void) {
        static const IommuFacts facts = { "dmar0", IOMMU_DRIVER_INTEL_VTD, FAULTS, true };
        _cleanup_scene_ Scene *s = scene_new();
        const Device *device;

        scene_add(s, NAME, 1, "nvme");
        scene_commit(s);
        device = manager_find_device(s->manager, NAME);
        assert(device_known_info(device).driver == IOMMU_DRIVER_UNKNOWN);

        for (unsigned i = 0; i < 2; i++)
                assert_ok(manager_add_iommu(s->manager, &facts));
        assert_eq_int(s->manager->iommus.n_items, 1);
        assert(!device_known_info(device).asked && device_known_info(device).no_pasids);
        assert_eq_int(device_known_info(device).lacks, FAULTS);

        scene_grant(s, &ALICE, "01:00.0");
        end(s);
        assert(device_known_info(device).asked && device_known_info(device).has & FAULTS);
}

int main(void) {
        test_iommu();
        test_vmm();
        test_attached();
        test_claim();
        test_news();
        return 0;
}
