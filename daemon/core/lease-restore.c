/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Gives the devices back to the drivers that they had.
 */

#include <string.h>

#include "core/lease-private.h"
#include "core/manager.h"
#include "core/task.h"

/*
 * Whether the device is as it was before, so that giving it back would only take it from its driver once
 * more.
 */
static bool lease_device_is_back(const Lease *lease, const LeaseDevice *device) {
        const Kernel *kernel = lease->manager->kernel;
        char driver[KERNEL_NAME_MAX], override[KERNEL_NAME_MAX];
        PowerControl power = device->power;
        KernelFailure failure;

        return !device->recycle &&
               kernel->ops->read_driver(kernel->userdata, device->subsystem, device->name,
                                        /* syspath= */ NULL, driver, override, &failure) >= 0 &&
               strcmp(driver, device->driver) == 0 && strcmp(override, device->driver_override) == 0 &&
               (device->power == POWER_CONTROL_NONE ||
                kernel->ops->read_power(
                        kernel->userdata, device->subsystem, device->name, /* syspath= */ NULL, &power,
                        &failure) >= 0) &&
               power == device->power;
}

/*
 * Gives the device back. Where it had the VFIO driver already, that alone would not take it from anybody who
 * has a fd of it left: it is unbound first, which the kernel lets happen only when nobody has.
 */
static int lease_queue_restore(Lease *lease, LeaseDevice *device) {
        if (device->recycle && !device->target[0])
                return lease_queue_set_driver(lease, device, /* driver= */ "",
                        /* override= */ device->driver, POWER_CONTROL_NONE);

        return lease_queue_set_driver(
                lease, device, device->driver, device->driver_override, device->power);
}

bool lease_restore(Lease *lease, ChangeSet *changes) {
        bool pending = false;

        for (unsigned i = 0; i < lease->n_devices; i++) {
                LeaseDevice *device = &lease->devices[i];

                if (!device->dirty) {
                        if (device->task != 0)
                                /* it was unplugged, and the task has not noticed yet */
                                pending = true;
                        continue;
                }

                if (device->task == 0 && lease_device_is_back(lease, device)) {
                        device->dirty = false;
                        continue;
                }
                pending = true;

                if (device->task != 0 || device->failed)
                        continue;
                device->restoring = true;
                if (lease_queue_restore(lease, device) < 0) {
                        device->failed = true;
                        lease_set_reason(lease, "out of memory; release it to try again", changes);
                }
        }

        return pending;
}

void lease_restore_done(Lease *lease, LeaseDevice *device, bool overdue, const Task *task,
                               const TaskResult *result, ChangeSet *changes) {
        if (result->result >= 0) {
                device->recycle = false;     /* it was unbound, one way or the other */
                if (strcmp(task->driver, device->driver) == 0)
                        device->dirty = false;
                return;
        }

        if (result->failure.error == -ENODEV && !lease_device_exists(lease, device)) {
                device->dirty = device->recycle = false;               /* unplugged */
                return;
        }

        /* It hung until it was stopped: whoever it waited for is gone now, and it can be done. */
        if (overdue) {
                lease_set_reason(lease, "", changes);
                return;
        }

        device->failed = true;
        lease_explain_failure(lease, device->name, &result->failure, changes);
}
