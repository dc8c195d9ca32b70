/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Operations on virtual IOMMUs, their devices and their queues.
 */

#include <inttypes.h>
#include <string.h>

#include "base/fd.h"
#include "core/dma-refusal.h"
#include "core/domain.h"
#include "core/lease-charge.h"
#include "core/lease-private.h"
#include "core/manager.h"
#include "core/operation-run.h"
#include "core/virtual.h"

static Virtual *operation_find_viommu(Lease *lease, Operation *operation) {
        Virtual *viommu;

        viommu = context_find_virtual(lease->context, operation->parent);
        if (viommu && viommu->kind == VIRTUAL_IOMMU)
                return viommu;

        (void) refuse(&operation->refusal, OUTCOME_NO_SUCH_OBJECT,
                      "Lease %" PRIu64 " has no virtual IOMMU %" PRIu64, lease->id, operation->parent);
        return NULL;
}

/* What all of them have in common before anything is changed: the policy, the quota. */
static int operation_admit(Lease *lease, Operation *operation) {
        const DomainOptions nesting = { .kind = DOMAIN_NEST_PARENT };
        int r;

        r = check_domain_features(&nesting, lease->features, &operation->refusal);
        if (r > 0)
                return r;

        if (lease->context->virtuals.n_items >= LIMIT_LEASE_VIRTUALS)
                return refuse(&operation->refusal, OUTCOME_QUOTA,
                              "Lease %" PRIu64 " has %u virtual IOMMUs, devices and queues: destroy some "
                              "first",
                              lease->id, LIMIT_LEASE_VIRTUALS);

        return lease_charge(lease, ACCOUNT_DOMAINS, 1, &operation->refusal);
}

static int operation_run_virtual(Lease *lease, Operation *operation) {
        operation->job = (DmaJob) { .kind = DMA_JOB_ALLOC_VIRTUAL, .virtual = operation->virtual };

        /* who has the context can make the kernel wait for what it is at */
        return operation_run(lease, operation, /* fds= */ NULL, 0, lease->mode == MODE_CONFINED);
}

/* What the kernel has made is remembered, or it is no more. */
static int operation_keep_virtual(Lease *lease, Operation *operation, uint32_t id, const Virtual *from) {
        const Kernel *kernel = lease->manager->kernel;
        KernelFailure failure;
        Virtual *virtual;
        int r;

        r = context_add_virtual(lease->context, lease->context->last_handle + 1, id, from, &virtual);
        if (r < 0) {
                operation->fd = close_fd(operation->fd);
                (void) kernel->dma->destroy(kernel->userdata, lease->iommufd, id, /* reterr= */ NULL);
                lease_refund(lease, ACCOUNT_DOMAINS, 1);
                kernel_failure(&failure, r, "remembering what was made");
                return refuse_kernel(&operation->refusal, &failure);
        }

        operation->handle = virtual->handle;
        operation->kernel_id = lease->mode == MODE_ATTACHED ? id : 0;
        return 0;
}

/* ---- virtual IOMMUs */

static Domain *operation_find_parent(Lease *lease, Operation *operation, const LeaseDevice *device) {
        Domain *parent;

        parent = operation_find_domain(lease, operation, operation->parent);
        if (!parent || check_nest_parent(parent, device, &operation->refusal) > 0)
                return NULL;

        return parent;
}

int operation_begin_alloc_viommu(Lease *lease, Operation *operation) {
        const LeaseDevice *device;
        const Domain *parent;
        int r;

        device = operation_find_device(lease, operation);
        if (!device)
                return operation->refusal.outcome;

        parent = operation_find_parent(lease, operation, device);
        if (!parent)
                return operation->refusal.outcome;

        r = operation_admit(lease, operation);
        if (r > 0)
                return r;

        operation->virtual.kind = VIRTUAL_IOMMU;
        operation->virtual.device = device->dma.id;
        operation->virtual.parent = parent->id;
        return operation_run_virtual(lease, operation);
}

int operation_finish_alloc_viommu(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                                  const KernelFailure *failure) {
        const LeaseDevice *device = lease_find_device(lease, operation->device);
        Virtual from = { .kind = VIRTUAL_IOMMU, .type = operation->virtual.type };

        if (result < 0) {
                lease_refund(lease, ACCOUNT_DOMAINS, 1);
                return refuse_virtual(&operation->refusal, device->name, &device->dma.info,
                                      &operation->virtual, failure);
        }

        from.domain = operation_find_parent(lease, operation, device);
        strcpy(from.device, device->name);
        strcpy(from.iommu, device->dma.iommu);
        memcpy(operation->virtual.data, dma->data, operation->virtual.data_length);
        return operation_keep_virtual(lease, operation, dma->id, &from);
}

/* ---- their devices */

