/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "core/change.h"
#include "core/device.h"
#include "core/lease-private.h"
#include "core/manager.h"
#include "core/store.h"
#include "core/task.h"

void lease_set_state(Lease *lease, LeaseState state, ChangeSet *changes) {
        if (lease->state == state)
                return;

        lease->state = state;
        change_set_lease(changes, CHANGE_LEASE_CHANGED, lease->id);
}

void lease_set_reason(Lease *lease, const char *reason, ChangeSet *changes) {
        char text[sizeof(lease->reason)];

        /* processes name themselves as they like */
        snprintf(text, sizeof(text), "%s", reason);
        make_printable(text);
        if (strcmp(lease->reason, text) == 0)
                return;

        strcpy(lease->reason, text);
        change_set_lease(changes, CHANGE_LEASE_CHANGED, lease->id);
}

void lease_answer(Lease *lease, ChangeSet *changes) {
        if (lease->answered)
                return;

        lease->answered = true;
        change_set_lease(changes, CHANGE_LEASE_ANSWERED, lease->id);
}

void lease_fail(Lease *lease, const KernelFailure *failure) {
        if (lease->refusal.outcome == OUTCOME_GRANTED)
                refuse_kernel(&lease->refusal, failure);
}

const char *lease_device_syspath(const Lease *lease, const LeaseDevice *device) {
        const Device *known = manager_find_device(lease->manager, device->name);

        return known ? known->facts.syspath : NULL;
}

bool lease_device_exists(const Lease *lease, const LeaseDevice *device) {
        const Kernel *kernel = lease->manager->kernel;
        char driver[KERNEL_NAME_MAX], override[KERNEL_NAME_MAX];
        KernelFailure failure;

        return kernel->ops->read_driver(kernel->userdata, device->subsystem, device->name,
                                        /* syspath= */ NULL, driver, override, &failure) != -ENODEV;
}

void lease_fail_device(Lease *lease, const LeaseDevice *device, const KernelFailure *failure) {
        if (lease->refusal.outcome != OUTCOME_GRANTED)
                return;

        if (failure->error == -ENODEV && !lease_device_exists(lease, device))
                refuse(&lease->refusal, OUTCOME_NO_SUCH_DEVICE, "%s was unplugged", device->name);
        else
                refuse_kernel(&lease->refusal, failure);
}

int lease_save(const Lease *lease, KernelFailure *reterr) {
        const Store *store = lease->manager->store;

        return store ? store->ops->save(store->userdata, lease, reterr) : 0;
}

void lease_save_progress(Lease *lease, ChangeSet *changes) {
        KernelFailure failure;

        if (lease_save(lease, &failure) < 0)
                lease_set_reason(lease, failure.call, changes);
}

int lease_queue(Lease *lease, LeaseDevice *device, Task *task) {
        int r;

        strcpy(task->subsystem, device->subsystem);
        strcpy(task->name, device->name);

        r = manager_queue_task(lease->manager, task);
        if (r < 0)
                return r;

        device->task = task->id;
        return 0;
}

int lease_queue_set_driver(
        Lease *lease, LeaseDevice *device, const char *driver, const char *override, PowerControl power) {
        Task task = { .kind = TASK_SET_DRIVER, .power = power, .timeout_usec = LIMIT_SET_DRIVER_USEC };

        strcpy(task.driver, driver);
        strcpy(task.driver_override, override);
        return lease_queue(lease, device, &task);
}

void lease_explain_failure(
        Lease *lease, const char *device, const KernelFailure *failure, ChangeSet *changes) {
        char text[sizeof(lease->reason)];

        snprintf(text, sizeof(text), "%s: %s: %s", device, failure->call,
                 strerrordesc_np(-failure->error) ?: "unknown error");
        lease_set_reason(lease, text, changes);
}
