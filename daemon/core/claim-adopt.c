/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Goes on with the claims of the process before us.
 */

#include <string.h>

#include "core/claim-private.h"
#include "core/device.h"
#include "core/group.h"
#include "core/lease.h"
#include "core/manager.h"

/* The group that its devices are in now; those that are in none are gone. */
static Group *claim_look_for_group(Claim *claim) {
        Group *group = NULL;

        for (unsigned i = 0; i < claim->n_devices; i++) {
                const Device *device;

                device = manager_find_device(claim->manager, claim->devices[i].name);
                if (device && !group)
                        group = device->group;
                claim->devices[i].gone = !device || device->group != group;
                if (claim->devices[i].gone)
                        claim->devices[i].dirty = false;
        }

        return group;
}

/* Whether what came back is what it is called. What did not come back is bound anew, that is no harm. */
static bool claim_fds_are_proved(const Claim *claim) {
        const Kernel *kernel = claim->manager->kernel;

        for (unsigned i = 0; i < claim->n_devices; i++) {
                const ClaimDevice *device = &claim->devices[i];
                KernelFailure failure;

                if (device->fd < 0)
                        continue;
                if (device->gone || claim->iommufd < 0 ||
                    kernel->ops->check_parked(kernel->userdata, device->subsystem, device->name, device->fd,
                                              claim->iommufd, &failure) < 0)
                        return false;
        }

        return true;
}

void manager_attach_claims(Manager *manager, ChangeSet *changes) {
        for (size_t i = 0; i < manager->claims.n_items; i++) {
                Claim *claim = manager->claims.items[i];
                Group *group;

                claim->answered = true;      /* or its caller has seen us go */
                group = claim_look_for_group(claim);
                if (group && !group->claim) {
                        claim_set_group(claim, group);
                        claim_announce(claim, changes);
                }
        }
}

bool claim_gets_back(const Claim *claim, const LeaseDevice *device) {
        const ClaimDevice *d;

        d = claim_find_device(claim, device->name);
        return d && strcmp(d->target, device->driver) == 0 &&
               strcmp(d->target, device->driver_override) == 0;
}

/*
 * Whether the group's lease knows nothing of the claim: that was at its end before, and its record could not
 * be removed. What it says of the drivers is history.
 */
static bool claim_is_history(const Claim *claim, const Group *group) {
        if (!group || !group->lease)
                return false;

        for (unsigned i = 0; i < group->lease->n_devices; i++) {
                const LeaseDevice *device = &group->lease->devices[i];

                if (claim_find_device(claim, device->name) && !claim_gets_back(claim, device))
                        return true;
        }

        return false;
}

static void claim_adopt(Claim *claim, ChangeSet *changes) {
        const Group *group;

        group = manager_find_group(claim->manager, claim->group);
        if (claim_is_history(claim, group)) {
                for (unsigned i = 0; i < claim->n_devices; i++)
                        claim->devices[i].dirty = false;
                claim->state = CLAIM_RELEASING;
        }

        if (claim->state == CLAIM_RELEASING)
                ;                            /* whatever came back is closed */
        else if (claim->fresh && !claim->persistent)
                /* Who asked for it has no answer: it is undone, unless it is to be there whoever asks. */
                claim->state = CLAIM_RELEASING;
        else if (group && group->lease)
                /* the lease has it; what is left of us with the service manager goes */
                claim->state = CLAIM_LENDING;
        else
                claim->stale = !claim_fds_are_proved(claim);

        claim->fresh = false;
        claim_go_on(claim, changes);
}

void manager_adopt_claims(Manager *manager, TakeFdFunc take_fd, void *userdata, ChangeSet *changes) {
        for (size_t i = 0; i < manager->claims.n_items; i++)
                claim_take_fds(manager->claims.items[i], take_fd, userdata);

        for (size_t i = 0; i < manager->claims.n_items; i++)
                claim_adopt(manager->claims.items[i], changes);
}
