/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <string.h>

#include "core/change.h"
#include "core/context.h"
#include "core/lease-context.h"
#include "core/lease-operation.h"
#include "core/lease-private.h"
#include "core/manager.h"
#include "core/operation-run.h"
#include "core/task.h"

static int operation_begin_revoke(Lease *lease, Operation *operation);
static int operation_finish_revoke(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                                   const KernelFailure *failure);

static const struct {
        OperationBegin begin;
        OperationFinish finish;              /* NULL: it never has a job */
} kinds[] = {
        [OPERATION_ALLOC_IOAS] = { operation_begin_alloc_ioas, NULL },
        [OPERATION_ALLOC_DOMAIN] = { operation_begin_alloc_domain, operation_finish_alloc_domain },
        [OPERATION_ALLOC_VIOMMU] = { operation_begin_alloc_viommu, operation_finish_alloc_viommu },
        [OPERATION_ALLOC_VDEVICE] = { operation_begin_alloc_vdevice, operation_finish_alloc_vdevice },
        [OPERATION_ALLOC_VEVENTQ] = { operation_begin_alloc_veventq, NULL },
        [OPERATION_ATTACH] = { operation_begin_attach, operation_finish_attach },
        [OPERATION_DETACH] = { operation_begin_detach, operation_finish_attach },
        [OPERATION_DESTROY] = { operation_begin_destroy, operation_finish_destroy },
        [OPERATION_MAP] = { operation_begin_map, operation_finish_map },
        [OPERATION_UNMAP] = { operation_begin_unmap, operation_finish_unmap },
        [OPERATION_SET_DIRTY_TRACKING] = { operation_begin_set_dirty_tracking,
                                           operation_finish_set_dirty_tracking },
        [OPERATION_READ_DIRTY] = { operation_begin_read_dirty, operation_finish_read_dirty },
        [OPERATION_REVOKE] = { operation_begin_revoke, operation_finish_revoke },
        [OPERATION_SETTLE] = { operation_begin_settle, operation_finish_attach },
};

static_assert(ELEMENTSOF(kinds) == _OPERATION_KIND_MAX, "a kind of operation has no function");

/* ---- what operations have in common */

LeaseDevice *operation_find_device(Lease *lease, Operation *operation) {
        LeaseDevice *device;

        device = lease_find_device(lease, operation->device);
        if (device && device->given && !device->gone)
                return device;

        (void) refuse(&operation->refusal, OUTCOME_NO_SUCH_DEVICE,
                      "Lease %" PRIu64 " has no device \"%.64s\"", lease->id, operation->device);
        return NULL;
}

Ioas *operation_find_ioas(Lease *lease, Operation *operation, uint64_t handle) {
        Ioas *ioas;

        ioas = context_find_ioas(lease->context, handle);
        if (!ioas)
                (void) refuse(&operation->refusal, OUTCOME_NO_SUCH_OBJECT,
                              "Lease %" PRIu64 " has no IOAS %" PRIu64, lease->id, handle);
        return ioas;
}

Domain *operation_find_domain(Lease *lease, Operation *operation, uint64_t handle) {
        Domain *domain;

        domain = context_find_domain(lease->context, handle);
        if (!domain)
                (void) refuse(&operation->refusal, OUTCOME_NO_SUCH_OBJECT,
                              "Lease %" PRIu64 " has no domain %" PRIu64, lease->id, handle);
        return domain;
}

int operation_run(Lease *lease, Operation *operation, const int *fds, unsigned n_fds, bool at_once) {
        int all[1 + LIMIT_CONTEXT_DEVICES] = { lease->iommufd }, r;
        KernelFailure failure = {};
        DmaResult result = {};

        assert(n_fds < ELEMENTSOF(all));

        if (!at_once) {
                r = lease_start_job(lease, &operation->job, fds, n_fds);
                if (r < 0) {
                        kernel_failure(&failure, r, "starting a child process for %s",
                                       dma_job_name(&operation->job));
                        if (operation->job.kind == DMA_JOB_SWITCH)
                                r = SWITCH_NOT_BEGUN;
                        return kinds[operation->kind].finish(lease, operation, r, &result, &failure);
                }

                operation->under_way = true;
                return OPERATION_UNDER_WAY;
        }

        for (unsigned i = 0; i < n_fds; i++)
                all[1 + i] = fds[i];
        r = dma_job_run(&operation->job, lease->manager->kernel, all, 1 + n_fds, &result, &failure);
        return kinds[operation->kind].finish(lease, operation, r, &result, &failure);
}

/* ---- the queue */

bool lease_has_operation(const Lease *lease) {
        for (const Operation *operation = lease->operations; operation; operation = operation->next)
                if (operation->under_way)
                        return true;

        return false;
}

static Operation *lease_first_operation(const Lease *lease) {
        for (Operation *operation = lease->operations; operation; operation = operation->next)
                if (!operation->done)
                        return operation;

        return NULL;
}

static void operation_set_done(Operation *operation, ChangeSet *changes) {
        operation->done = true;
        operation->under_way = false;
        change_set_operation(changes, operation->id);
}

