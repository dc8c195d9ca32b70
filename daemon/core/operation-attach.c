/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Operations that move devices, and PASIDs of them, from one domain to another.
 */

#include <inttypes.h>
#include <string.h>

#include "core/change.h"
#include "core/dma-refusal.h"
#include "core/domain.h"
#include "core/ioas.h"
#include "core/lease-charge.h"
#include "core/lease-operation.h"
#include "core/lease-private.h"
#include "core/manager.h"
#include "core/operation-run.h"

static bool is_in_switch(const Operation *operation, const LeaseDevice *device, const LeaseDevice *other) {
        if (operation->pasid != PASID_NONE)
                return other == device;

        return other->group == device->group && other->dma.bound && !other->gone;
}

/* The devices themselves go as a group: to the kernel they have one domain. */
static unsigned operation_collect(
        const Lease *lease, const Operation *operation, const LeaseDevice *device, int *fds) {
        unsigned n = 0;

        for (unsigned i = 0; i < lease->n_devices; i++)
                if (is_in_switch(operation, device, &lease->devices[i]))
                        fds[n++] = lease->devices[i].fd;

        return n;
}

static int check_pasid(Lease *lease, Operation *operation, const LeaseDevice *device, const Domain *target) {
        uint64_t n = UINT64_C(1) << device->dma.info.pasid_log2;

        /* the kernel takes these as if they had been done */
        if (device->dma.info.pasid_log2 == 0)
                return refuse(&operation->refusal, OUTCOME_NOT_SUPPORTED,
                              "%s has no PASIDs, or its IOMMU has them not enabled", device->name);

        if (operation->any_pasid) {
                operation->pasid = 1;
                while (attachments_find(&device->dma, operation->pasid))
                        operation->pasid++;
        }

        if (operation->pasid == 0 || operation->pasid >= n)
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                              "%s has no PASID %u: it has 1 to %" PRIu64, device->name, operation->pasid,
                              n - 1);

        if (!target)
                return 0;

        if (!target->options.pasid || (device->dma.domain && !device->dma.domain->options.pasid))
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                        "Domain %" PRIu64 " was not made for PASIDs: both that of a PASID and that of the "
                        "device itself are made with the option pasid",
                        !target->options.pasid ? target->handle : device->dma.domain->handle);

        if (device->dma.n_pasids >= LIMIT_LEASE_PASIDS && !attachments_find(&device->dma, operation->pasid))
                return refuse(&operation->refusal, OUTCOME_QUOTA,
                              "%s has %u PASIDs attached: detach some first", device->name,
                              LIMIT_LEASE_PASIDS);

        for (unsigned i = 0; i < lease->n_devices; i++) {
                const LeaseDevice *other = &lease->devices[i];

                if (other != device && other->group == device->group &&
                    attachments_find(&other->dma, operation->pasid))
                        return refuse(&operation->refusal, OUTCOME_IN_USE,
                                "PASID %u is in use by %s of the same group: a group has one domain for "
                                "each",
                                operation->pasid, other->name);
        }

        return 0;
}

static int check_group(Lease *lease, Operation *operation, const LeaseDevice *device, const Domain *target) {
        for (unsigned i = 0; i < lease->n_devices; i++) {
                const LeaseDevice *other = &lease->devices[i];

                if (other->group == device->group && other->dma.n_pasids > 0 && !target->options.pasid)
                        return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                                "%s has PASIDs attached, and domain %" PRIu64 " was not made for PASIDs",
                                other->name, target->handle);
        }

        return 0;
}

/* The kernel does not look whether a domain is one of the device's IOMMU before it replaces another by it.
 */
static int check_target(
        Lease *lease, Operation *operation, const LeaseDevice *device, const Domain *target) {
        if (strcmp(target->iommu, device->dma.iommu) != 0)
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                        "Domain %" PRIu64
                        " is of the IOMMU %s, and %s is behind %s: make one for that device",
                        target->handle, target->iommu, device->name, device->dma.iommu);

        if (operation->pasid != PASID_NONE || operation->any_pasid)
                return check_pasid(lease, operation, device, target);

        return check_group(lease, operation, device, target);
}

