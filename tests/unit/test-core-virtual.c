/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Virtual IOMMUs, their devices and queues: made, refused, gone in the right order, known again. */

#include <string.h>

#include "base/fd.h"
#include "core/account.h"
#include "core/domain.h"
#include "core/virtual.h"
#include "fake/assert.h"
#include "fake/scene.h"

#define A "0000:01:00.0"
#define B "0000:02:00.0"
#define ELSEWHERE "0000:03:00.0"
#define VIOMMU (1U << IOMMU_FEATURE_VIOMMU)

/* Three in groups of their own, the last behind another IOMMU. Domains 2 and 3 can have others on them. */
static Lease *set_up(Scene *s, Mode mode) {
        static const char *const names[] = { A, B, ELSEWHERE };

        for (unsigned i = 0; i < ELEMENTSOF(names); i++) {
                FakeDevice *device = scene_add(s, names[i], i + 1, "vfio-pci");

                device->info.has |= VIOMMU;
                device->info.lacks &= ~VIOMMU;
        }
        strcpy(scene_facts(s, ELSEWHERE)->iommu, "dmar1");
        scene_keep(s);
        scene_commit(s);
        s->mode = mode;
        s->domain_options.kind = DOMAIN_NEST_PARENT;
        return scene_grant(s, &ALICE, A, B, ELSEWHERE);
}

static int run(Scene *s, Operation *operation, uint64_t *ret_handle, const char *text) {
        Outcome outcome;

        operation = scene_operate(s, &ALICE, operation);
        outcome = operation->refusal.outcome;
        if (ret_handle)
                *ret_handle = operation->handle;
        if (text)
                assert_has(operation->refusal.text, text);
        else if (outcome != OUTCOME_GRANTED)
                assert_failed(__FILE__, __LINE__, "operation", "refused: %s", operation->refusal.text);
        operation_free(operation);
        return outcome;
}

static Operation *make(OperationKind kind, const char *device, uint64_t parent, VirtualSpec spec) {
        Operation *operation;

        assert_ok(operation_new(kind, &operation));
        strcpy(operation->device, device);
        operation->parent = parent;
        operation->virtual = spec;
        return operation;
}

static Operation *make_viommu(const char *device, uint64_t parent) {
        return make(OPERATION_ALLOC_VIOMMU, device, parent, (VirtualSpec) { .type = 7 });
}

static Operation *make_vdevice(const char *device, uint64_t viommu, uint64_t number) {
        return make(OPERATION_ALLOC_VDEVICE, device, viommu, (VirtualSpec) { .virt_id = number });
}

static Operation *make_queue(uint64_t viommu, uint32_t type) {
        return make(OPERATION_ALLOC_VEVENTQ, "", viommu, (VirtualSpec) { .type = type, .depth = 64 });
}

static Operation *make_nested(const char *device, uint64_t parent) {
        Operation *operation = make(OPERATION_ALLOC_DOMAIN, device, parent, (VirtualSpec) {});

        operation->domain_options = (DomainOptions) { .kind = DOMAIN_NESTED, .data_length = 1 };
        return operation;
}

static Operation *make_destroy(uint64_t handle) {
        Operation *operation = make(OPERATION_DESTROY, "", 0, (VirtualSpec) {});

        operation->handle = handle;
        return operation;
}

static uint64_t made(Scene *s, Operation *operation) {
        uint64_t handle;

        run(s, operation, &handle, NULL);
        assert(handle > 0);
        return handle;
}

static uint64_t domains_used(Scene *s) {
        Account *account;

        assert_ok(manager_get_account(s->manager, ALICE.uid, /* rule= */ NULL, &account));
        return account->used[ACCOUNT_DOMAINS];
}

static void end(Scene *s, Client *client) {
        client_close(client);
        scene_watch(s);
        scene_run(s);
        assert(!scene_lease(s, s->lease));
        assert_eq_int(domains_used(s), 0);
        for (FakeObjectKind kind = FAKE_IOAS; kind <= FAKE_VEVENTQ; kind++)
                assert_eq_int(fake_kernel_count_objects(s->kernel, kind), 0);
}

