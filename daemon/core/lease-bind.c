/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The descriptors of a lease whose devices iommud binds: opened, bound, kept over a restart, and known
 * again.
 */

#include <inttypes.h>
#include <stdio.h>

#include "core/kernel.h"
#include "core/lease-context.h"
#include "core/lease-private.h"
#include "core/manager.h"
#include "core/store.h"
#include "core/task.h"

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

void lease_drop_fd(const Lease *lease, const char *name) {
        const Store *store = lease->manager->store;

        if (store)
                store->ops->drop_fd(store->userdata, name);
}

/* ---- bound */

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

                r = kernel->ops->open_device(kernel->userdata, device->subsystem, device->name,
                                             lease_device_syspath(lease, device), &device->fd, reterr);
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
