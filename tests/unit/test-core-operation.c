/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a client has done in the context of its lease: attached, moved, mapped, taken back; and what is so
 * when a call to the kernel fails in the middle of it.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/account.h"
#include "core/domain.h"
#include "core/ioas.h"
#include "core/lease-record.h"
#include "fake/assert.h"
#include "fake/scene.h"

#define A "0000:01:00.0"
#define B "0000:01:00.1"

/* Two of one group, both asked for, with all features. */
static Lease *set_up(Scene *s, Mode mode) {
        scene_add(s, A, 1, "vfio-pci");
        scene_add(s, B, 1, "vfio-pci");
        scene_keep(s);
        scene_commit(s);
        s->mode = mode;
        return scene_grant(s, &ALICE, A, B);
}

static Operation *make(OperationKind kind) {
        Operation *operation;

        assert_ok(operation_new(kind, &operation));
        return operation;
}

/* The record says what there is, whenever somebody is told. */
static void assert_on_record(const Scene *s) {
        const Lease *lease = manager_find_lease(s->manager, s->lease);
        const char *record = NULL;
        _cleanup_free_ char *now = NULL;

        if (!s->fake_store)
                return;
        for (unsigned i = 0; i < s->fake_store->n_items; i++)
                if (s->fake_store->items[i].lease == s->lease)
                        record = s->fake_store->items[i].record;

        assert_ok(lease_record_write(lease, &now));
        assert_eq_str(record, now);
}

static int run(Scene *s, Operation *operation, uint64_t *ret_handle, const char *text) {
        Outcome outcome;

        operation = scene_operate(s, &ALICE, operation);
        outcome = operation->refusal.outcome;
        assert_on_record(s);
        if (ret_handle)
                *ret_handle = operation->handle;
        if (text)
                assert_has(operation->refusal.text, text);
        else if (outcome != OUTCOME_GRANTED)
                assert_failed(__FILE__, __LINE__, "operation", "refused: %s", operation->refusal.text);
        operation_free(operation);
        return outcome;
}

static uint64_t alloc_ioas(Scene *s) {
        uint64_t handle;

        run(s, make(OPERATION_ALLOC_IOAS), &handle, NULL);
        return handle;
}

static Operation *make_domain(const char *device, uint64_t parent, DomainOptions options) {
        Operation *operation = make(OPERATION_ALLOC_DOMAIN);

        strcpy(operation->device, device);
        operation->parent = parent;
        operation->domain_options = options;
        return operation;
}

static uint64_t alloc_domain(Scene *s, const char *device, uint64_t parent, DomainOptions options) {
        uint64_t handle;

        run(s, make_domain(device, parent, options), &handle, NULL);
        return handle;
}

static Operation *make_attach(const char *device, uint64_t target, uint32_t pasid) {
        Operation *operation = make(target != 0 ? OPERATION_ATTACH : OPERATION_DETACH);

        strcpy(operation->device, device);
        operation->handle = target;
        operation->pasid = pasid;
        return operation;
}