static void test_life(Mode mode) {
        _cleanup_scene_ Scene *s = scene_new();
        uint64_t viommu, vdevice, nested, queue = 0;
        Operation *operation;
        Client client;
        Lease *lease;

        lease = set_up(s, mode);
        scene_hand_over(s, s->lease, &client);
        assert_eq_int(domains_used(s), 2);

        /* data goes to the driver and comes back */
        operation = make_viommu(A, 2);
        operation->virtual.data_length = 2;
        operation->virtual.data[1] = 0x0f;
        operation = scene_operate(s, &ALICE, operation);
        assert_eq_int(operation->refusal.outcome, OUTCOME_GRANTED);
        assert_eq_int(operation->virtual.data[0], 0xff);
        assert_eq_int(operation->virtual.data[1], 0xf0);
        assert((operation->kernel_id != 0) == (mode == MODE_ATTACHED));
        viommu = operation->handle;
        operation_free(operation);

        vdevice = made(s, make_vdevice(B, viommu, 5));
        nested = made(s, make_nested(A, viommu));
        if (mode == MODE_ATTACHED)
                queue = made(s, make_queue(viommu, 3));
        assert_eq_int(domains_used(s), mode == MODE_ATTACHED ? 6 : 5);
        assert_eq_int(context_find_domain(lease->context, nested)->viommu->handle, viommu);

        /* what something is made of stays */
        assert_eq_int(run(s, make_destroy(viommu), NULL, "is in use"), OUTCOME_IN_USE);
        assert_eq_int(run(s, make_destroy(2), NULL, "is in use"), OUTCOME_IN_USE);
        run(s, make_destroy(vdevice), NULL, NULL);
        run(s, make_destroy(nested), NULL, NULL);
        if (queue)
                run(s, make_destroy(queue), NULL, NULL);
        run(s, make_destroy(viommu), NULL, NULL);
        assert_eq_int(run(s, make_destroy(viommu), NULL, "has nothing of"), OUTCOME_NO_SUCH_OBJECT);
        assert_eq_int(domains_used(s), 2);
        end(s, &client);
}

/* As many in one lease, of whichever kind, and no more. */
static void test_limit(void) {
        _cleanup_scene_ Scene *s = scene_new();
        uint64_t viommu = 0;
        Client client;

        set_up(s, MODE_CONFINED);
        scene_hand_over(s, s->lease, &client);

        for (unsigned i = 0; i < LIMIT_LEASE_VIRTUALS; i++)
                viommu = made(s, make_viommu(A, 2));
        assert_eq_int(run(s, make_viommu(A, 2), NULL, "has 64 virtual IOMMUs"), OUTCOME_QUOTA);
        assert_eq_int(run(s, make_vdevice(B, viommu, 5), NULL, "has 64 virtual IOMMUs"), OUTCOME_QUOTA);
        assert_eq_int(domains_used(s), 2 + LIMIT_LEASE_VIRTUALS);

        run(s, make_destroy(viommu), NULL, NULL);
        made(s, make_viommu(A, 2));
        end(s, &client);
}

static void test_refused(void) {
        _cleanup_scene_ Scene *s = scene_new();
        uint64_t viommu, paging, other;
        Client client;
        Lease *lease;

        lease = set_up(s, MODE_ATTACHED);
        scene_hand_over(s, s->lease, &client);

        /* on what, and for whom */
        run(s, make(OPERATION_ALLOC_DOMAIN, A, 1, (VirtualSpec) {}), &paging, NULL);
        assert_eq_int(run(s, make_viommu(A, paging), NULL, "not of kind nest"), OUTCOME_INVALID_OPTION);
        assert_eq_int(run(s, make_viommu(ELSEWHERE, 2), NULL, "is behind dmar1"), OUTCOME_INVALID_OPTION);
        assert_eq_int(run(s, make_viommu(A, 99), NULL, "has no domain 99"), OUTCOME_NO_SUCH_OBJECT);
        assert_eq_int(run(s, make_viommu("0000:66:00.0", 2), NULL, "has no device"), OUTCOME_NO_SUCH_DEVICE);

        viommu = made(s, make_viommu(A, 2));
        other = made(s, make_viommu(ELSEWHERE, 3));
        assert_eq_int(run(s, make_vdevice(A, 2, 1), NULL, "no virtual IOMMU 2"), OUTCOME_NO_SUCH_OBJECT);
        assert_eq_int(run(s, make_vdevice(A, other, 1), NULL, "is behind dmar0"), OUTCOME_INVALID_OPTION);
        assert_eq_int(run(s, make_nested(A, other), NULL, "is behind dmar0"), OUTCOME_INVALID_OPTION);

        /* once each */
        made(s, make_vdevice(A, viommu, 1));
        assert_eq_int(run(s, make_vdevice(A, viommu, 2), NULL, A " is on a virtual IOMMU"), OUTCOME_IN_USE);
        assert_eq_int(run(s, make_vdevice(B, viommu, 1), NULL, "number 0x1 already"), OUTCOME_IN_USE);
        made(s, make_queue(viommu, 3));
        assert_eq_int(run(s, make_queue(viommu, 3), NULL, "queue of this type"), OUTCOME_IN_USE);
        made(s, make_queue(viommu, 4));

        /* the hardware, and the policy */
        fake_kernel_find(s->kernel, A)->info.has = 0;
        assert_eq_int(run(s, make_viommu(A, 2), NULL, "no viommu of type 0x7"), OUTCOME_NOT_SUPPORTED);
        lease->features = 0;
        assert_eq_int(run(s, make_viommu(A, 2), NULL, "gives no nesting"), OUTCOME_DENIED);
        assert_eq_int(domains_used(s), 8);
        end(s, &client);
}