/* What is in the context now is on record before anybody is told. */
static void lease_operation_ended(Lease *lease, Operation *operation, ChangeSet *changes) {
        operation_set_done(operation, changes);
        if (!operation->on_record)
                lease_save_progress(lease, changes);
        if (operation->kind == OPERATION_SETTLE && operation->refusal.outcome != OUTCOME_GRANTED)
                lease_set_reason(lease, operation->refusal.text, changes);     /* nobody else is told */
        if (operation->kind == OPERATION_REVOKE)
                change_set_lease(changes, CHANGE_LEASE_CHANGED, lease->id);
}

static int operation_begin(Lease *lease, Operation *operation) {
        if (lease->context->revoked && operation->kind != OPERATION_REVOKE)
                return refuse(&operation->refusal, OUTCOME_REVOKED,
                              "The memory of lease %" PRIu64 " was taken back for good: release it and "
                              "acquire anew",
                              lease->id);

        return kinds[operation->kind].begin(lease, operation);
}

void lease_next_operation(Lease *lease, ChangeSet *changes) {
        Operation *operation;

        while (lease->job_task == 0 && (operation = lease_first_operation(lease))) {
                if (operation_begin(lease, operation) == OPERATION_UNDER_WAY)
                        return;

                lease_operation_ended(lease, operation, changes);
        }
}

void lease_operation_done(Lease *lease, const TaskResult *result, ChangeSet *changes) {
        Operation *operation = lease_first_operation(lease);

        assert(operation && operation->under_way);

        operation->under_way = false;
        if (kinds[operation->kind].finish(lease, operation, result->result, &result->dma,
                                          &result->failure) == OPERATION_UNDER_WAY)
                return;

        lease_operation_ended(lease, operation, changes);
}

void lease_refuse_operations(Lease *lease, ChangeSet *changes) {
        for (Operation *operation = lease->operations; operation; operation = operation->next) {
                if (operation->done || operation->under_way)
                        continue;
                refuse(&operation->refusal, OUTCOME_DRAINING, "Lease %" PRIu64 " has ended: %s", lease->id,
                       lease->end_cause);
                operation_set_done(operation, changes);
        }
}

int lease_operate_take(Lease *lease, Operation *operation, Refusal *reterr, ChangeSet *changes) {
        Operation **link = &lease->operations;
        unsigned n = 0;

        for (; *link; link = &(*link)->next)
                n += !(*link)->done;

        if (n >= LIMIT_LEASE_OPERATIONS)
                return refuse(reterr, OUTCOME_QUOTA,
                              "%u calls for lease %" PRIu64 " are waiting: wait for the answers first", n,
                              lease->id);

        *link = operation;
        lease_next_operation(lease, changes);
        return 0;
}

Operation *lease_take_operation(Lease *lease, uint64_t id) {
        for (Operation **link = &lease->operations; *link; link = &(*link)->next) {
                Operation *operation = *link;

                if (operation->id != id)
                        continue;
                if (!operation->done)
                        return NULL;

                *link = operation->next;
                operation->next = NULL;
                return operation;
        }

        return NULL;
}

/* ---- taking everything back */

static int operation_begin_revoke(Lease *lease, Operation *operation) {
        int fds[LIMIT_CONTEXT_DEVICES], r;
        KernelFailure failure;
        bool before = lease->context->revoked;

        if (lease->mode != MODE_CONFINED)
                return refuse(&operation->refusal, OUTCOME_NOT_SUPPORTED,
                        "The client of lease %" PRIu64
                        " has the iommufd itself (mode %s): what it has mapped "
                        "can't be taken back. End the lease, or the client",
                        lease->id, mode_to_string(lease->mode));

        r = lease_make_tear_down(lease, &operation->job, fds);
        if (r < 0) {
                kernel_failure(&failure, r, "preparing to take everything back");
                return refuse_kernel(&operation->refusal, &failure);
        }
        operation->job.cut.reset = true;

        /* on record first: whatever becomes of us, nothing is given any more */
        lease->context->revoked = true;
        if (lease_save(lease, &failure) < 0) {
                lease->context->revoked = before;
                return refuse_kernel(&operation->refusal, &failure);
        }

        return operation_run(lease, operation, fds, (unsigned) r, /* at_once= */ false);
}

static int operation_finish_revoke(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                                   const KernelFailure *failure) {
        if (result == TEAR_DOWN_LEFT)
                return refuse(&operation->refusal, OUTCOME_KERNEL_FAILED,
                        "No memory of lease %" PRIu64 " is mapped any more, but a device was attached again "
                        "and again meanwhile: %s. Revoke it again, or end the client",
                        lease->id, failure->call);
        if (result < 0)
                return refuse_kernel(&operation->refusal, failure);

        for (unsigned i = 0; i < operation->job.cut.n_devices; i++)
                if (dma->reset[i] != 0)
                        strcpy(operation->not_reset[operation->n_not_reset++],
                               operation->job.cut.devices[i].name);

        lease_forget_context(lease);
        return 0;
}

void lease_go_on_revoking(Lease *lease, ChangeSet *changes) {
        Operation *operation;
        Refusal refusal;

        if (!lease->context || !lease->context->revoked || lease->context->ioases.n_items == 0)
                return;

        if (operation_new(OPERATION_REVOKE, &operation) < 0) {
                lease_set_reason(lease, "out of memory; revoke it again to take its memory back", changes);
                return;
        }

        if (lease_operate_take(lease, operation, &refusal, changes) > 0)
                operation_free(operation);   /* there is none that waits, so that this is not so */
}
