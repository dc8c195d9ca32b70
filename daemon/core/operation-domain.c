/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Operations that make and destroy IOASes and domains.
 */

#include <inttypes.h>
#include <string.h>

#include "base/fd.h"
#include "core/dma-refusal.h"
#include "core/domain.h"
#include "core/ioas.h"
#include "core/lease-charge.h"
#include "core/lease-private.h"
#include "core/manager.h"
#include "core/operation-run.h"
#include "core/virtual.h"

static int refuse_memory(Operation *operation, int error) {
        KernelFailure failure;

        kernel_failure(&failure, error, "remembering what was made");
        return refuse_kernel(&operation->refusal, &failure);
}

/* Whether what is behind an IOAS is so little that nobody has to wait for it. */
static bool ioas_is_small(const Lease *lease, const Ioas *ioas) {
        return lease->mode == MODE_CONFINED && ioas->pinned <= LIMIT_MAP_AT_ONCE;
}

int operation_begin_alloc_ioas(Lease *lease, Operation *operation) {
        const Kernel *kernel = lease->manager->kernel;
        KernelFailure failure;
        uint32_t id;
        Ioas *ioas;
        int r;

        if (lease->context->ioases.n_items >= LIMIT_LEASE_IOASES)
                return refuse(&operation->refusal, OUTCOME_QUOTA,
                              "Lease %" PRIu64 " has %u IOASes: destroy some first", lease->id,
                              LIMIT_LEASE_IOASES);

        r = kernel->dma->alloc_ioas(
                kernel->userdata, lease->iommufd, &operation->ioas_options, &id, &failure);
        if (r < 0)
                return refuse_kernel(&operation->refusal, &failure);

        r = context_add_ioas(
                lease->context, lease->context->last_handle + 1, id, &operation->ioas_options, &ioas);
        if (r < 0) {
                (void) kernel->dma->destroy(kernel->userdata, lease->iommufd, id, /* reterr= */ NULL);
                return refuse_memory(operation, r);
        }

        operation->handle = ioas->handle;
        operation->kernel_id = lease->mode == MODE_ATTACHED ? id : 0;
        return 0;
}

/* ---- domains */

static int check_domain(const LeaseDevice *device, const DomainOptions *options, Refusal *reterr) {
        const HwInfo *info = &device->dma.info;

        if (info->emulated)
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                              "%s has no IOMMU of its own, and so no domains: attach it to an IOAS",
                              device->name);

        if (options->dirty_tracking && !info->dirty_tracking)
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                              "The IOMMU of %s (%s) can't tell which pages are dirty", device->name,
                              iommu_driver_to_string(info->driver));

        if (options->pasid && info->pasid_log2 == 0)
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                              "%s has no PASIDs, or its IOMMU (%s) has them not enabled", device->name,
                              iommu_driver_to_string(info->driver));

        return 0;
}

/* What a new domain is made of. */
typedef struct Parents {
        Ioas *ioas;                          /* at the bottom */
        Domain *domain;                      /* that it is nested on; or */
        Virtual *viommu;                     /* this one */
} Parents;

static int operation_find_viommu(Lease *lease, Operation *operation, const LeaseDevice *device,
                                 Virtual *viommu, Parents *ret) {
        if (viommu->kind != VIRTUAL_IOMMU)
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                              "Nothing can be nested on %" PRIu64 ": it is a %s", viommu->handle,
                              virtual_kind_to_string(viommu->kind));
        if (strcmp(viommu->iommu, device->dma.iommu) != 0)
                return refuse(&operation->refusal, OUTCOME_INVALID_OPTION,
                              "Virtual IOMMU %" PRIu64 " is of the IOMMU %s, and %s is behind %s",
                              viommu->handle, viommu->iommu, device->name, device->dma.iommu);

        *ret = (Parents) { .ioas = virtual_ioas(viommu), .viommu = viommu };
        return 0;
}

