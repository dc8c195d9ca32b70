/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How a lease goes from state to state, and what the results of its tasks mean.
 */

#include <stdio.h>
#include <string.h>

#include "core/change.h"
#include "core/device.h"
#include "core/lease-context.h"
#include "core/lease-operation.h"
#include "core/lease-private.h"
#include "core/manager.h"
#include "core/store.h"
#include "core/task.h"

/*
 * What a lease that has work left is in while tasks for it are under way: @state, unless one of them hangs.
 */
static LeaseState lease_state_at_work(const Lease *lease, LeaseState state) {
        if (lease->job_overdue)
                return LEASE_STUCK;

        for (unsigned i = 0; i < lease->n_devices; i++)
                if (lease->devices[i].overdue)
                        return LEASE_STUCK;

        return lease_has_task(lease) ? state : LEASE_STUCK;
}

void lease_wind_down(Lease *lease, ChangeSet *changes) {
        lease_close(lease);

        if (lease_leave_context(lease, changes)) {
                lease_set_state(lease, lease_state_at_work(lease, LEASE_DRAINING), changes);
                lease_save_progress(lease, changes);
                return;
        }

        if (lease_drain(lease, changes)) {
                lease_set_state(lease, lease_state_at_work(lease, LEASE_DRAINING), changes);
                lease_save_progress(lease, changes);
                return;
        }

        if (lease_restore(lease, changes)) {
                lease_set_state(lease, lease_state_at_work(lease, LEASE_RESTORING), changes);
                lease_save_progress(lease, changes);
                if (lease->state == LEASE_STUCK && lease->refusal.outcome != OUTCOME_GRANTED)
                        lease_answer(lease, changes);
                return;
        }

        if (lease->manager->store)
                lease->manager->store->ops->forget(lease->manager->store->userdata, lease);
        lease_unreserve(lease, changes);
        lease_set_state(lease, LEASE_ENDED, changes);
        if (lease->refusal.outcome != OUTCOME_GRANTED)
                lease_answer(lease, changes);
        change_set_lease(changes, CHANGE_LEASE_ENDED, lease->id);
}

void lease_end(Lease *lease, const char *cause, ChangeSet *changes) {
        switch (lease->state) {

        case LEASE_PREPARING:
                if (lease->refusal.outcome == OUTCOME_GRANTED)
                        refuse(&lease->refusal, OUTCOME_DRAINING,
                                "The lease was ended while it was prepared: %s", cause);
                return;

        case LEASE_ACTIVE:
                snprintf(lease->end_cause, sizeof(lease->end_cause), "%s", cause);
                lease_set_reason(lease, "", changes);
                change_set_lease(changes, CHANGE_LEASE_ENDING, lease->id);
                lease_wind_down(lease, changes);
                return;

        case LEASE_STUCK:
                /* what hangs can't be hurried, but may be no reason for another device to wait */
                for (unsigned i = 0; i < lease->n_devices; i++)
                        lease->devices[i].failed = false;
                lease_wind_down(lease, changes);
                return;

        case LEASE_DRAINING:
        case LEASE_RESTORING:
        case LEASE_ENDED:
        case _LEASE_STATE_MAX:
        case _LEASE_STATE_INVALID:
                return;
        }
}

/* The device may have another driver now. What the kernel can't tell, the monitor will. */
static void lease_refresh_device(Lease *lease, const LeaseDevice *d, ChangeSet *changes) {
        const Kernel *kernel = lease->manager->kernel;
        char driver[KERNEL_NAME_MAX] = "", override[KERNEL_NAME_MAX] = "";
        KernelFailure failure;
        Device *device;

        device = manager_find_device(lease->manager, d->name);
        if (device && kernel->ops->read_driver(kernel->userdata, d->subsystem, d->name, /* syspath= */ NULL,
                                               driver, override, &failure) >= 0)
                device_set_driver(device, driver, override, changes);
}

/* What to do next, now that a task is done. */
static void lease_go_on(Lease *lease, ChangeSet *changes) {
        if (lease->state == LEASE_ACTIVE)
                lease_next_operation(lease, changes);
        else if (lease->state != LEASE_PREPARING)
                lease_wind_down(lease, changes);
        else if (!lease_has_task(lease))
                lease_prepared(lease, changes);
}