/* A lease of mode confined lets go of all of it, in an order in which the kernel does. */
static void test_revoke(void) {
        _cleanup_scene_ Scene *s = scene_new();
        uint64_t viommu;
        Client client;

        set_up(s, MODE_CONFINED);
        scene_hand_over(s, s->lease, &client);
        viommu = made(s, make_viommu(A, 2));
        made(s, make_nested(A, viommu));
        made(s, make_vdevice(A, viommu, 5));
        assert_eq_int(run(s, make_queue(viommu, 3), NULL, "in mode attached"), OUTCOME_NOT_SUPPORTED);

        run(s, make(OPERATION_REVOKE, "", 0, (VirtualSpec) {}), NULL, NULL);
        for (FakeObjectKind kind = FAKE_IOAS; kind <= FAKE_VEVENTQ; kind++)
                assert_eq_int(fake_kernel_count_objects(s->kernel, kind), 0);
        assert_eq_int(domains_used(s), 0);
        end(s, &client);
}

static void test_restart(Mode mode) {
        _cleanup_scene_ Scene *s = scene_new();
        uint64_t viommu, vdevice, nested;
        const Virtual *virtual;
        Client client;
        Lease *lease;

        set_up(s, mode);
        scene_hand_over(s, s->lease, &client);
        viommu = made(s, make_viommu(A, 2));
        nested = made(s, make_nested(A, viommu));
        vdevice = made(s, make_vdevice(B, viommu, UINT64_MAX - 1));
        if (mode == MODE_ATTACHED)
                made(s, make_queue(viommu, 3));

        scene_restart(s);
        scene_run(s);
        lease = scene_lease(s, s->lease);
        assert_eq_int(lease->state, LEASE_ACTIVE);
        virtual = context_find_virtual(lease->context, vdevice);
        assert(virtual && virtual->viommu->handle == viommu);
        assert_eq_str(virtual->device, B);
        assert(virtual->virt_id == UINT64_MAX - 1);
        assert_eq_int(context_find_virtual(lease->context, viommu)->domain->handle, 2);
        assert_eq_int(context_find_virtual(lease->context, viommu)->type, 7);
        assert_eq_int(context_find_domain(lease->context, nested)->viommu->handle, viommu);
        assert_eq_int(domains_used(s), mode == MODE_ATTACHED ? 6 : 5);
        end(s, &client);
}

/* Each is made with the n-th call failing: nothing is left of it, and nothing charged. */
static bool fail_once(Mode mode, OperationKind kind, unsigned n) {
        _cleanup_scene_ Scene *s = scene_new();
        Operation *operation;
        uint64_t viommu, used;
        unsigned n_fds;
        Client client;
        bool failed;

        set_up(s, mode);
        scene_hand_over(s, s->lease, &client);
        viommu = made(s, make_viommu(A, 2));
        used = domains_used(s);
        n_fds = count_fds();

        s->kernel->fail_at = s->kernel->n_calls + n;
        operation = scene_operate(s, &ALICE,
                                  kind == OPERATION_ALLOC_VIOMMU    ? make_viommu(A, 2)
                                  : kind == OPERATION_ALLOC_VDEVICE ? make_vdevice(A, viommu, 1)
                                  : kind == OPERATION_ALLOC_VEVENTQ ? make_queue(viommu, 1)
                                                                    : make_nested(A, viommu));
        s->kernel->fail_at = 0;
        failed = operation->refusal.outcome != OUTCOME_GRANTED;
        assert(!failed || operation->refusal.outcome == OUTCOME_KERNEL_FAILED);
        operation_free(operation);
        assert_eq_int(domains_used(s), used + !failed);
        assert_eq_int(count_fds(), n_fds);
        end(s, &client);
        return failed;
}

int main(void) {
        static const Mode modes[] = { MODE_ATTACHED, MODE_CONFINED };
        static const OperationKind kinds[] = { OPERATION_ALLOC_VIOMMU, OPERATION_ALLOC_VDEVICE,
                                               OPERATION_ALLOC_VEVENTQ, OPERATION_ALLOC_DOMAIN };

        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                test_life(modes[i]);
                test_restart(modes[i]);
                for (size_t k = 0; k < ELEMENTSOF(kinds); k++)
                        if (modes[i] == MODE_ATTACHED || kinds[k] != OPERATION_ALLOC_VEVENTQ) {
                                assert(fail_once(modes[i], kinds[k], 1));
                                for (unsigned n = 2; fail_once(modes[i], kinds[k], n); n++)
                                        ;
                        }
        }

        test_limit();
        test_refused();
        test_revoke();
        return 0;
}