/* Memory of so many pages, sealed as it has to be. */
static int make_memory(unsigned pages, int seals) {
        int fd;

        fd = assert_ok(memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        assert_ok(ftruncate(fd, (off_t) pages * 4096));
        if (seals)
                assert_ok(fcntl(fd, F_ADD_SEALS, seals));
        return fd;
}

static Operation *make_map(int fd, uint64_t ioas, uint64_t iova, uint64_t length) {
        Operation *operation = make(OPERATION_MAP);

        operation->handle = ioas;
        operation->map = (FileMapping) {
                .fd = fd,
                .length = length,
                .fixed = iova != 0,
                .iova = iova,
                .readable = true,
                .writable = true,
        };
        return operation;
}

static Operation *make_unmap(uint64_t ioas, uint64_t iova, uint64_t length) {
        Operation *operation = make(OPERATION_UNMAP);

        operation->handle = ioas;
        operation->map.iova = iova;
        operation->length = length;
        return operation;
}

static void assert_used(Scene *s, AccountSlot slot, uint64_t amount) {
        Account *account;

        assert_ok(manager_get_account(s->manager, ALICE.uid, /* rule= */ NULL, &account));
        assert_eq_int(account->used[slot], amount);
}

static uint32_t id_of(const Lease *lease, uint64_t handle) {
        return context_find_domain(lease->context, handle)->id;
}

static void assert_target(Scene *s, const char *device, uint32_t pasid, uint32_t id) {
        assert_eq_int(fake_device_target(fake_kernel_find(s->kernel, device), pasid), id);
}

static void end(Scene *s, Client *client) {
        client_close(client);
        scene_watch(s);
        scene_run(s);
        assert(!scene_lease(s, s->lease));
        assert_used(s, ACCOUNT_DOMAINS, 0);
        assert_used(s, ACCOUNT_MAPPINGS, 0);
        assert_used(s, ACCOUNT_PINNED_BYTES, 0);
        assert_used(s, ACCOUNT_PASIDS, 0);
        assert_eq_int(fake_kernel_count_objects(s->kernel, FAKE_IOAS), 0);
        assert_eq_int(fake_kernel_count_objects(s->kernel, FAKE_DOMAIN), 0);
}

/* A move of the whole group, with each call failing in turn. */
static bool fail_replace(unsigned n, IommuDriver driver, bool same_ioas) {
        _cleanup_scene_ Scene *s = scene_new();
        uint64_t ioas, domain;
        uint32_t before;
        Operation *operation;
        Client client;
        Lease *lease;
        IovaRanges ranges;

        scene_add(s, A, 1, "vfio-pci")->info.driver = driver;
        scene_add(s, B, 1, "vfio-pci")->info.driver = driver;
        s->mode = MODE_ATTACHED;
        lease = scene_grant(s, &ALICE, A, B);
        scene_hand_over(s, s->lease, &client);

        ioas = same_ioas ? 1 : alloc_ioas(s);
        domain = alloc_domain(s, A, ioas, (DomainOptions) {});
        before = lease->devices[0].dma.domain->id;

        s->kernel->fail_at = s->kernel->n_calls + n;
        operation = scene_operate(s, &ALICE, make_attach(A, domain, PASID_NONE));
        s->kernel->fail_at = 0;

        if (operation->refusal.outcome == OUTCOME_GRANTED) {
                assert_target(s, A, PASID_NONE, id_of(lease, domain));
                assert_target(s, B, PASID_NONE, id_of(lease, domain));
        } else if (strstr(operation->refusal.text, "attached to nothing")) {
                assert_target(s, A, PASID_NONE, 0);
                assert_target(s, B, PASID_NONE, 0);
                assert(!lease->devices[0].dma.domain && !lease->devices[1].dma.domain);
        } else {
                assert_target(s, A, PASID_NONE, before);
                assert_target(s, B, PASID_NONE, before);
                assert_eq_int(lease->devices[0].dma.domain->id, before);
                /* what devices can't use is kept free of mappings, as it was */
                assert_ok(s->kernel_port.dma->read_iova_ranges(
                        s->kernel_port.userdata, lease->iommufd,
                        ((Ioas *) lease->context->ioases.items[0])->id, &ranges, NULL));
                assert_eq_int(ranges.n_items, 2);
        }
        assert_eq_int(lease->state, LEASE_ACTIVE);

        /* whatever it is, it works again */
        operation_free(operation);
        run(s, make_attach(A, domain, PASID_NONE), NULL, NULL);
        assert_target(s, A, PASID_NONE, id_of(lease, domain));
        assert_target(s, B, PASID_NONE, id_of(lease, domain));
        end(s, &client);
        return s->kernel->failed[0];
}

/* The child that does it is lost, before or after it has: what is said to be attached then is. */
static void test_lost_child(IommuDriver driver, unsigned lose, bool undone) {
        _cleanup_scene_ Scene *s = scene_new();
        Operation *operation;
        uint32_t before;
        uint64_t domain;
        Client client;
        Lease *lease;

        scene_add(s, A, 1, "vfio-pci")->info.driver = driver;
        scene_add(s, B, 1, "vfio-pci")->info.driver = driver;
        s->mode = MODE_ATTACHED;
        lease = scene_grant(s, &ALICE, A, B);
        scene_hand_over(s, s->lease, &client);
        domain = alloc_domain(s, A, 1, (DomainOptions) {});
        before = lease->devices[0].dma.domain->id;

        s->tasks.lose = lose;
        s->tasks.lose_undone = undone;
        operation = scene_operate(s, &ALICE, make_attach(A, domain, PASID_NONE));
        assert_eq_int(operation->refusal.outcome, OUTCOME_KERNEL_FAILED);
        assert_has(operation->refusal.text, "was lost");
        assert_has(operation->refusal.text, lose > 1                         ? "is not known" :
                                            driver == IOMMU_DRIVER_INTEL_VTD ? "attached as before" :
                                                                               "attached to nothing");
        operation_free(operation);
        if (lose == 1) {
                assert_target(s, A, PASID_NONE, driver == IOMMU_DRIVER_INTEL_VTD ? before : 0);
                assert_target(s, B, PASID_NONE, driver == IOMMU_DRIVER_INTEL_VTD ? before : 0);
                assert_eq_int(!lease->devices[0].dma.domain, driver != IOMMU_DRIVER_INTEL_VTD);
        }
        assert_eq_int(lease->context->switching.device[0] != '\0', lose > 1);

        run(s, make_attach(A, domain, PASID_NONE), NULL, NULL);
        assert_target(s, B, PASID_NONE, id_of(lease, domain));
        assert_eq_int(lease->context->switching.device[0], '\0');
        end(s, &client);
}

/* The daemon ends in the middle of it: the next one makes it what it was on record, or detaches it. */
static void test_switch_over_restart(uint32_t pasid) {
        _cleanup_scene_ Scene *s = scene_new();
        uint64_t domain, other;
        FakeDevice *device;
        Client client;
        Lease *lease;

        lease = set_up(s, MODE_CONFINED);
        scene_hand_over(s, s->lease, &client);
        device = fake_kernel_find(s->kernel, A);
        domain = alloc_domain(s, A, 1, (DomainOptions) { .pasid = true });
        other = alloc_domain(s, A, 1, (DomainOptions) { .pasid = true });
        run(s, make_attach(A, domain, PASID_NONE), NULL, NULL);

        strcpy(lease->context->switching.device, A);
        lease->context->switching.pasid = pasid;
        assert_ok(s->store_port.ops->save(s->store_port.userdata, lease, NULL));
        assert_ok(fake_client_attach(s->kernel, device, pasid, id_of(lease, other)));

        scene_restart(s);
        scene_run(s);
        lease = scene_lease(s, s->lease);
        assert_eq_int(lease->state, LEASE_ACTIVE);
        assert_target(s, A, pasid, pasid == PASID_NONE ? id_of(lease, domain) : 0);
        assert_eq_int(lease->devices[0].dma.domain->handle, domain);
        assert_eq_int(lease->devices[0].dma.n_pasids, 0);
        assert_has(lease->reason, pasid == PASID_NONE ? "attached as before" : "attached to nothing");
        assert_used(s, ACCOUNT_PASIDS, 0);
        assert_eq_int(lease->context->switching.device[0], '\0');

        scene_restart(s);
        assert(!scene_step(s));
        end(s, &client);
}

static void test_pasid(void) {
        _cleanup_scene_ Scene *s = scene_new();
        uint64_t plain, domain;
        Operation *operation;
        Client client;
        Lease *lease;

        lease = set_up(s, MODE_CONFINED);
        scene_hand_over(s, s->lease, &client);
        plain = lease->devices[0].dma.domain->handle;
        domain = alloc_domain(s, A, 1, (DomainOptions) { .pasid = true });

        run(s, make_attach(A, domain, 3), NULL, "not made for PASIDs");
        run(s, make_attach(A, domain, PASID_NONE), NULL, NULL);
        run(s, make_attach(A, plain, 3), NULL, "not made for PASIDs");
        run(s, make_attach(A, domain, 16), NULL, "has 1 to 15");
        run(s, make_attach(A, domain, 1), NULL, NULL);
        assert_target(s, A, 1, id_of(lease, domain));
        run(s, make_attach(B, domain, 1), NULL, "of the same group");
        run(s, make_attach(A, plain, PASID_NONE), NULL, "has PASIDs attached");

        operation = make_attach(A, domain, PASID_NONE);
        operation->any_pasid = true;
        operation = scene_operate(s, &ALICE, operation);
        assert_eq_int(operation->refusal.outcome, OUTCOME_GRANTED);
        assert_eq_int(operation->pasid, 2);
        operation_free(operation);
        assert_used(s, ACCOUNT_PASIDS, 2);

        run(s, make_attach(A, domain, 1), NULL, NULL);         /* again: nothing more is charged */
        assert_used(s, ACCOUNT_PASIDS, 2);
        run(s, make_attach(A, 0, 1), NULL, NULL);
        run(s, make_attach(A, 0, 1), NULL, NULL);
        assert_used(s, ACCOUNT_PASIDS, 1);
        assert_target(s, A, 1, 0);

        s->kernel->fail_call = "attach";
        run(s, make_attach(A, domain, 5), NULL, "attached to nothing");
        s->kernel->fail_call = NULL;
        assert_used(s, ACCOUNT_PASIDS, 1);

        /* what there is, and what not, is known after a restart too */
        scene_restart(s);
        run(s, make_attach(A, domain, 16), NULL, "has 1 to 15");
        run(s, make_attach(A, domain, 15), NULL, NULL);
        run(s, make_attach(A, plain, PASID_NONE), NULL, "has PASIDs attached");
        run(s, make_domain(A, 1, (DomainOptions) { .kind = DOMAIN_NESTED }), NULL, "has no domain 1");
        end(s, &client);
}

static void test_map(void) {
        _cleanup_scene_ Scene *s = scene_new();
        int sealed = make_memory(16, F_SEAL_SHRINK), loose = make_memory(16, 0);
        const FakeDevice *device;
        Client client;
        Lease *lease;

        s->ioas_options = (IoasOptions) { .windows = { { 0x100000, 0x1fffff } }, .n_windows = 1 };
        lease = set_up(s, MODE_CONFINED);
        scene_hand_over(s, s->lease, &client);
        device = fake_kernel_find(s->kernel, A);

        run(s, make_map(assert_ok(fd_dup(loose)), 1, 0x100000, 4096), NULL, "F_SEAL_SHRINK");
        run(s, make_map(assert_ok(fd_dup(STDERR_FILENO)), 1, 0x100000, 4096), NULL, "not of memfd_create");
        run(s, make_map(assert_ok(fd_dup(sealed)), 1, 0x100000, 17 * 4096), NULL, "beyond the end");
        run(s, make_map(assert_ok(fd_dup(sealed)), 1, 0x100800, 4096), NULL, "multiples of 4096");
        run(s, make_map(assert_ok(fd_dup(sealed)), 1, 0x200000, 4096), NULL, "not in one window");
        run(s, make_map(assert_ok(fd_dup(sealed)), 9, 0x100000, 4096), NULL, "has no IOAS 9");
        assert_used(s, ACCOUNT_MAPPINGS, 0);

        run(s, make_map(assert_ok(fd_dup(sealed)), 1, 0x100000, 16 * 4096), NULL, NULL);
        assert(fake_device_reaches(s->kernel, device, PASID_NONE, 0x100000));
        assert(!fake_device_reaches(s->kernel, device, PASID_NONE, 0x110000));
        assert_used(s, ACCOUNT_PINNED_BYTES, 16 * 4096);
        run(s, make_map(assert_ok(fd_dup(sealed)), 1, 0x10f000, 4096), NULL, "Something is mapped");
        run(s, make_map(assert_ok(fd_dup(sealed)), 1, 0, 8192), NULL, NULL);
        assert(fake_device_reaches(s->kernel, device, PASID_NONE, 0x110000));
        assert_used(s, ACCOUNT_MAPPINGS, 2);

        /* what fails leaves nothing */
        s->kernel->fail_call = "map_file";
        run(s, make_map(assert_ok(fd_dup(sealed)), 1, 0, 4096), NULL, "map_file");
        s->kernel->fail_call = NULL;
        assert_used(s, ACCOUNT_MAPPINGS, 2);

        run(s, make_unmap(1, 0x101000, 4096), NULL, "cut a mapping");
        run(s, make_unmap(1, 0x180000, 4096), NULL, "Nothing is mapped");

        /* after a restart it is all known again */
        scene_restart(s);
        lease = scene_lease(s, s->lease);
        assert(lease && lease->state == LEASE_ACTIVE);
        assert_used(s, ACCOUNT_MAPPINGS, 2);
        assert_used(s, ACCOUNT_PINNED_BYTES, 18 * 4096);
        run(s, make_unmap(1, 0x110000, 8192), NULL, NULL);
        assert(!fake_device_reaches(s->kernel, device, PASID_NONE, 0x110000));
        run(s, make_unmap(1, 0, UINT64_MAX), NULL, NULL);
        assert(!fake_device_reaches(s->kernel, device, PASID_NONE, 0x100000));
        assert_used(s, ACCOUNT_PINNED_BYTES, 0);

        close_fd(sealed);
        close_fd(loose);
        end(s, &client);
}

static void test_revoke(void) {
        _cleanup_scene_ Scene *s = scene_new();
        DomainSpec stray = { .device = 1, .options = &(const DomainOptions) {} };
        FakeContext *context;
        FakeDevice *device;
        uint64_t domain;
        Client client;
        Lease *lease;
        uint32_t id;

        lease = set_up(s, MODE_CONFINED);
        scene_hand_over(s, s->lease, &client);
        device = fake_kernel_find(s->kernel, A);
        device->reset = PROVE_NO_RESET;
        domain = alloc_domain(s, A, 1, (DomainOptions) { .pasid = true, .fault_queue = true });
        run(s, make_attach(A, domain, PASID_NONE), NULL, NULL);
        run(s, make_attach(A, domain, 3), NULL, NULL);
        run(s, make_map(make_memory(4, F_SEAL_SHRINK), 1, 0x100000, 4 * 4096), NULL, NULL);

        /* the client reads from the queue; and a daemon before us was killed when it had just made these */
        context = fake_kernel_find_context(s->kernel, device->context);
        for (size_t i = 0; i < ELEMENTSOF(context->objects); i++)
                if (context->objects[i].kind == FAKE_QUEUE)
                        context->objects[i].n_users++;
        assert_ok(s->kernel_port.dma->alloc_ioas(
                s->kernel_port.userdata, lease->iommufd, &(IoasOptions) {}, &stray.parent, NULL));
        assert_ok(s->kernel_port.dma->alloc_domain(
                s->kernel_port.userdata, lease->iommufd, &stray, &id, NULL));

        /* what nobody has told us of */
        assert_ok(fake_client_attach(s->kernel, device, 7, id_of(lease, domain)));
        assert_ok(fake_client_attach(s->kernel, device, 0, id_of(lease, domain)));
        assert(fake_device_reaches(s->kernel, device, 7, 0x100000));

        run(s, make(OPERATION_REVOKE), NULL, NULL);
        assert_eq_int(fake_kernel_count_objects(s->kernel, FAKE_IOAS), 0);
        assert_eq_int(fake_kernel_count_objects(s->kernel, FAKE_DOMAIN), 0);
        assert_eq_int(fake_kernel_count_objects(s->kernel, FAKE_QUEUE), 1);
        for (id = 0; id < 200; id++)
                assert_eq_int(fake_client_attach(s->kernel, device, PASID_NONE, id) >= 0, false);
        assert_used(s, ACCOUNT_PINNED_BYTES, 0);
        assert_eq_int(lease->state, LEASE_ACTIVE);

        run(s, make(OPERATION_ALLOC_IOAS), NULL, "taken back for good");
        run(s, make(OPERATION_REVOKE), NULL, NULL);
        scene_restart(s);
        run(s, make(OPERATION_ALLOC_IOAS), NULL, "taken back for good");
        end(s, &client);
}

/* The daemon ends in the middle of it: the next one does the rest. */
static void test_revoke_over_restart(void) {
        _cleanup_scene_ Scene *s = scene_new();
        const FakeDevice *device;
        Refusal refusal;
        Client client;
        Lease *lease;

        lease = set_up(s, MODE_CONFINED);
        scene_hand_over(s, s->lease, &client);
        device = fake_kernel_find(s->kernel, A);
        run(s, make_map(make_memory(4, F_SEAL_SHRINK), 1, 0x100000, 4 * 4096), NULL, NULL);

        /* without a record of it nothing is taken: the next daemon would give what this one has taken */
        s->kernel->fail_call = "save 1";
        run(s, make(OPERATION_REVOKE), NULL, "save 1");
        s->kernel->fail_call = NULL;
        assert(!lease->context->revoked && fake_device_reaches(s->kernel, device, PASID_NONE, 0x100000));

        assert_eq_int(manager_operate_take(s->manager, &ROOT, s->lease, make(OPERATION_REVOKE), &refusal,
                                           &s->changes), 0);
        assert(fake_device_reaches(s->kernel, device, PASID_NONE, 0x100000));

        scene_restart(s);
        scene_run(s);
        assert_eq_int(scene_lease(s, s->lease)->state, LEASE_ACTIVE);
        assert_eq_int(fake_kernel_count_objects(s->kernel, FAKE_IOAS), 0);
        assert(!fake_device_reaches(s->kernel, device, PASID_NONE, 0x100000));
        end(s, &client);
}

/* The lease ends while the client keeps its copy of the device: it reaches nothing any more. */
static void test_release_cuts_off(void) {
        _cleanup_scene_ Scene *s = scene_new();
        FakeDevice *device;
        Client client;
        Refusal refusal;

        set_up(s, MODE_CONFINED);
        scene_hand_over(s, s->lease, &client);
        device = fake_kernel_find(s->kernel, A);
        run(s, make_map(make_memory(4, F_SEAL_SHRINK), 1, 0x100000, 4 * 4096), NULL, NULL);
        assert(fake_device_reaches(s->kernel, device, PASID_NONE, 0x100000));

        assert_eq_int(manager_release(s->manager, &ALICE, s->lease, &refusal, &s->changes), 0);
        for (unsigned i = 0; i < 10; i++)
                scene_step(s);
        assert_eq_int(scene_lease(s, s->lease)->state, LEASE_DRAINING);
        assert(fake_device_is_bound(device));          /* by the client's copy */
        for (uint32_t id = 0; id < 200; id++)
                assert_eq_int(fake_client_attach(s->kernel, device, PASID_NONE, id), -ENOENT);
        end(s, &client);
}

static void test_refusals(void) {
        const Subject alice_in_container = { .uid = ALICE.uid, .known = ALICE.known };
        const Subject *const others[] = { &BOB, &STRANGER, &CONTAINER_ROOT, &alice_in_container };
        _cleanup_scene_ Scene *s = scene_new();
        Operation *operation;
        uint64_t ioas;
        Client client;

        set_up(s, MODE_ATTACHED);
        scene_hand_over(s, s->lease, &client);

        run(s, make_map(make_memory(1, F_SEAL_SHRINK), 1, 0x100000, 4096), NULL, "has the iommufd itself");
        run(s, make(OPERATION_REVOKE), NULL, "has the iommufd itself");
        run(s, make_attach(A, 77, PASID_NONE), NULL, "has no domain 77");
        run(s, make_attach("0000:09:00.0", 2, PASID_NONE), NULL, "has no device");
        operation = make(OPERATION_DESTROY);
        operation->handle = 2;
        run(s, operation, NULL, "is in use");

        /* a handle never comes again */
        ioas = alloc_ioas(s);
        operation = make(OPERATION_DESTROY);
        operation->handle = ioas;
        run(s, operation, NULL, NULL);
        assert(alloc_ioas(s) > ioas);

        /* nobody else's, and not that of who has the same number in a container */
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                operation = scene_operate(s, others[i], make(OPERATION_ALLOC_IOAS));
                assert_eq_int(operation->refusal.outcome, OUTCOME_DENIED);
                operation_free(operation);
        }
        end(s, &client);
}

