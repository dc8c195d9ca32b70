/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who wants a group claimed, or given back, and whether that can be.
 */

#include <stdio.h>
#include <string.h>

#include "core/approved.h"
#include "core/change.h"
#include "core/claim.h"
#include "core/device.h"
#include "core/group.h"
#include "core/kernel.h"
#include "core/manager.h"
#include "core/plan.h"
#include "core/store.h"
#include "core/subject.h"

static int group_refresh(Group *group, Refusal *reterr, ChangeSet *changes) {
        int r;

        for (Device *device = group->devices; device; device = device->next) {
                r = device_refresh(device, reterr, changes);
                if (r > 0)
                        return r;
        }

        return 0;
}

/* A device that can stay as it is: a bridge, or one that VFIO knows nothing of, if it does no DMA. */
static bool device_stays(const Device *device) {
        return (device->facts.bridge || !device_facts_vfio_driver(&device->facts)) &&
               !device_facts_own_dma(&device->facts) && !device_facts_on_vfio(&device->facts);
}

/* Whether all devices of the group that are not in a claim yet can be. Returns 0, or an Outcome. */
static int group_check_devices(const Group *group, Refusal *reterr) {
        unsigned n = 0;
        Refusal why;
        int r;

        for (const Device *device = group->devices; device; device = device->next) {
                const ClaimDevice *known = NULL;

                if (device_stays(device))
                        continue;
                n++;
                if (group->claim)
                        known = claim_find_device(group->claim, device->facts.name);
                if (known && !known->gone)
                        continue;

                r = plan_check_kind(device, &why);
                if (r > 0)
                        return refuse(reterr, (Outcome) r, "Group %u can't be claimed: %s",
                                group->facts.id, why.text);
                r = plan_check_host(group->manager, device, reterr);
                if (r > 0)
                        return r;
        }

        if (n == 0)
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                        "Group %u has no device that can be handed out: there is nothing to claim",
                        group->facts.id);

        return 0;
}

static int claim_add_devices(Claim *claim, const Group *group) {
        for (const Device *device = group->devices; device; device = device->next)
                if (!device_stays(device) && !claim_add_device(claim, device))
                        return -ENOMEM;

        return 0;
}

static bool claim_is_busy(const Claim *claim) {
        return claim->state == CLAIM_PARKING || claim->state == CLAIM_LENDING ||
               claim->state == CLAIM_RELEASING;
}

static int claim_refuse_busy(const Claim *claim, Refusal *reterr) {
        return refuse(reterr, OUTCOME_DRAINING, "The claim on group %u is %s%s%s: try again in a moment",
                claim->group, claim_state_to_string(claim->state), claim->reason[0] ? ": " : "",
                claim->reason);
}

/* What is in the way of claiming it. Returns 0, or an Outcome with *reterr. */
static int group_check_claim(
        Group *group, const ClaimRequest *request, Refusal *reterr, ChangeSet *changes) {
        int r;

        if (group->claim && claim_is_busy(group->claim))
                return claim_refuse_busy(group->claim, reterr);

        if (!group->claim) {
                r = plan_check_free(group, reterr);
                if (r > 0)
                        return r;
        }

        r = group_refresh(group, reterr, changes);
        if (r > 0)
                return r;

        if (!request->accept) {
                r = manager_check_approved(group->manager, group, reterr);
                if (r > 0)
                        return r;
        }

        return group_check_devices(group, reterr);
}

/* A lease has the group: there is nothing to do but to remember what was said. */
static int claim_update_lent(Claim *claim, const Group *group, Refusal *reterr, ChangeSet *changes) {
        KernelFailure failure;

        if (manager_approve(claim->manager, group, claim->persistent, &failure) < 0)
                return refuse_kernel(reterr, &failure);

        claim->answered = true;
        claim_announce(claim, changes);
        change_set_claim(changes, CHANGE_CLAIM_ANSWERED, claim->id);
        return 0;
}

static void claim_start(Claim *claim, ChangeSet *changes) {
        claim->state = CLAIM_PARKING;
        for (unsigned i = 0; i < claim->n_devices; i++)
                claim->devices[i].failed = false;
        claim_announce(claim, changes);
        claim_go_on(claim, changes);
}

