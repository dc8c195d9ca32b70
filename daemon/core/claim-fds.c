/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The descriptors of a claim: with the service manager too, and closed for the last time in a child.
 */

#include <inttypes.h>
#include <stdio.h>

#include "base/fd.h"
#include "core/claim-private.h"
#include "core/limits.h"
#include "core/manager.h"
#include "core/store.h"
#include "core/task.h"

/* The names of its descriptors with the service manager. */
static void fd_name(char *buffer, size_t size, const Claim *claim, const ClaimDevice *device) {
        if (device)
                snprintf(buffer, size, "claim-%" PRIu64 "-device-%u", claim->id,
                        (unsigned) (device - claim->devices));
        else
                snprintf(buffer, size, "claim-%" PRIu64 "-iommufd", claim->id);
}

int claim_keep_fd(
        Claim *claim, const ClaimDevice *device, int fd, bool *kept, KernelFailure *reterr) {
        const Store *store = claim->manager->store;
        char name[64];
        int r;

        if (!store || *kept)
                return 0;

        fd_name(name, sizeof(name), claim, device);
        r = store->ops->keep_fd(store->userdata, name, fd, reterr);
        if (r < 0)
                return r;

        *kept = true;
        return 0;
}

static int take_fd_named(const Claim *claim, const ClaimDevice *device, bool *kept, TakeFdFunc take_fd,
                         void *userdata) {
        char name[64];
        int fd;

        fd_name(name, sizeof(name), claim, device);
        fd = take_fd(userdata, name);
        *kept = fd >= 0;
        return fd;
}

void claim_take_fds(Claim *claim, TakeFdFunc take_fd, void *userdata) {
        claim->iommufd = take_fd_named(
                claim, /* device= */ NULL, &claim->iommufd_kept, take_fd, userdata);
        for (unsigned i = 0; i < claim->n_devices; i++)
                claim->devices[i].fd = take_fd_named(
                        claim, &claim->devices[i], &claim->devices[i].kept, take_fd, userdata);
}

void claim_drop_fd(Claim *claim, const ClaimDevice *device, bool *kept) {
        const Store *store = claim->manager->store;
        char name[64];

        if (!store || !*kept)
                return;

        fd_name(name, sizeof(name), claim, device);
        store->ops->drop_fd(store->userdata, name);
        *kept = false;
}

void claim_close_device(Claim *claim, ClaimDevice *device, ChangeSet *changes) {
        Task task = { .kind = TASK_CLOSE, .timeout_usec = LIMIT_CLOSE_USEC };

        claim_drop_fd(claim, device, &device->kept);
        task_add_fd_consume(&task, device->fd);
        if (claim_queue(claim, device, &task) < 0) {
                claim_set_reason(claim, "out of memory; \"iommuctl claim\" tries again", changes);
                return;                      /* it is still ours */
        }

        device->fd = -EBADF;
}

bool claim_let_go(Claim *claim, ChangeSet *changes) {
        bool pending = false;

        for (unsigned i = 0; i < claim->n_devices; i++) {
                ClaimDevice *device = &claim->devices[i];

                if (device->task == 0 && device->fd >= 0)
                        claim_close_device(claim, device, changes);
                pending = pending || device->task != 0 || device->fd >= 0;
        }
        if (pending)
                return true;

        if (claim->iommufd >= 0) {
                claim_drop_fd(claim, /* device= */ NULL, &claim->iommufd_kept);
                claim->iommufd = close_fd(claim->iommufd);
        }
        claim->stale = false;
        return false;
}
