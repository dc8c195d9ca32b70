/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How a lease whose devices iommud has bound lets go of them: everything is detached, then closed.
 */

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "core/domain.h"
#include "core/ioas.h"
#include "core/lease-context.h"
#include "core/lease-operation.h"
#include "core/lease-private.h"
#include "core/manager.h"
#include "core/task.h"
#include "core/virtual.h"

/* What others are made of came before them, and goes after them. */
static void add_others(DmaTearDown *cut, const Context *context) {
        size_t n_domains = context->domains.n_items, n_virtuals = context->virtuals.n_items;

        while (n_domains + n_virtuals > 0) {
                Virtual *virtual;
                Domain *domain;

                context_get_last(context, n_domains, n_virtuals, &domain, &virtual);
                cut->others[cut->n_others++] = domain ? domain->id : virtual->id;
                if (domain)
                        n_domains--;
                else
                        n_virtuals--;
        }

        /* queues go when no domain uses them any more */
        for (size_t i = 0; i < context->domains.n_items; i++) {
                const Domain *domain = context->domains.items[i];

                if (domain->fault_queue == 0)
                        continue;
                cut->others[cut->n_others++] = domain->fault_queue;
                cut->n_queues++;
        }
}

static int cut_add_device(DmaTearDown *cut, const LeaseDevice *device) {
        DmaCut *to = &cut->devices[cut->n_devices];

        *to = (DmaCut) { .pasid_log2 = device->dma.info.pasid_log2 };
        strcpy(to->subsystem, device->subsystem);
        strcpy(to->name, device->name);

        to->pasids = calloc(device->dma.n_pasids + 1, sizeof(*to->pasids));
        if (!to->pasids)
                return -ENOMEM;

        for (size_t i = 0; i < device->dma.n_pasids; i++)
                to->pasids[to->n_pasids++] = device->dma.pasids[i].pasid;
        cut->n_devices++;
        return 0;
}

/*
 * Where the client has the context, our numbers may mean something else by now, and it could make everything
 * anew: its things go with the context.
 */
static int cut_add_things(DmaTearDown *cut, const Context *context) {
        /* the lowest that is free is given, to a queue beside each domain too; and some that were lost */
        uint64_t last_id = LIMIT_CONTEXT_DEVICES + 2 * context->last_handle + LIMIT_CONTEXT_STRAYS;

        cut->ioases = calloc(context->ioases.n_items + 1, sizeof(*cut->ioases));
        cut->others = calloc(
                2 * context->domains.n_items + context->virtuals.n_items + 1, sizeof(*cut->others));
        if (!cut->ioases || !cut->others)
                return -ENOMEM;

        add_others(cut, context);
        for (size_t i = 0; i < context->ioases.n_items; i++)
                cut->ioases[cut->n_ioases++] = ((const Ioas *) context->ioases.items[i])->id;
        cut->last_id = (uint32_t) (last_id < LIMIT_CONTEXT_IDS ? last_id : LIMIT_CONTEXT_IDS);
        return 0;
}

int lease_make_tear_down(
        const Lease *lease, DmaJob *ret_job, int ret_fds[static LIMIT_CONTEXT_DEVICES]) {
        DmaJob job = { .kind = DMA_JOB_TEAR_DOWN };
        int r = 0;

        for (unsigned i = 0; i < lease->n_devices && r >= 0; i++) {
                const LeaseDevice *device = &lease->devices[i];

                if (!device->dma.bound || device->fd < 0)
                        continue;
                ret_fds[job.cut.n_devices] = device->fd;
                r = cut_add_device(&job.cut, device);
        }

        if (r >= 0 && lease->mode == MODE_CONFINED)
                r = cut_add_things(&job.cut, lease->context);
        if (r < 0) {
                dma_job_done(&job);
                return r;
        }

        *ret_job = job;
        return (int) job.cut.n_devices;
}

static bool lease_has_bound_device(const Lease *lease) {
        for (unsigned i = 0; i < lease->n_devices; i++)
                if (lease->devices[i].dma.bound && lease->devices[i].fd >= 0)
                        return true;

        return false;
}

/* True: it is under way, or can't be for now. */
static bool lease_cut_off(Lease *lease, ChangeSet *changes) {
        int fds[LIMIT_CONTEXT_DEVICES], r;

        /* a context that has not come back after a restart goes when the last device of it is closed */
        if (lease->cut || lease->iommufd < 0 || !lease_has_bound_device(lease))
                return false;

        dma_job_done(&lease->job);
        r = lease_make_tear_down(lease, &lease->job, fds);
        if (r >= 0)
                r = lease_start_job(lease, &lease->job, fds, (unsigned) r);
        if (r < 0)
                lease_set_reason(lease, "out of memory; release it to try again", changes);

        return true;
}

static int lease_queue_close(Lease *lease, unsigned i) {
        Task task = { .kind = TASK_CLOSE, .timeout_usec = LIMIT_CLOSE_USEC };
        LeaseDevice *device = &lease->devices[i];
        char name[LEASE_FD_NAME_MAX];
        int r;

        lease_device_name(lease, i, name);
        lease_drop_fd(lease, name);

        task_add_fd_consume(&task, device->fd);
        r = lease_queue(lease, device, &task);
        if (r < 0)
                return r;

        device->fd = -EBADF;
        return 0;
}

void lease_reject_fd(Lease *lease, unsigned i) {
        LeaseDevice *device = &lease->devices[i];
        char name[LEASE_FD_NAME_MAX];

        if (device->fd < 0)
                return;

        lease_device_name(lease, i, name);
        lease_drop_fd(lease, name);
        manager_close_stray_consume(lease->manager, name, TAKE_FD(device->fd));
}

/* True: there are devices that are not closed yet. */
static bool lease_close_devices(Lease *lease, ChangeSet *changes) {
        char name[LEASE_FD_NAME_MAX];
        bool pending = false;

        /* no device that is bound lets go of its context, so that nothing ends with this */
        if (lease->iommufd >= 0) {
                lease_iommufd_name(lease, name);
                lease_drop_fd(lease, name);
                lease->iommufd = close_fd(lease->iommufd);
        }

        for (unsigned i = 0; i < lease->n_devices; i++) {
                LeaseDevice *device = &lease->devices[i];

                if (device->fd >= 0 && device->task == 0 && lease_queue_close(lease, i) < 0)
                        lease_set_reason(lease, "out of memory; release it to try again", changes);
                if (device->fd >= 0 || device->task != 0)
                        pending = true;
        }

        return pending;
}

bool lease_leave_context(Lease *lease, ChangeSet *changes) {
        if (!lease_binds(lease))
                return false;

        lease_refuse_operations(lease, changes);
        if (lease->job_task != 0)
                return true;

        if (lease_cut_off(lease, changes) || lease_close_devices(lease, changes))
                return true;

        lease_forget_context(lease);
        return false;
}

/*
 * What can't be cut off is closed all the same, and then looked at until nobody has it any more. Who has a
 * copy of it can go on as long; it is said.
 */
void lease_cut_done(Lease *lease, const TaskResult *result, ChangeSet *changes) {
        char text[sizeof(lease->reason)];

        lease->cut = true;
        dma_job_done(&lease->job);
        if (result->result == _TEAR_DOWN_DONE || lease->mode != MODE_CONFINED)
                return;

        snprintf(text, sizeof(text), "its memory could not be taken back: %s: %s", result->failure.call,
                 strerrordesc_np(-result->failure.error) ?: "unknown error");
        lease_set_reason(lease, text, changes);
}