/* What one lease can have: as much, and no more, and again when something has gone. */
static void test_limits(void) {
        _cleanup_scene_ Scene *s = scene_new();
        uint64_t ioas = 0, domain = 0;
        Operation *operation;
        Client client;

        set_up(s, MODE_CONFINED);
        scene_hand_over(s, s->lease, &client);

        for (unsigned i = 1; i < LIMIT_LEASE_IOASES; i++)
                ioas = alloc_ioas(s);
        run(s, make(OPERATION_ALLOC_IOAS), NULL, "has 16 IOASes: destroy some first");
        assert_eq_int(fake_kernel_count_objects(s->kernel, FAKE_IOAS), LIMIT_LEASE_IOASES);

        for (unsigned i = 1; i < LIMIT_LEASE_DOMAINS; i++)
                domain = alloc_domain(s, A, ioas, (DomainOptions) {});
        run(s, make_domain(A, ioas, (DomainOptions) {}), NULL, "has 64 domains: destroy some first");
        assert_used(s, ACCOUNT_DOMAINS, LIMIT_LEASE_DOMAINS);

        operation = make(OPERATION_DESTROY);
        operation->handle = domain;
        run(s, operation, NULL, NULL);
        assert_used(s, ACCOUNT_DOMAINS, LIMIT_LEASE_DOMAINS - 1);
        assert(alloc_domain(s, A, ioas, (DomainOptions) {}) > domain);
        end(s, &client);
}

