/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "core/change.h"
#include "core/claim-private.h"
#include "core/device.h"
#include "core/limits.h"
#include "core/manager.h"
#include "core/store.h"
#include "core/task.h"

static void claim_changed(Claim *claim, ChangeSet *changes) {
        if (manager_find_group(claim->manager, claim->group))
                change_set_group(changes, CHANGE_GROUP_CHANGED, claim->group);
}

void claim_set_state(Claim *claim, ClaimState state, ChangeSet *changes) {
        if (claim->state == state)
                return;

        claim->state = state;
        claim_changed(claim, changes);
        change_set_claim(changes, CHANGE_CLAIM_CHANGED, claim->id);
}

void claim_set_reason(Claim *claim, const char *reason, ChangeSet *changes) {
        if (strcmp(claim->reason, reason) == 0)
                return;

        snprintf(claim->reason, sizeof(claim->reason), "%s", reason);
        make_printable(claim->reason);
        claim_changed(claim, changes);
}

void claim_answer(Claim *claim, ChangeSet *changes) {
        if (claim->answered)
                return;

        claim->answered = true;
        change_set_claim(changes, CHANGE_CLAIM_ANSWERED, claim->id);
}

int claim_save(const Claim *claim, KernelFailure *reterr) {
        const Store *store = claim->manager->store;

        return store ? store->ops->save_claim(store->userdata, claim, reterr) : 0;
}

void claim_fail(Claim *claim, const Refusal *refusal, ChangeSet *changes) {
        if (claim->refusal.outcome == OUTCOME_GRANTED)
                claim->refusal = *refusal;

        claim_set_reason(claim, refusal->text, changes);
        if (claim->fresh) {
                claim_set_state(claim, CLAIM_RELEASING, changes);
                return;
        }

        claim_set_state(claim, CLAIM_FAILED, changes);
        claim_answer(claim, changes);
}

void claim_fail_kernel(Claim *claim, const KernelFailure *failure, ChangeSet *changes) {
        Refusal refusal;

        refuse_kernel(&refusal, failure);
        claim_fail(claim, &refusal, changes);
}

bool claim_has_task(const Claim *claim) {
        for (unsigned i = 0; i < claim->n_devices; i++)
                if (claim->devices[i].task != 0)
                        return true;

        return false;
}

int claim_queue(Claim *claim, ClaimDevice *device, Task *task) {
        int r;

        strcpy(task->subsystem, device->subsystem);
        strcpy(task->name, device->name);

        r = manager_queue_task(claim->manager, task);
        if (r < 0)
                return r;

        device->task = task->id;
        return 0;
}

int claim_queue_set_driver(
        Claim *claim, ClaimDevice *device, const char *driver, const char *override, PowerControl power) {
        Task task = { .kind = TASK_SET_DRIVER, .power = power, .timeout_usec = LIMIT_SET_DRIVER_USEC };

        strcpy(task.driver, driver);
        strcpy(task.driver_override, override);
        return claim_queue(claim, device, &task);
}

int claim_read_driver(
        Claim *claim, const ClaimDevice *device, char *ret_driver, char *ret_override, ChangeSet *changes) {
        const Kernel *kernel = claim->manager->kernel;
        KernelFailure failure;
        Device *known;
        int r;

        r = kernel->ops->read_driver(
                kernel->userdata, device->subsystem, device->name, /* syspath= */ NULL, ret_driver,
                ret_override, &failure);
        if (r < 0)
                return r;

        known = manager_find_device(claim->manager, device->name);
        if (known)
                device_set_driver(known, ret_driver, ret_override, changes);
        return 0;
}

void claim_explain_failure(
        Claim *claim, const ClaimDevice *device, const KernelFailure *failure, ChangeSet *changes) {
        char text[sizeof(claim->reason)];

        snprintf(text, sizeof(text), "%s: %s: %s", device->name, failure->call,
                 strerrordesc_np(-failure->error) ?: "unknown error");
        claim_set_reason(claim, text, changes);
}
