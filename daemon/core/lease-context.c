/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the parts of a lease whose devices iommud binds have in common: see lease-bind.c, lease-domains.c and
 * lease-cut.c for the way there and back.
 */

#include <inttypes.h>
#include <stdio.h>

#include "core/ioas.h"
#include "core/lease-charge.h"
#include "core/lease-context.h"
#include "core/manager.h"
#include "core/task.h"

bool lease_binds(const Lease *lease) {
        return lease->mode != MODE_VMM;
}

int lease_start_job(Lease *lease, const DmaJob *job, const int *fds, unsigned n_fds) {
        _cleanup_(task_done) Task task = {
                .kind = TASK_DMA,
                .job = job,
                .timeout_usec = LIMIT_DMA_JOB_USEC,
        };
        int r;

        assert(lease->job_task == 0);

        r = task_add_fd(&task, lease->iommufd);
        for (unsigned i = 0; i < n_fds && r >= 0; i++)
                r = task_add_fd(&task, fds[i]);
        if (r < 0)
                return r;

        snprintf(task.name, sizeof(task.name), "lease %" PRIu64, lease->id);
        r = manager_queue_task(lease->manager, &task);
        if (r < 0)
                return r;

        lease->job_task = task.id;
        return 0;
}

void lease_job_done(Lease *lease, const TaskResult *result, ChangeSet *changes) {
        if (lease->state == LEASE_PREPARING && lease->step == LEASE_STEP_ATTACH)
                lease_attach_done(lease, result);
        else
                lease_cut_done(lease, result, changes);
}

int lease_read_iova_ranges(const Lease *lease, uint64_t handle, IovaRanges *ret, Refusal *reterr) {
        const Kernel *kernel = lease->manager->kernel;
        KernelFailure failure;
        const Ioas *ioas;
        int r;

        ioas = context_find_ioas(lease->context, handle);
        if (!ioas)
                return refuse(reterr, OUTCOME_NO_SUCH_OBJECT, "Lease %" PRIu64 " has no IOAS %" PRIu64,
                              lease->id, handle);

        r = kernel->dma->read_iova_ranges(kernel->userdata, lease->iommufd, ioas->id, ret, &failure);
        return r < 0 ? refuse_kernel(reterr, &failure) : 0;
}

void lease_forget_context(Lease *lease) {
        lease_refund_context(lease);
        for (unsigned i = 0; i < lease->n_devices; i++)
                attachments_clear(&lease->devices[i].dma);
        if (lease->context)
                context_clear(lease->context);
}
