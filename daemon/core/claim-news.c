/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a claim makes of devices that come and go.
 */

#include <stdio.h>

#include "core/approved.h"
#include "core/claim-private.h"
#include "core/device.h"
#include "core/group.h"
#include "core/manager.h"

void claim_device_added(Claim *claim, const Device *device, ChangeSet *changes) {
        const ApprovedGroup *approved;
        ClaimDevice *added;
        Refusal refusal;

        approved = approved_find(claim->manager->approved, device->group);
        if (!approved || !approved_group_find(approved, device)) {
                /* who asks for the group is told the same; the kernel keeps its drivers off it */
                if (manager_check_approved(claim->manager, device->group, &refusal) > 0)
                        claim_set_reason(claim, refusal.text, changes);
                return;
        }

        if (device->facts.bridge || !device_facts_vfio_driver(&device->facts))
                return;

        added = claim_add_device(claim, device);
        if (!added) {
                claim_set_reason(claim, "out of memory; \"iommuctl claim\" tries again", changes);
                return;
        }
        claim_guess_driver(claim, added);
        claim_announce(claim, changes);
        if (claim->state == CLAIM_PARKED || claim->state == CLAIM_FAILED) {
                claim_set_state(claim, CLAIM_PARKING, changes);
                claim_go_on(claim, changes);
        }
}

void claim_device_leaves(Claim *claim, ClaimDevice *device, ChangeSet *changes) {
        char text[sizeof(claim->reason)];

        if (device->fd < 0 || device->task != 0)
                return;

        snprintf(text, sizeof(text), "%s is being taken from its driver, or unplugged", device->name);
        claim_set_reason(claim, text, changes);
        claim_close_device(claim, device, changes);

        /* one that is bound is enough to own the group */
        for (unsigned i = 0; i < claim->n_devices; i++)
                if (claim->devices[i].fd >= 0)
                        return;
        if (claim->state == CLAIM_PARKED)
                claim_set_state(claim, CLAIM_FAILED, changes);
}

void claim_device_gone(Claim *claim, const char *name, ChangeSet *changes) {
        ClaimDevice *device;
        const Group *group;
        Refusal refusal;

        device = claim_find_device(claim, name);
        if (!device) {
                group = manager_find_group(claim->manager, claim->group);
                if (claim->state == CLAIM_PARKED && group &&
                    manager_check_approved(claim->manager, group, &refusal) == 0)
                        claim_set_reason(claim, "", changes);
                return;
        }

        device->gone = true;
        device->dirty = device->failed = false;
        if (device->task == 0 && device->fd >= 0)
                claim_close_device(claim, device, changes);

        /* the others are parked as before, or it is over */
        if (claim->state == CLAIM_PARKED || claim->state == CLAIM_FAILED)
                claim_set_state(claim, CLAIM_PARKING, changes);
        claim_go_on(claim, changes);
}