static void lease_job_task_done(Lease *lease, const TaskResult *result, ChangeSet *changes) {
        lease->job_task = 0;
        lease->job_overdue = false;

        if (lease_has_operation(lease))
                lease_operation_done(lease, result, changes);
        else
                lease_job_done(lease, result, changes);

        lease_go_on(lease, changes);
}

void lease_task_done(Lease *lease, LeaseDevice *device, const Task *task, const TaskResult *result,
                     ChangeSet *changes) {
        bool overdue;

        if (!device) {
                lease_job_task_done(lease, result, changes);
                return;
        }

        overdue = device->overdue;
        device->task = 0;
        device->overdue = false;
        lease_refresh_device(lease, device, changes);

        if (device->gone)
                ;                            /* whatever it was, it was not done to what the lease had */
        else if (task->kind == TASK_BIND && result->result >= 0)
                lease_bind_done(device, result);
        else if (task->kind == TASK_CLOSE)
                device->dma.bound = false;
        else if (task->kind == TASK_PROVE_FREE)
                lease_drain_done(lease, device, result, changes);
        else if (device->restoring)
                lease_restore_done(lease, device, overdue, task, result, changes);
        else if (result->result < 0)
                lease_fail_device(lease, device, &result->failure);

        lease_go_on(lease, changes);
}

void lease_task_overdue(Lease *lease, LeaseDevice *device, const Task *task, ChangeSet *changes) {
        KernelFailure failure;

        kernel_failure(&failure, -ETIMEDOUT,
                "%s of %s has not returned after %u s, the kernel waits for somebody who has it open",
                task_kind_to_string(task->kind), task->name, (unsigned) (task->timeout_usec / 1000000));
        lease_explain_failure(lease, task->name, &failure, changes);

        /*
         * The caller need not wait any longer, for the lease or for what was refused to be undone; the group
         * stays reserved until the kernel has come back.
         */
        if (lease->state == LEASE_PREPARING)
                lease_fail(lease, &failure);
        if (lease->refusal.outcome != OUTCOME_GRANTED)
                lease_answer(lease, changes);

        if (device)
                device->overdue = true;
        else
                lease->job_overdue = true;

        /* an operation that hangs is no reason to end what works */
        if (lease->state != LEASE_ACTIVE)
                lease_set_state(lease, LEASE_STUCK, changes);
}

static bool lease_has_lost_all(const Lease *lease) {
        for (unsigned i = 0; i < lease->n_given; i++)
                if (!lease->devices[i].gone)
                        return false;

        return true;
}

void lease_device_leaves(Lease *lease, LeaseDevice *device, ChangeSet *changes) {
        /* what nobody has open goes by itself */
        if (lease->state != LEASE_ACTIVE || device->gone || (!device->given && device->fd < 0))
                return;

        snprintf(lease->request_reason, sizeof(lease->request_reason),
                 "%s is being unplugged, or taken from its driver", device->name);
        lease->request_deadline_usec = 0;
        lease_save_progress(lease, changes);
        lease_explain_request(lease, changes);
        change_set_lease(changes, CHANGE_LEASE_REQUESTED, lease->id);
}

void lease_device_gone(Lease *lease, LeaseDevice *device, ChangeSet *changes) {
        static const Holders nobody = {};

        if (lease->state == LEASE_ACTIVE && device->given)
                change_set_lease_device(changes, CHANGE_LEASE_DEVICE_GONE, lease->id, device->name);

        device->gone = true;
        device->handed = device->recycle = device->dirty = false;
        lease_set_holders(lease, device, &nobody, changes);

        switch (lease->state) {

        case LEASE_ACTIVE:
                if (lease_has_lost_all(lease))
                        lease_end(lease, "its devices were unplugged", changes);
                else
                        lease_save_progress(lease, changes);
                return;

        case LEASE_DRAINING:
        case LEASE_RESTORING:
        case LEASE_STUCK:
                lease_wind_down(lease, changes);
                return;

        case LEASE_PREPARING:                /* its caller is told when the other devices are done */
        case LEASE_ENDED:
        case _LEASE_STATE_MAX:
        case _LEASE_STATE_INVALID:
                return;
        }
}
