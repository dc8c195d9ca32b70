/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The first IOAS and the first domains of a lease, and that all of its devices are attached to them.
 */

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "core/device.h"
#include "core/dma-refusal.h"
#include "core/domain.h"
#include "core/ioas.h"
#include "core/lease-charge.h"
#include "core/lease-context.h"
#include "core/manager.h"
#include "core/task.h"

static int lease_read_hw_info(Lease *lease, Refusal *reterr, ChangeSet *changes) {
        KernelFailure failure;
        int r;

        for (unsigned i = 0; i < lease->n_devices; i++) {
                LeaseDevice *device = &lease->devices[i];
                Device *known;

                known = manager_find_device(lease->manager, device->name);
                if (!known)
                        return refuse(reterr, OUTCOME_NO_SUCH_DEVICE, "%s was unplugged", device->name);
                snprintf(device->dma.iommu, sizeof(device->dma.iommu), "%s", known->facts.iommu);

                r = device_read_info(known, lease->iommufd, device->dma.id, &device->dma.info, &failure,
                                     changes);
                if (r < 0)
                        return refuse_kernel(reterr, &failure);

                if (device->given) {
                        r = check_hw_features(
                                device->name, &device->dma.info, &lease->domain_options, reterr);
                        if (r > 0)
                                return r;
                }
        }

        return 0;
}

/* The first domain whose IOMMU is the device's. */
static Domain *lease_find_domain_for(const Lease *lease, const LeaseDevice *device) {
        for (size_t i = 0; i < lease->context->domains.n_items; i++) {
                Domain *domain = lease->context->domains.items[i];

                if (strcmp(domain->iommu, device->dma.iommu) == 0)
                        return domain;
        }

        return NULL;
}

static int lease_make_domain_for(Lease *lease, const LeaseDevice *device, Ioas *ioas, Refusal *reterr) {
        const Kernel *kernel = lease->manager->kernel;
        DomainSpec spec = {
                .device = device->dma.id,
                .parent = ioas->id,
                .options = &lease->domain_options,
        };
        _cleanup_close_ int queue = -EBADF;
        KernelFailure failure;
        Domain *domain;
        uint32_t id;
        int r;

        r = lease_charge(lease, ACCOUNT_DOMAINS, 1, reterr);
        if (r > 0)
                return r;

        if (spec.options->fault_queue) {
                if (lease->context->domains.n_items >= LIMIT_FAULT_QUEUES)
                        return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                                "The devices are behind more than %u IOMMUs: acquire them without "
                                "fault_queue, "
                                "or in several leases",
                                LIMIT_FAULT_QUEUES);
                r = kernel->dma->alloc_fault_queue(
                        kernel->userdata, lease->iommufd, &spec.fault_queue, &queue, &failure);
                if (r < 0)
                        return refuse_kernel(reterr, &failure);
        }

        r = kernel->dma->alloc_domain(kernel->userdata, lease->iommufd, &spec, &id, &failure);
        if (r < 0)
                return refuse_domain(reterr, device->name, &device->dma.info, &failure);

        r = context_add_domain(lease->context, lease->context->last_handle + 1, id, spec.options,
                               device->dma.iommu, ioas, /* parent= */ NULL, &domain);
        if (r < 0) {
                kernel_failure(&failure, r, "remembering a domain");
                return refuse_kernel(reterr, &failure);
        }

        domain->fault_queue = spec.fault_queue;
        domain->fault_fd = TAKE_FD(queue);
        return 0;
}

/* What fails here need not be undone: the context goes as a whole. */
int lease_make_domains(Lease *lease, Refusal *reterr, ChangeSet *changes) {
        const Kernel *kernel = lease->manager->kernel;
        KernelFailure failure;
        uint32_t id;
        Ioas *ioas;
        int r;

        r = lease_read_hw_info(lease, reterr, changes);
        if (r > 0)
                return r;

        r = kernel->dma->alloc_ioas(
                kernel->userdata, lease->iommufd, &lease->ioas_options, &id, &failure);
        if (r < 0)
                return refuse_kernel(reterr, &failure);

        r = context_add_ioas(
                lease->context, lease->context->last_handle + 1, id, &lease->ioas_options, &ioas);
        if (r < 0) {
                kernel_failure(&failure, r, "remembering an IOAS");
                return refuse_kernel(reterr, &failure);
        }

        for (unsigned i = 0; i < lease->n_devices; i++) {
                const LeaseDevice *device = &lease->devices[i];

                if (device->dma.info.emulated || lease_find_domain_for(lease, device))
                        continue;
                r = lease_make_domain_for(lease, device, ioas, reterr);
                if (r > 0)
                        return r;
        }

        return 0;
}

/* What a device is attached to first: made by lease_make_domains(). */
static uint32_t lease_find_target(const Lease *lease, const LeaseDevice *device) {
        const Domain *domain;
        const Ioas *ioas;

        if (device->dma.info.emulated) {
                ioas = lease->context->ioases.items[0];
                return ioas->id;
        }

        domain = lease_find_domain_for(lease, device);
        assert(domain);
        return domain->id;
}

/* The devices of the group of @first, which go to a domain together. */
static int lease_attach_group(Lease *lease, const LeaseDevice *first, Refusal *reterr) {
        int fds[LIMIT_CONTEXT_DEVICES];
        KernelFailure failure;
        unsigned n_fds = 0;
        int r;

        lease->job = (DmaJob) { .kind = DMA_JOB_SWITCH };
        lease->job.change.pasid = PASID_NONE;
        lease->job.change.target = lease_find_target(lease, first);

        for (unsigned i = 0; i < lease->n_devices; i++)
                if (lease->devices[i].group == first->group)
                        fds[n_fds++] = lease->devices[i].fd;

        r = lease_start_job(lease, &lease->job, fds, n_fds);
        if (r < 0) {
                kernel_failure(&failure, r, "queueing the attach of %s", first->name);
                return refuse_kernel(reterr, &failure);
        }

        return 0;
}

static bool device_is_attached(const LeaseDevice *device) {
        return device->dma.domain || device->dma.ioas;
}

int lease_attach_next(Lease *lease, Refusal *reterr) {
        for (unsigned i = 0; i < lease->n_devices; i++)
                if (!device_is_attached(&lease->devices[i]))
                        return lease_attach_group(lease, &lease->devices[i], reterr);

        return LEASE_ALL_ATTACHED;
}

/* The first device that is not attached is the first of the group that the job was for. */
void lease_attach_done(Lease *lease, const TaskResult *result) {
        const LeaseDevice *first = lease->devices;

        while (device_is_attached(first))
                first++;

        if (result->result != _SWITCH_DONE) {
                if (lease->refusal.outcome == OUTCOME_GRANTED)
                        refuse_attach(&lease->refusal, first->name, &result->failure);
                return;
        }

        for (unsigned i = (unsigned) (first - lease->devices), group = first->group; i < lease->n_devices;
             i++) {
                LeaseDevice *device = &lease->devices[i];

                if (device->group != group)
                        continue;
                if (device->dma.info.emulated)
                        attachments_set(&device->dma, PASID_NONE, /* domain= */ NULL,
                                        lease->context->ioases.items[0]);
                else
                        attachments_set(&device->dma, PASID_NONE, lease_find_domain_for(lease, device),
                                        /* ioas= */ NULL);
        }
}