/* They are put there by hand: as many calls would take long in a made kernel. */
static void test_limit_of_mappings(void) {
        _cleanup_scene_ Scene *s = scene_new();
        _cleanup_close_ int memory = make_memory(1, F_SEAL_SHRINK);
        Client client;
        Lease *lease;
        Ioas *ioas;

        lease = set_up(s, MODE_CONFINED);
        scene_hand_over(s, s->lease, &client);
        ioas = context_find_ioas(lease->context, 1);

        for (uint64_t i = 0; i < LIMIT_LEASE_MAPPINGS; i++)
                assert_ok(ioas_add_mapping(ioas, (1 + i) << 20, 4096));
        assert_eq_int(run(s, make_map(assert_ok(fd_dup(memory)), 1, 0x1000, 4096), NULL,
                          "has 4096 mappings: unmap some first, or map more at once"), OUTCOME_QUOTA);
        assert_used(s, ACCOUNT_MAPPINGS, 0);

        (void) ioas_remove_mappings(ioas, 1, LIMIT_LEASE_MAPPINGS - 1);
        run(s, make_map(assert_ok(fd_dup(memory)), 1, 0x1000, 4096), NULL, NULL);
        assert_used(s, ACCOUNT_MAPPINGS, 1);
        (void) ioas_remove_mappings(ioas, 1, 1);
        end(s, &client);
}

