/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How a group is parked: the drivers, the binds, the record.
 */

#include <string.h>

#include "base/fd.h"
#include "core/approved.h"
#include "core/claim-private.h"
#include "core/group.h"
#include "core/limits.h"
#include "core/manager.h"
#include "core/task.h"

/*
 * What the host has chosen, before a driver sets it. A device without one is found with the kernel's "on",
 * which is no choice.
 */
static int claim_read_power(const Claim *claim, ClaimDevice *device, KernelFailure *reterr) {
        const Kernel *kernel = claim->manager->kernel;
        int r;

        r = kernel->ops->read_power(kernel->userdata, device->subsystem, device->name, /* syspath= */ NULL,
                                    &device->power, reterr);
        if (r < 0)
                return r;

        if (device->guessed && device->power != POWER_CONTROL_AUTO)
                device->power = POWER_CONTROL_NONE;
        return 0;
}

/* Has the devices given to the VFIO driver that are not on it, once it is on record what they had. */
static int claim_rebind(Claim *claim, KernelFailure *reterr, ChangeSet *changes) {
        _cleanup_free_ bool *wanted = NULL;
        bool any = false;
        int r;

        wanted = calloc(claim->n_devices, sizeof(*wanted));
        if (!wanted)
                return kernel_failure(reterr, -ENOMEM, "parking the group");

        for (unsigned i = 0; i < claim->n_devices; i++) {
                ClaimDevice *device = &claim->devices[i];
                char driver[KERNEL_NAME_MAX], override[KERNEL_NAME_MAX];

                if (device->gone || device->fd >= 0)
                        continue;
                r = claim_read_driver(claim, device, driver, override, changes);
                wanted[i] = r < 0 || strcmp(driver, device->target) != 0 ||
                            strcmp(override, device->target) != 0;
                any = any || wanted[i];
                if (!wanted[i] || device->dirty)
                        continue;

                r = claim_read_power(claim, device, reterr);
                if (r < 0)
                        return r;
                device->dirty = true;
        }
        if (!any)
                return 0;

        r = claim_save(claim, reterr);
        for (unsigned i = 0; r >= 0 && i < claim->n_devices; i++)
                if (wanted[i]) {
                        ClaimDevice *device = &claim->devices[i];

                        r = claim_queue_set_driver(
                                claim, device, device->target, device->target, POWER_CONTROL_NONE);
                        if (r < 0)
                                return kernel_failure(reterr, r, "queueing the change of a driver");
                }

        return r;
}

static int claim_bind_device(Claim *claim, ClaimDevice *device, KernelFailure *reterr) {
        _cleanup_(task_done) Task task = { .kind = TASK_BIND, .timeout_usec = LIMIT_BIND_USEC };
        const Kernel *kernel = claim->manager->kernel;
        int r;

        r = kernel->ops->open_device(
                kernel->userdata, device->subsystem, device->name, /* syspath= */ NULL, &device->fd, reterr);
        if (r < 0)
                return r;

        r = task_add_fd(&task, device->fd);
        if (r >= 0)
                r = task_add_fd(&task, claim->iommufd);
        if (r >= 0)
                r = claim_queue(claim, device, &task);
        return r < 0 ? kernel_failure(reterr, r, "queueing the bind of %s", device->name) : 0;
}

/* Has the devices bound that are not. Returns 0, or an Outcome with *reterr. */
static int claim_bind(Claim *claim, Refusal *reterr, ChangeSet *changes) {
        const Kernel *kernel = claim->manager->kernel;
        KernelFailure failure;
        bool any = false;
        Group *group;
        int r;

        for (unsigned i = 0; i < claim->n_devices; i++)
                any = any || (!claim->devices[i].gone && claim->devices[i].fd < 0);
        if (!any)
                return 0;

        /* says better than a bind why it can't be had; once something is bound, we are in the way */
        group = manager_find_group(claim->manager, claim->group);
        if (claim->iommufd < 0 && group) {
                r = group_probe(group, reterr, changes);
                if (r > 0)
                        return r;
        }

        if (claim->iommufd < 0) {
                r = kernel->ops->open_context(
                        kernel->userdata, ACCOUNTING_PROCESS, &claim->iommufd, &failure);
                if (r < 0)
                        return refuse_kernel(reterr, &failure);
        }

        for (unsigned i = 0; i < claim->n_devices; i++) {
                ClaimDevice *device = &claim->devices[i];

                if (device->gone || device->fd >= 0)
                        continue;
                r = claim_bind_device(claim, device, &failure);
                if (r < 0)
                        return refuse_kernel(reterr, &failure);
        }

        return 0;
}

/* Everything is bound: that survives us, and is on record, before anybody is told. */
static int claim_settle(Claim *claim, KernelFailure *reterr) {
        ClaimState state = claim->state;
        Group *group;
        int r;

        r = claim_keep_fd(claim, /* device= */ NULL, claim->iommufd, &claim->iommufd_kept, reterr);
        for (unsigned i = 0; r >= 0 && i < claim->n_devices; i++)
                if (claim->devices[i].fd >= 0)
                        r = claim_keep_fd(claim, &claim->devices[i], claim->devices[i].fd,
                                &claim->devices[i].kept, reterr);
        if (r < 0)
                return r;

        claim->state = CLAIM_PARKED;
        r = claim_save(claim, reterr);
        claim->state = state;
        if (r < 0)
                return r;

        group = manager_find_group(claim->manager, claim->group);
        if (claim->approve && group) {
                r = manager_approve(claim->manager, group, claim->persistent, reterr);
                if (r < 0)
                        return r;
                claim->approve = false;
        }

        return 0;
}

void claim_park(Claim *claim, ChangeSet *changes) {
        KernelFailure failure;
        Refusal refusal;

        if (claim->stale && claim_let_go(claim, changes))
                return;

        if (claim_rebind(claim, &failure, changes) < 0) {
                claim_fail_kernel(claim, &failure, changes);
                return;
        }
        if (claim_has_task(claim))
                return;

        if (claim_bind(claim, &refusal, changes) > 0) {
                claim_fail(claim, &refusal, changes);
                return;
        }
        if (claim_has_task(claim))
                return;

        if (claim_settle(claim, &failure) < 0) {
                claim_fail_kernel(claim, &failure, changes);
                return;
        }

        claim->fresh = false;
        claim_set_reason(claim, "", changes);
        claim_set_state(claim, CLAIM_PARKED, changes);
        claim_answer(claim, changes);
}