static DmaJob switch_job(const Operation *operation, const LeaseDevice *device, uint32_t target) {
        const Domain *domain = attachments_find(&device->dma, operation->pasid);
        const Ioas *ioas = operation->pasid == PASID_NONE ? device->dma.ioas : NULL;

        return (DmaJob) {
                .kind = DMA_JOB_SWITCH,
                .change = {
                        .pasid = operation->pasid,
                        .target = target,
                        .previous = domain ? domain->id : ioas ? ioas->id : 0,
                        .previous_ioas = domain ? domain->ioas->id : 0,
                        .can_return = device->dma.info.emulated ||
                                      iommu_driver_can_return(device->dma.info.driver),
                },
        };
}

/* On record before it is done: what is attached to what can't be asked of the kernel afterwards. */
static int lease_save_switching(Lease *lease, const Operation *operation, Refusal *reterr) {
        Switching *switching = &lease->context->switching;
        KernelFailure failure;
        int r;

        strcpy(switching->device, operation->device);
        switching->pasid = operation->pasid;
        r = lease_save(lease, &failure);
        if (r < 0) {
                *switching = (Switching) {};
                return refuse_kernel(reterr, &failure);
        }

        return 0;
}

static int operation_switch(Lease *lease, Operation *operation, LeaseDevice *device, uint32_t target) {
        bool charged = false;
        int fds[LIMIT_CONTEXT_DEVICES], r;
        unsigned n_fds;

        operation->job = switch_job(operation, device, target);
        operation->replaced = operation->job.change.previous != 0;

        /* a PASID is charged as long as it is attached */
        if (operation->pasid != PASID_NONE && target != 0 && !operation->replaced) {
                r = lease_charge(lease, ACCOUNT_PASIDS, 1, &operation->refusal);
                if (r > 0)
                        return r;
                charged = true;
        }

        r = lease_save_switching(lease, operation, &operation->refusal);
        if (r > 0) {
                if (charged)
                        lease_refund(lease, ACCOUNT_PASIDS, 1);
                return r;
        }

        n_fds = operation_collect(lease, operation, device, fds);
        return operation_run(lease, operation, fds, n_fds, /* at_once= */ false);
}

int operation_begin_attach(Lease *lease, Operation *operation) {
        KernelFailure failure;
        LeaseDevice *device;
        Domain *domain;
        Ioas *ioas;
        int r;

        device = operation_find_device(lease, operation);
        if (!device)
                return operation->refusal.outcome;

        if (device->dma.info.emulated) {
                ioas = operation_find_ioas(lease, operation, operation->handle);
                if (!ioas)
                        return operation->refusal.outcome;
                if (operation->pasid != PASID_NONE || operation->any_pasid)
                        return refuse(&operation->refusal, OUTCOME_NOT_SUPPORTED, "%s has no PASIDs",
                                      device->name);
                return operation_switch(lease, operation, device, ioas->id);
        }

        domain = operation_find_domain(lease, operation, operation->handle);
        if (!domain)
                return operation->refusal.outcome;

        r = check_target(lease, operation, device, domain);
        if (r > 0)
                return r;

        r = attachments_make_room(&device->dma);
        if (r < 0) {
                kernel_failure(&failure, r, "remembering what is attached");
                return refuse_kernel(&operation->refusal, &failure);
        }

        return operation_switch(lease, operation, device, domain->id);
}

int operation_begin_detach(Lease *lease, Operation *operation) {
        LeaseDevice *device;
        int r;

        device = operation_find_device(lease, operation);
        if (!device)
                return operation->refusal.outcome;

        if (operation->pasid != PASID_NONE) {
                r = check_pasid(lease, operation, device, /* target= */ NULL);
                if (r > 0)
                        return r;
        }

        operation->handle = 0;
        return operation_switch(lease, operation, device, /* target= */ 0);
}

