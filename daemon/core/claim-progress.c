/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How a claim goes from state to state, and what the results of its tasks mean.
 */

#include <string.h>

#include "core/approved.h"
#include "core/claim-private.h"
#include "core/device.h"
#include "core/dma.h"
#include "core/group.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/task.h"

static bool claim_has_device(const Claim *claim) {
        for (unsigned i = 0; i < claim->n_devices; i++)
                if (!claim->devices[i].gone)
                        return true;

        return false;
}

void claim_go_on(Claim *claim, ChangeSet *changes) {
        ClaimState before;

        do {
                before = claim->state;
                if (claim_has_task(claim))
                        return;
                if (!claim_has_device(claim) && claim->state < CLAIM_RELEASING)
                        claim_set_state(claim, CLAIM_RELEASING, changes);

                switch (claim->state) {

                case CLAIM_PARKING:
                        claim_park(claim, changes);
                        break;

                case CLAIM_LENDING:
                        if (claim_let_go(claim, changes))
                                break;
                        claim_set_state(claim, CLAIM_LENT, changes);
                        break;

                case CLAIM_LENT: {
                        Group *group = manager_find_group(claim->manager, claim->group);

                        if (group && group->lease)
                                lease_claim_lent(group->lease, changes);
                        return;
                }

                case CLAIM_RELEASING:
                        claim_give_back(claim, changes);
                        break;

                case CLAIM_FAILED:
                        (void) claim_let_go(claim, changes);           /* what was bound half-way */
                        return;

                case CLAIM_PARKED:
                case CLAIM_ENDED:
                case _CLAIM_STATE_MAX:
                case _CLAIM_STATE_INVALID:
                        return;
                }
        } while (claim->state != before);
}

void claim_lend(Claim *claim, ChangeSet *changes) {
        assert(claim->state == CLAIM_PARKED || claim->state == CLAIM_LENT);

        if (claim->state == CLAIM_PARKED)
                claim_set_state(claim, CLAIM_LENDING, changes);
        claim_go_on(claim, changes);
}

void claim_resume(Claim *claim, ChangeSet *changes) {
        if (claim->state != CLAIM_LENDING && claim->state != CLAIM_LENT)
                return;

        claim_set_state(claim, CLAIM_PARKING, changes);
        claim_go_on(claim, changes);
}

/* While it is bound its IOMMU can be asked what it has. Where that fails it stays unknown. */
static void claim_learn_info(Claim *claim, const ClaimDevice *device, uint32_t id, ChangeSet *changes) {
        KernelFailure failure;
        Device *known;
        HwInfo info;
        int r;

        known = manager_find_device(claim->manager, device->name);
        if (!known || known->info)
                return;

        r = device_read_info(known, claim->iommufd, id, &info, &failure, changes);
        (void) r;
}

void claim_task_done(Claim *claim, ClaimDevice *device, const Task *task, const TaskResult *result,
                     ChangeSet *changes) {
        char driver[KERNEL_NAME_MAX], override[KERNEL_NAME_MAX];

        device->task = 0;
        if (!device->gone)
                /* what the kernel can't tell, the monitor will */
                (void) claim_read_driver(claim, device, driver, override, changes);

        if (device->gone)
                ;
        else if (claim->state == CLAIM_PARKING && result->result < 0)
                claim_fail_kernel(claim, &result->failure, changes);
        else if (claim->state == CLAIM_RELEASING && task->kind == TASK_SET_DRIVER)
                claim_restore_done(claim, device, task, result, changes);
        else if (task->kind == TASK_BIND && result->result >= 0)
                claim_learn_info(claim, device, result->device_id, changes);

        claim_go_on(claim, changes);
}

void claim_task_overdue(Claim *claim, ClaimDevice *device, const Task *task, ChangeSet *changes) {
        KernelFailure failure;
        Group *group;

        kernel_failure(&failure, -ETIMEDOUT,
                "%s of %s has not returned after %u s, the kernel waits for somebody who has it open",
                task_kind_to_string(task->kind), device->name, (unsigned) (task->timeout_usec / 1000000));
        claim_explain_failure(claim, device, &failure, changes);

        if (claim->refusal.outcome == OUTCOME_GRANTED)
                refuse_kernel(&claim->refusal, &failure);
        claim_answer(claim, changes);

        group = manager_find_group(claim->manager, claim->group);
        if (group && group->lease)
                lease_give_up(group->lease, &failure, changes);
}

int claim_check(const Claim *claim, Refusal *reterr) {
        const Group *group = manager_find_group(claim->manager, claim->group);

        switch (claim->state) {

        case CLAIM_PARKED:
                return group ? manager_check_approved(claim->manager, group, reterr) : 0;

        case CLAIM_FAILED:
                return refuse(reterr, OUTCOME_NOT_VIABLE,
                        "Group %u is claimed, and could not be parked: %s. \"iommuctl claim group:%u\" "
                        "tries again",
                        claim->group, claim->reason, claim->group);

        case CLAIM_PARKING:
        case CLAIM_LENDING:
        case CLAIM_LENT:
        case CLAIM_RELEASING:
                return refuse(reterr, OUTCOME_DRAINING,
                        "Group %u is claimed, and that is %s: try again in a moment", claim->group,
                        claim_state_to_string(claim->state));

        case CLAIM_ENDED:
        case _CLAIM_STATE_MAX:
        case _CLAIM_STATE_INVALID:
                break;
        }

        return 0;
}