static int operation_find_parents(
        Lease *lease, Operation *operation, const LeaseDevice *device, Parents *ret) {
        Virtual *viommu;
        Domain *parent;
        Ioas *ioas;
        int r;

        if (operation->domain_options.kind != DOMAIN_NESTED) {
                ioas = operation_find_ioas(lease, operation, operation->parent);
                *ret = (Parents) { .ioas = ioas };
                return ioas ? 0 : (int) operation->refusal.outcome;
        }

        viommu = context_find_virtual(lease->context, operation->parent);
        if (viommu)
                return operation_find_viommu(lease, operation, device, viommu, ret);

        parent = operation_find_domain(lease, operation, operation->parent);
        if (!parent)
                return operation->refusal.outcome;
        r = check_nest_parent(parent, device, &operation->refusal);
        if (r > 0)
                return r;

        *ret = (Parents) { .ioas = parent->ioas, .domain = parent };
        return 0;
}

static int operation_alloc_fault_queue(Lease *lease, Operation *operation) {
        const Kernel *kernel = lease->manager->kernel;
        KernelFailure failure;
        int r;

        r = kernel->dma->alloc_fault_queue(kernel->userdata, lease->iommufd,
                                           &operation->job.spec.fault_queue, &operation->fd, &failure);
        return r < 0 ? refuse_kernel(&operation->refusal, &failure) : 0;
}

int operation_begin_alloc_domain(Lease *lease, Operation *operation) {
        const DomainOptions *options = &operation->domain_options;
        LeaseDevice *device;
        Parents parents;
        int r;

        device = operation_find_device(lease, operation);
        if (!device)
                return operation->refusal.outcome;

        r = check_domain_features(options, lease->features, &operation->refusal);
        if (r > 0)
                return r;

        r = check_domain(device, options, &operation->refusal);
        if (r > 0)
                return r;

        r = operation_find_parents(lease, operation, device, &parents);
        if (r > 0)
                return r;

        if (lease->context->domains.n_items >= LIMIT_LEASE_DOMAINS)
                return refuse(&operation->refusal, OUTCOME_QUOTA,
                              "Lease %" PRIu64 " has %u domains: destroy some first", lease->id,
                              LIMIT_LEASE_DOMAINS);

        r = lease_charge(lease, ACCOUNT_DOMAINS, 1, &operation->refusal);
        if (r > 0)
                return r;

        operation->job = (DmaJob) {
                .kind = DMA_JOB_ALLOC_DOMAIN,
                .spec = {
                        .device = device->dma.id,
                        .parent = parents.viommu   ? parents.viommu->id
                                  : parents.domain ? parents.domain->id
                                                   : parents.ioas->id,
                        .options = options,
                },
        };
        if (options->fault_queue) {
                r = operation_alloc_fault_queue(lease, operation);
                if (r > 0) {
                        lease_refund(lease, ACCOUNT_DOMAINS, 1);
                        return r;
                }
        }

        /* a domain has all that is mapped in its IOAS from the start */
        return operation_run(lease, operation, /* fds= */ NULL, 0,
                             parents.domain || parents.viommu || ioas_is_small(lease, parents.ioas));
}

static void operation_drop_fault_queue(Lease *lease, Operation *operation) {
        const Kernel *kernel = lease->manager->kernel;

        if (operation->fd < 0)
                return;

        operation->fd = close_fd(operation->fd);
        (void) kernel->dma->destroy(
                kernel->userdata, lease->iommufd, operation->job.spec.fault_queue, /* reterr= */ NULL);
}

/* Nothing of the lease has changed since it began: operations are done one after the other. */
int operation_finish_alloc_domain(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                                  const KernelFailure *failure) {
        const Kernel *kernel = lease->manager->kernel;
        const LeaseDevice *device;
        Parents parents;
        Domain *domain;
        int r;

        device = lease_find_device(lease, operation->device);
        if (result < 0) {
                lease_refund(lease, ACCOUNT_DOMAINS, 1);
                operation_drop_fault_queue(lease, operation);
                return refuse_domain(&operation->refusal, device->name, &device->dma.info, failure);
        }

        r = operation_find_parents(lease, operation, device, &parents);
        assert(r == 0);

        r = context_add_domain(lease->context, lease->context->last_handle + 1, dma->id,
                               &operation->domain_options, device->dma.iommu, parents.ioas, parents.domain,
                               &domain);
        if (r < 0) {
                lease_refund(lease, ACCOUNT_DOMAINS, 1);
                (void) kernel->dma->destroy(kernel->userdata, lease->iommufd, dma->id, /* reterr= */ NULL);
                operation_drop_fault_queue(lease, operation);
                return refuse_memory(operation, r);
        }

        if (parents.viommu)
                domain_set_viommu(domain, parents.viommu);
        domain->fault_queue = operation->job.spec.fault_queue;
        operation->handle = domain->handle;
        operation->kernel_id = lease->mode == MODE_ATTACHED ? dma->id : 0;
        return 0;
}