static int check_vdevice(const Lease *lease, const Operation *operation, const LeaseDevice *device,
                         const Virtual *viommu, Refusal *reterr) {
        if (strcmp(viommu->iommu, device->dma.iommu) != 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "Virtual IOMMU %" PRIu64 " is of the IOMMU %s, and %s is behind %s",
                              viommu->handle, viommu->iommu, device->name, device->dma.iommu);

        for (size_t i = 0; i < lease->context->virtuals.n_items; i++) {
                const Virtual *other = lease->context->virtuals.items[i];

                if (other->kind != VIRTUAL_DEVICE)
                        continue;
                if (strcmp(other->device, device->name) == 0)
                        return refuse(reterr, OUTCOME_IN_USE,
                                      "%s is on a virtual IOMMU already, as %" PRIu64 ": destroy that first",
                                      device->name, other->handle);
                if (other->viommu == viommu && other->virt_id == operation->virtual.virt_id)
                        return refuse(reterr, OUTCOME_IN_USE,
                                      "Virtual IOMMU %" PRIu64 " has a device of the number 0x%" PRIx64
                                      " already: %s",
                                      viommu->handle, other->virt_id, other->device);
        }

        return 0;
}

int operation_begin_alloc_vdevice(Lease *lease, Operation *operation) {
        const LeaseDevice *device;
        const Virtual *viommu;
        int r;

        device = operation_find_device(lease, operation);
        if (!device)
                return operation->refusal.outcome;

        viommu = operation_find_viommu(lease, operation);
        if (!viommu)
                return operation->refusal.outcome;

        r = check_vdevice(lease, operation, device, viommu, &operation->refusal);
        if (r > 0)
                return r;

        r = operation_admit(lease, operation);
        if (r > 0)
                return r;

        operation->virtual.kind = VIRTUAL_DEVICE;
        operation->virtual.device = device->dma.id;
        operation->virtual.parent = viommu->id;
        return operation_run_virtual(lease, operation);
}

int operation_finish_alloc_vdevice(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                                   const KernelFailure *failure) {
        const LeaseDevice *device = lease_find_device(lease, operation->device);
        Virtual from = { .kind = VIRTUAL_DEVICE, .virt_id = operation->virtual.virt_id };

        if (result < 0) {
                lease_refund(lease, ACCOUNT_DOMAINS, 1);
                return refuse_virtual(&operation->refusal, device->name, &device->dma.info,
                                      &operation->virtual, failure);
        }

        from.viommu = operation_find_viommu(lease, operation);
        strcpy(from.device, device->name);
        strcpy(from.iommu, device->dma.iommu);
        return operation_keep_virtual(lease, operation, dma->id, &from);
}

/* ---- their queues */

static int check_veventq(const Lease *lease, const Operation *operation, const Virtual *viommu,
                         Refusal *reterr) {
        /* as long as its descriptor is open, the kernel keeps all that is below it */
        if (lease->mode == MODE_CONFINED)
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                              "A queue of events can't be taken back from who has it open, and a lease of "
                              "mode confined can: acquire in mode attached");

        for (size_t i = 0; i < lease->context->virtuals.n_items; i++) {
                const Virtual *other = lease->context->virtuals.items[i];

                if (other->kind == VIRTUAL_QUEUE && other->viommu == viommu &&
                    other->type == operation->virtual.type)
                        return refuse(reterr, OUTCOME_IN_USE,
                                      "Virtual IOMMU %" PRIu64 " has a queue of this type already: %" PRIu64,
                                      viommu->handle, other->handle);
        }

        return 0;
}

/* At once, and not in a child, which could not hand its descriptor over. */
int operation_begin_alloc_veventq(Lease *lease, Operation *operation) {
        const Kernel *kernel = lease->manager->kernel;
        Virtual from = { .kind = VIRTUAL_QUEUE, .type = operation->virtual.type };
        const LeaseDevice *device;
        KernelFailure failure;
        Virtual *viommu;
        uint32_t id;
        int r;

        viommu = operation_find_viommu(lease, operation);
        if (!viommu)
                return operation->refusal.outcome;

        r = check_veventq(lease, operation, viommu, &operation->refusal);
        if (r > 0)
                return r;

        r = operation_admit(lease, operation);
        if (r > 0)
                return r;

        operation->virtual.kind = VIRTUAL_QUEUE;
        operation->virtual.parent = viommu->id;
        r = kernel->dma->alloc_veventq(
                kernel->userdata, lease->iommufd, &operation->virtual, &id, &operation->fd, &failure);
        if (r < 0) {
                device = lease_find_device(lease, viommu->device);
                lease_refund(lease, ACCOUNT_DOMAINS, 1);
                return refuse_virtual(&operation->refusal, viommu->device, &device->dma.info,
                                      &operation->virtual, &failure);
        }

        from.viommu = viommu;
        strcpy(from.iommu, viommu->iommu);
        return operation_keep_virtual(lease, operation, id, &from);
}