int manager_claim(Manager *manager, const Subject *subject, uint32_t id, const ClaimRequest *request,
                  uint64_t *ret_claim, Refusal *reterr, ChangeSet *changes) {
        _cleanup_(claim_freep) Claim *made = NULL;
        Claim *claim;
        Group *group;
        int r;

        if (!subject_is_root(subject))
                return refuse(reterr, OUTCOME_DENIED, "Only root can claim a group%s",
                              subject_root_doubt(subject));

        group = manager_find_group(manager, id);
        if (!group)
                return refuse(reterr, OUTCOME_NO_SUCH_DEVICE, "Group %u is gone", id);

        r = group_check_claim(group, request, reterr, changes);
        if (r > 0)
                return r;

        claim = group->claim;
        if (!claim) {
                r = claim_new(manager, /* id= */ 0, &made);
                if (r < 0)
                        return r;
                claim_set_group(made, group);
                made->fresh = true;
                claim = made;
        }

        r = claim_add_devices(claim, group);
        if (r < 0)
                return r;

        if (request->set_persistent)
                claim->persistent = request->persistent;
        claim->approve = true;
        claim->answered = false;
        claim->refusal = (Refusal) {};
        *ret_claim = claim->id;
        TAKE_PTR(made);

        if (claim->state == CLAIM_LENT)
                return claim_update_lent(claim, group, reterr, changes);

        claim_start(claim, changes);
        return 0;
}

int manager_unclaim(Manager *manager, const Subject *subject, uint32_t id, uint64_t *ret_claim,
                    Refusal *reterr, ChangeSet *changes) {
        const Store *store = manager->store;
        KernelFailure failure;
        Claim *claim;
        Group *group;
        int r;

        if (!subject_is_root(subject))
                return refuse(reterr, OUTCOME_DENIED, "Only root can release a claim%s",
                              subject_root_doubt(subject));

        group = manager_find_group(manager, id);
        if (!group || !group->claim)
                return refuse(reterr, OUTCOME_NO_SUCH_DEVICE, "There is no claim on group %u", id);

        claim = group->claim;
        r = plan_check_free(group, reterr);
        if (r > 0)
                return r;
        if (claim_is_busy(claim))
                return claim_refuse_busy(claim, reterr);

        /* first: it must not come back */
        if (manager_set_persistent(manager, group, /* persistent= */ false, &failure) < 0)
                return refuse_kernel(reterr, &failure);

        claim->persistent = false;
        claim->state = CLAIM_RELEASING;
        if (store && store->ops->save_claim(store->userdata, claim, &failure) < 0) {
                claim->state = CLAIM_FAILED;
                snprintf(claim->reason, sizeof(claim->reason), "%s", failure.call);
                change_set_group(changes, CHANGE_GROUP_CHANGED, claim->group);
                return refuse_kernel(reterr, &failure);
        }

        claim->answered = false;
        claim->refusal = (Refusal) {};
        claim->reason[0] = '\0';
        for (unsigned i = 0; i < claim->n_devices; i++)
                claim->devices[i].failed = false;
        *ret_claim = claim->id;
        change_set_group(changes, CHANGE_GROUP_CHANGED, claim->group);
        claim_go_on(claim, changes);
        return 0;
}

void group_claim_persistent(Group *group, ChangeSet *changes) {
        static const ClaimRequest request = {};
        const ApprovedGroup *approved;
        Refusal refusal = {};
        Claim *claim;

        approved = approved_find(group->manager->approved, group);
        if (!approved || !approved->persistent || group->claim || group->lease)
                return;

        if (claim_new(group->manager, /* id= */ 0, &claim) < 0)
                return;                      /* out of memory: when its next device comes */

        claim->persistent = claim->answered = true;
        if (group_check_claim(group, &request, &refusal, changes) == 0 &&
            claim_add_devices(claim, group) < 0)
                refuse(&refusal, OUTCOME_KERNEL_FAILED, "Out of memory");
        for (unsigned i = 0; i < claim->n_devices; i++)
                claim_guess_driver(claim, &claim->devices[i]);

        claim_set_group(claim, group);
        if (refusal.outcome == OUTCOME_GRANTED) {
                claim_start(claim, changes);
                return;
        }

        claim->state = CLAIM_FAILED;
        snprintf(claim->reason, sizeof(claim->reason), "%s", refusal.text);
        claim_announce(claim, changes);
        change_set_claim(changes, CHANGE_CLAIM_CHANGED, claim->id);
}

void manager_claim_persistent(Manager *manager, ChangeSet *changes) {
        for (size_t i = 0; i < manager->groups.n_items; i++)
                group_claim_persistent(manager->groups.items[i], changes);
}

bool manager_is_claiming(const Manager *manager) {
        for (size_t i = 0; i < manager->claims.n_items; i++) {
                const Claim *claim = manager->claims.items[i];

                if (claim->state == CLAIM_PARKING)
                        return true;
        }

        return false;
}