int operation_begin_destroy(Lease *lease, Operation *operation) {
        const Virtual *virtual;
        const Domain *domain;
        const Ioas *ioas;

        operation->job = (DmaJob) { .kind = DMA_JOB_DESTROY };

        domain = context_find_domain(lease->context, operation->handle);
        if (domain) {
                if (domain->n_users > 0)
                        return refuse(&operation->refusal, OUTCOME_IN_USE,
                                "Domain %" PRIu64 " is in use: detach what is attached to it, and destroy "
                                "what is nested on it, first",
                                domain->handle);
                operation->job.id = domain->id;
                return operation_run(
                        lease, operation, /* fds= */ NULL, 0, ioas_is_small(lease, domain->ioas));
        }

        virtual = context_find_virtual(lease->context, operation->handle);
        if (virtual) {
                if (virtual->n_users > 0)
                        return refuse(&operation->refusal, OUTCOME_IN_USE,
                                      "Virtual IOMMU %" PRIu64 " is in use: destroy its devices, its queues "
                                      "and what is nested on it first",
                                      virtual->handle);
                operation->job.id = virtual->id;
                return operation_run(lease, operation, /* fds= */ NULL, 0, lease->mode == MODE_CONFINED);
        }

        ioas = context_find_ioas(lease->context, operation->handle);
        if (!ioas)
                return refuse(&operation->refusal, OUTCOME_NO_SUCH_OBJECT,
                              "Lease %" PRIu64 " has nothing of the number %" PRIu64, lease->id,
                              operation->handle);
        if (ioas->n_users > 0)
                return refuse(&operation->refusal, OUTCOME_IN_USE,
                              "IOAS %" PRIu64 " is in use: destroy its domains first", ioas->handle);

        operation->job.id = ioas->id;
        return operation_run(lease, operation, /* fds= */ NULL, 0, ioas_is_small(lease, ioas));
}

int operation_finish_destroy(Lease *lease, Operation *operation, int result, const DmaResult *dma,
                             const KernelFailure *failure) {
        const Kernel *kernel = lease->manager->kernel;
        Virtual *virtual;
        uint32_t queue;
        Domain *domain;
        Ioas *ioas;

        if (result == -EBUSY)
                return refuse(&operation->refusal, OUTCOME_IN_USE,
                              "%" PRIu64 " is in use by something that iommud has not made, or its "
                              "descriptor is open: %s",
                              operation->handle, failure->call);
        if (result < 0 && result != -ENOENT)
                return refuse_kernel(&operation->refusal, failure);

        virtual = context_find_virtual(lease->context, operation->handle);
        if (virtual) {
                context_remove_virtual(lease->context, virtual);
                lease_refund(lease, ACCOUNT_DOMAINS, 1);
                return 0;
        }

        domain = context_find_domain(lease->context, operation->handle);
        if (!domain) {
                ioas = context_find_ioas(lease->context, operation->handle);
                lease_refund(lease, ACCOUNT_MAPPINGS, ioas->n_mappings);
                lease_refund(lease, ACCOUNT_PINNED_BYTES, ioas->pinned);
                context_remove_ioas(lease->context, ioas);
                return 0;
        }

        queue = domain->fault_queue;
        context_remove_domain(lease->context, domain);
        lease_refund(lease, ACCOUNT_DOMAINS, 1);
        if (queue != 0)
                /* where the client has it open still, it goes with the context */
                (void) kernel->dma->destroy(kernel->userdata, lease->iommufd, queue, /* reterr= */ NULL);
        return 0;
}
