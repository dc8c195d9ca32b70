/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The way of the modes in which iommud binds the devices, beside that of all others: bind, make the first
 * domains, attach; and back.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "core/device.h"
#include "core/dma-refusal.h"
#include "core/domain.h"
#include "core/group.h"
#include "core/ioas.h"
#include "core/lease-charge.h"
#include "core/lease-context.h"
#include "core/lease-operation.h"
#include "core/lease-private.h"
#include "core/manager.h"
#include "core/store.h"
#include "core/task.h"

bool lease_binds(const Lease *lease) {
        return lease->mode != MODE_VMM;
}

void lease_iommufd_name(const Lease *lease, char name[static LEASE_FD_NAME_MAX]) {
        snprintf(name, LEASE_FD_NAME_MAX, "lease-%" PRIu64 "-iommufd", lease->id);
}

void lease_device_name(const Lease *lease, unsigned i, char name[static LEASE_FD_NAME_MAX]) {
        snprintf(name, LEASE_FD_NAME_MAX, "lease-%" PRIu64 "-device-%u", lease->id, i);
}

int lease_keep_fds(const Lease *lease, KernelFailure *reterr) {
        const Store *store = lease->manager->store;
        char name[LEASE_FD_NAME_MAX];
        int r;

        if (!store || !lease_binds(lease))
                return 0;

        lease_iommufd_name(lease, name);
        r = store->ops->keep_fd(store->userdata, name, lease->iommufd, reterr);

        for (unsigned i = 0; i < lease->n_devices && r >= 0; i++) {
                lease_device_name(lease, i, name);
                r = store->ops->keep_fd(store->userdata, name, lease->devices[i].fd, reterr);
        }

        return r;
}

/* ---- there */

static int lease_queue_bind(Lease *lease, LeaseDevice *device, KernelFailure *reterr) {
        _cleanup_(task_done) Task task = { .kind = TASK_BIND, .timeout_usec = LIMIT_BIND_USEC };
        int r;

        r = task_add_fd(&task, device->fd);
        if (r >= 0)
                r = task_add_fd(&task, lease->iommufd);
        if (r >= 0)
                r = lease_queue(lease, device, &task);

        return r < 0 ? kernel_failure(reterr, r, "queueing the bind of %s", device->name) : 0;
}

int lease_bind(Lease *lease, KernelFailure *reterr) {
        const Kernel *kernel = lease->manager->kernel;
        int r;

        for (unsigned i = lease->n_given; i < lease->n_devices; i++) {
                LeaseDevice *device = &lease->devices[i];

                r = kernel->ops->open_device(
                        kernel->userdata, device->subsystem, device->name, &device->fd, reterr);
                if (r < 0)
                        return r;
        }

        for (unsigned i = 0; i < lease->n_devices; i++) {
                r = lease_queue_bind(lease, &lease->devices[i], reterr);
                if (r < 0)
                        return r;
        }

        return 0;
}

void lease_bind_done(LeaseDevice *device, const TaskResult *result) {
        device->dma.bound = true;
        device->dma.id = result->device_id;
}

