/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How a claimed group goes back to the kernel's drivers.
 */

#include <string.h>

#include "core/change.h"
#include "core/claim-private.h"
#include "core/group.h"
#include "core/manager.h"
#include "core/store.h"
#include "core/task.h"

static void claim_end(Claim *claim, ChangeSet *changes) {
        const Store *store = claim->manager->store;

        if (store)
                store->ops->forget_claim(store->userdata, claim);

        claim_clear_group(claim, changes);
        claim_set_state(claim, CLAIM_ENDED, changes);
        claim_answer(claim, changes);
        change_set_claim(changes, CHANGE_CLAIM_ENDED, claim->id);
}

static bool claim_device_is_back(
        const Claim *claim, const ClaimDevice *device, const char *driver, const char *override) {
        const Kernel *kernel = claim->manager->kernel;
        KernelFailure failure;
        PowerControl power;

        if (strcmp(override, device->driver_override) != 0)
                return false;

        if (device->power != POWER_CONTROL_NONE &&
            (kernel->ops->read_power(
                     kernel->userdata, device->subsystem, device->name, /* syspath= */ NULL, &power,
                     &failure) < 0 ||
             power != device->power))
                return false;

        return claim_device_gets_any(device) ? driver[0] && strcmp(driver, device->target) != 0
                                            : strcmp(driver, device->driver) == 0;
}

/* True: there are devices that still have to be given back, or that could not be. */
static bool claim_restore(Claim *claim, ChangeSet *changes) {
        bool pending = false;

        for (unsigned i = 0; i < claim->n_devices; i++) {
                ClaimDevice *device = &claim->devices[i];
                char driver[KERNEL_NAME_MAX], override[KERNEL_NAME_MAX];
                int r;

                if (!device->dirty || device->gone)
                        continue;

                r = claim_read_driver(claim, device, driver, override, changes);
                if (r >= 0 && claim_device_is_back(claim, device, driver, override)) {
                        device->dirty = device->failed = false;
                        continue;
                }
                pending = true;
                if (device->failed)
                        continue;

                if (claim_queue_set_driver(claim, device,
                            claim_device_gets_any(device) ? DRIVER_ANY : device->driver,
                            device->driver_override, device->power) < 0) {
                        device->failed = true;
                        claim_set_reason(claim, "out of memory; \"iommuctl unclaim\" tries again", changes);
                }
        }

        return pending;
}

void claim_restore_done(Claim *claim, ClaimDevice *device, const Task *task, const TaskResult *result,
                        ChangeSet *changes) {
        if (result->result >= 0) {
                /* whether the kernel has found a driver for it or not */
                if (claim_device_gets_any(device) && strcmp(task->driver, DRIVER_ANY) == 0)
                        device->dirty = device->failed = false;
                return;
        }

        if (strcmp(task->driver, claim_device_gets_any(device) ? DRIVER_ANY : device->driver) != 0)
                return;

        if (device->guessed && device->driver[0]) {
                /* what it had before the host started need not be there any more, or want it */
                device->driver[0] = '\0';
                change_set_device(changes, CHANGE_DEVICE_CHANGED, device->name);
                return;
        }

        device->failed = true;
        claim_explain_failure(claim, device, &result->failure, changes);
}

void claim_give_back(Claim *claim, ChangeSet *changes) {
        Refusal refusal;

        if (claim_let_go(claim, changes))
                return;

        if (!claim_restore(claim, changes)) {
                claim_end(claim, changes);
                return;
        }
        if (claim_has_task(claim))
                return;

        claim->fresh = false;                /* it is undone as far as it can be */
        refuse(&refusal, OUTCOME_KERNEL_FAILED, "%s", claim->reason);
        claim_fail(claim, &refusal, changes);
}