static void operation_set_attached(Lease *lease, const Operation *operation, uint64_t handle) {
        const LeaseDevice *device = lease_find_device(lease, operation->device);
        Domain *domain = context_find_domain(lease->context, handle);
        Ioas *ioas = context_find_ioas(lease->context, handle);

        for (unsigned i = 0; i < lease->n_devices; i++)
                if (is_in_switch(operation, device, &lease->devices[i]))
                        attachments_set(&lease->devices[i].dma, operation->pasid, domain, ioas);
}

/* Of a PASID that was charged, and is attached to nothing now. */
static void operation_refund_pasid(Lease *lease, const Operation *operation, int result) {
        bool was = operation->replaced, is;

        if (operation->pasid == PASID_NONE)
                return;

        is = result == _SWITCH_DONE ? operation->handle != 0 : result != SWITCH_DETACHED && was;
        if ((was || operation->handle != 0) && !is)
                lease_refund(lease, ACCOUNT_PASIDS, 1);
}

/* A child that was lost may have been anywhere in the middle of it: another one makes it known again. */
static int operation_start_anew(Lease *lease, Operation *operation) {
        const LeaseDevice *device = lease_find_device(lease, operation->device);
        int fds[LIMIT_CONTEXT_DEVICES];
        unsigned n_fds;

        operation->job.change.anew = true;
        n_fds = operation_collect(lease, operation, device, fds);
        return operation_run(lease, operation, fds, n_fds, /* at_once= */ false);
}

static const char *switch_state(int result) {
        switch (result) {
        case SWITCH_NOT_BEGUN:
                return "nothing was done";
        case SWITCH_RETURNED:
                return "it is attached as before, after a moment in which it was not";
        case SWITCH_DETACHED:
                return "it is attached to nothing now";
        default:
                return "what it is attached to now is not known: attach it again, or release the lease";
        }
}

int operation_finish_attach(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                            const KernelFailure *failure) {
        bool anew = operation->job.change.anew;
        Refusal why;

        if (!anew)
                operation->failure = *failure;
        if (result < 0 && !anew)
                return operation_start_anew(lease, operation);
        if (anew && result == SWITCH_NOT_BEGUN)
                result = -EIO;

        /* what is not known is looked at again by the next daemon */
        if (result >= 0)
                lease->context->switching = (Switching) {};

        operation_refund_pasid(lease, operation, result);
        if (result == _SWITCH_DONE) {
                operation_set_attached(lease, operation, operation->handle);
                return 0;
        }
        if (result == SWITCH_DETACHED)
                operation_set_attached(lease, operation, /* handle= */ 0);

        (void) refuse_attach(&why, operation->device, &operation->failure);
        return refuse(&operation->refusal, why.outcome, "%s (%s)", why.text, switch_state(result));
}

/* ---- after a restart */

/* What was under way when iommud ended is as it was before, or attached to nothing. */
int operation_begin_settle(Lease *lease, Operation *operation) {
        const LeaseDevice *device;

        device = lease_find_device(lease, operation->device);
        if (!device || device->gone || !device->dma.bound) {
                lease->context->switching = (Switching) {};
                return 0;
        }

        operation->job = switch_job(operation, device, /* target= */ 0);
        operation->replaced = operation->job.change.previous != 0;
        kernel_failure(&operation->failure, -EINTR, "iommud ended while %s was attached or detached",
                       device->name);
        return operation_start_anew(lease, operation);
}

void lease_go_on_switching(Lease *lease, ChangeSet *changes) {
        const Switching *switching;
        Operation *operation;
        Refusal refusal;

        if (!lease->context || !lease->context->switching.device[0] || lease->context->revoked)
                return;
        switching = &lease->context->switching;

        if (operation_new(OPERATION_SETTLE, &operation) < 0) {
                lease_set_reason(lease, "out of memory; what is attached is not known", changes);
                return;
        }

        strcpy(operation->device, switching->device);
        operation->pasid = switching->pasid;
        if (lease_operate_take(lease, operation, &refusal, changes) > 0)
                operation_free(operation);   /* there is none that waits, so that this is not so */
}