/* What each of its devices can have. */
static void test_limit_of_pasids(void) {
        _cleanup_scene_ Scene *s = scene_new();
        uint64_t domain;
        Client client;

        scene_add(s, A, 1, "vfio-pci")->info.pasid_log2 = 10;
        s->mode = MODE_CONFINED;
        scene_grant(s, &ALICE, A);
        scene_hand_over(s, s->lease, &client);
        domain = alloc_domain(s, A, 1, (DomainOptions) { .pasid = true });
        run(s, make_attach(A, domain, PASID_NONE), NULL, NULL);

        for (uint32_t pasid = 1; pasid <= LIMIT_LEASE_PASIDS; pasid++) {
                s->kernel->journal[0] = '\0';
                run(s, make_attach(A, domain, pasid), NULL, NULL);
        }
        run(s, make_attach(A, domain, 1000), NULL, "has 256 PASIDs attached: detach some first");
        run(s, make_attach(A, domain, 1), NULL, NULL);          /* no further one */
        assert_used(s, ACCOUNT_PASIDS, LIMIT_LEASE_PASIDS);

        run(s, make_attach(A, 0, 7), NULL, NULL);
        run(s, make_attach(A, domain, 1000), NULL, NULL);
        assert_target(s, A, 1000, id_of(manager_find_lease(s->manager, s->lease), domain));
        end(s, &client);
}