static int check_features(const Lease *lease, const LeaseDevice *device, Refusal *reterr) {
        const DomainOptions *options = &lease->domain_options;
        const HwInfo *info = &device->dma.info;

        if (info->emulated && (options->kind != DOMAIN_PAGING || options->dirty_tracking || options->pasid ||
                               options->fault_queue))
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                        "%s has no IOMMU of its own: the kernel maps for it, and there are no domains with "
                        "features. Ask for a domain without any",
                        device->name);

        if (options->dirty_tracking && !info->dirty_tracking)
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                              "The IOMMU of %s (%s) can't tell which pages are dirty: ask for a domain "
                              "without dirty_tracking",
                              device->name, iommu_driver_to_string(info->driver));

        if (options->pasid && info->pasid_log2 == 0)
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                              "%s has no PASIDs, or its IOMMU (%s) has them not enabled: ask for a domain "
                              "without pasid",
                              device->name, iommu_driver_to_string(info->driver));

        return 0;
}

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
                        r = check_features(lease, device, reterr);
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
static void lease_attach_done(Lease *lease, const TaskResult *result) {
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

/* ---- and back */

static void add_ids(const PtrArray *items, bool domains, uint32_t *ids, size_t *n) {
        /* those that others are nested on came before them */
        for (size_t i = items->n_items; i > 0; i--) {
                if (domains)
                        ids[(*n)++] = ((const Domain *) items->items[i - 1])->id;
                else
                        ids[(*n)++] = ((const Ioas *) items->items[i - 1])->id;
        }

        /* queues go when no domain uses them any more */
        for (size_t i = 0; domains && i < items->n_items; i++) {
                const Domain *domain = items->items[i];

                if (domain->fault_queue != 0)
                        ids[(*n)++] = domain->fault_queue;
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
        cut->ioases = calloc(context->ioases.n_items + 1, sizeof(*cut->ioases));
        cut->others = calloc(2 * context->domains.n_items + 1, sizeof(*cut->others));
        if (!cut->ioases || !cut->others)
                return -ENOMEM;

        add_ids(&context->domains, /* domains= */ true, cut->others, &cut->n_others);
        add_ids(&context->ioases, /* domains= */ false, cut->ioases, &cut->n_ioases);
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

void lease_forget_context(Lease *lease) {
        lease_refund_context(lease);
        for (unsigned i = 0; i < lease->n_devices; i++)
                attachments_clear(&lease->devices[i].dma);
        if (lease->context)
                context_clear(lease->context);
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

static void lease_drop_fd(const Lease *lease, const char *name) {
        const Store *store = lease->manager->store;

        if (store)
                store->ops->drop_fd(store->userdata, name);
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
static void lease_cut_done(Lease *lease, const TaskResult *result, ChangeSet *changes) {
        char text[sizeof(lease->reason)];

        lease->cut = true;
        dma_job_done(&lease->job);
        if (result->result == _TEAR_DOWN_DONE || lease->mode != MODE_CONFINED)
                return;

        snprintf(text, sizeof(text), "its memory could not be taken back: %s: %s", result->failure.call,
                 strerrordesc_np(-result->failure.error) ?: "unknown error");
        lease_set_reason(lease, text, changes);
}

void lease_job_done(Lease *lease, const TaskResult *result, ChangeSet *changes) {
        if (lease->state == LEASE_PREPARING && lease->step == LEASE_STEP_ATTACH)
                lease_attach_done(lease, result);
        else
                lease_cut_done(lease, result, changes);
}

/* ---- after a restart */

void lease_take_fds(Lease *lease, TakeFdFunc take_fd, void *userdata) {
        char name[LEASE_FD_NAME_MAX];

        if (!lease_binds(lease))
                return;

        lease_iommufd_name(lease, name);
        lease->iommufd = take_fd(userdata, name);

        for (unsigned i = 0; i < lease->n_devices; i++) {
                lease_device_name(lease, i, name);
                lease->devices[i].fd = take_fd(userdata, name);
        }
}

bool lease_knows_fds(Lease *lease) {
        const Kernel *kernel = lease->manager->kernel;

        if (!lease_binds(lease))
                return true;
        if (lease->iommufd < 0)
                return false;

        for (unsigned i = 0; i < lease->n_devices; i++) {
                LeaseDevice *device = &lease->devices[i];
                bool emulated = device->dma.info.emulated;
                KernelFailure failure;

                if (device->gone)
                        continue;
                if (device->fd < 0 ||
                    kernel->ops->check_bound(kernel->userdata, device->subsystem, device->name, device->fd,
                                             lease->iommufd, device->dma.id, &device->dma.info,
                                             &failure) < 0 ||
                    device->dma.info.emulated != emulated)
                        return false;
        }

        return true;
}