/* Of another IOMMU: the kernel would not look. */
static void test_other_iommu(void) {
        _cleanup_scene_ Scene *s = scene_new();
        uint64_t other;
        Client client;
        Lease *lease;

        scene_add(s, A, 1, "vfio-pci");
        scene_add(s, "0000:02:00.0", 2, "vfio-pci");
        strcpy(scene_facts(s, "0000:02:00.0")->iommu, "dmar1");
        s->mode = MODE_ATTACHED;
        lease = scene_grant(s, &ALICE, A, "0000:02:00.0");
        scene_hand_over(s, s->lease, &client);

        other = lease->devices[1].dma.domain->handle;
        run(s, make_attach(A, other, PASID_NONE), NULL, "is of the IOMMU dmar1");
        end(s, &client);
}

int main(void) {
        static const IommuDriver drivers[] = { IOMMU_DRIVER_INTEL_VTD, IOMMU_DRIVER_UNKNOWN };

        for (size_t i = 0; i < ELEMENTSOF(drivers); i++)
                for (unsigned n = 1; fail_replace(n, drivers[i], /* same_ioas= */ i == 0); n++)
                        ;
        for (unsigned n = 1; fail_replace(n, IOMMU_DRIVER_INTEL_VTD, /* same_ioas= */ false); n++)
                ;

        for (size_t i = 0; i < ELEMENTSOF(drivers); i++)
                for (unsigned lose = 1; lose <= 2; lose++) {
                        test_lost_child(drivers[i], lose, /* undone= */ true);
                        test_lost_child(drivers[i], lose, /* undone= */ false);
                }
        test_switch_over_restart(PASID_NONE);
        test_switch_over_restart(3);

        test_pasid();
        test_map();
        test_revoke();
        test_revoke_over_restart();
        test_release_cuts_off();
        test_refusals();
        test_limits();
        test_limit_of_mappings();
        test_limit_of_pasids();
        test_other_iommu();
        return EXIT_SUCCESS;
}
