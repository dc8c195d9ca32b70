/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/fd.h"
#include "core/approved.h"
#include "core/change.h"
#include "core/claim.h"
#include "core/device.h"
#include "core/group.h"
#include "core/manager.h"

static const char *const claim_state_table[] = {
        [CLAIM_PARKING] = "parking",
        [CLAIM_PARKED] = "parked",
        [CLAIM_LENDING] = "lending",
        [CLAIM_LENT] = "lent",
        [CLAIM_RELEASING] = "releasing",
        [CLAIM_FAILED] = "failed",
        [CLAIM_ENDED] = "ended",
};

DEFINE_STRING_TABLE(claim_state, ClaimState, _CLAIM_STATE_MAX);

static int claim_compare(const void *key, const void *item) {
        const uint64_t *id = key;
        const Claim *claim = item;

        return *id < claim->id ? -1 : *id > claim->id;
}

Claim *manager_find_claim(const Manager *manager, uint64_t id) {
        return ptr_array_find(&manager->claims, &id, claim_compare);
}

int claim_new(Manager *manager, uint64_t id, Claim **ret) {
        _cleanup_free_ Claim *claim = NULL;
        int r;

        claim = calloc(1, sizeof(*claim));
        if (!claim)
                return -ENOMEM;

        *claim = (Claim) {
                .manager = manager,
                .id = id > 0 ? id : manager->last_claim + 1,
                .group = GROUP_NONE,
                .iommufd = -EBADF,
        };

        r = ptr_array_insert(&manager->claims, &claim->id, claim, claim_compare);
        if (r < 0)
                return r;

        if (manager->last_claim < claim->id)
                manager->last_claim = claim->id;
        *ret = TAKE_PTR(claim);
        return 0;
}

Claim *claim_free(Claim *claim) {
        if (!claim)
                return NULL;

        claim_clear_group(claim, /* changes= */ NULL);
        for (unsigned i = 0; i < claim->n_devices; i++)
                close_fd(claim->devices[i].fd);
        close_fd(claim->iommufd);
        ptr_array_remove(&claim->manager->claims, claim);
        free(claim->devices);
        free(claim);
        return NULL;
}

void claim_set_group(Claim *claim, Group *group) {
        assert(!group->claim);

        claim->group = group->facts.id;
        group->claim = claim;
}

void claim_announce(Claim *claim, ChangeSet *changes) {
        const Group *group;

        group = manager_find_group(claim->manager, claim->group);
        if (!group)
                return;

        change_set_group(changes, CHANGE_GROUP_CHANGED, claim->group);
        for (const Device *device = group->devices; device; device = device->next)
                change_set_device(changes, CHANGE_DEVICE_CHANGED, device->facts.name);
}

void claim_clear_group(Claim *claim, ChangeSet *changes) {
        Group *group;

        group = manager_find_group(claim->manager, claim->group);
        if (!group || group->claim != claim)
                return;

        group->claim = NULL;
        claim_announce(claim, changes);
}

ClaimDevice *claim_find_device(const Claim *claim, const char *name) {
        for (unsigned i = 0; i < claim->n_devices; i++)
                if (strcmp(claim->devices[i].name, name) == 0)
                        return &claim->devices[i];

        return NULL;
}

ClaimDevice *claim_find_task(const Claim *claim, uint64_t task) {
        for (unsigned i = 0; i < claim->n_devices; i++)
                if (task != 0 && claim->devices[i].task == task)
                        return &claim->devices[i];

        return NULL;
}

ClaimDevice *claim_add_device(Claim *claim, const Device *device) {
        ClaimDevice *devices, *d;
        const char *target;

        d = claim_find_device(claim, device->facts.name);
        if (d && !d->gone)
                return d;

        if (!d) {
                devices = reallocarray(claim->devices, claim->n_devices + 1, sizeof(*devices));
                if (!devices)
                        return NULL;
                claim->devices = devices;
                d = &devices[claim->n_devices++];
        }

        /* a variant driver, which it has already, is as good */
        target = device_facts_on_vfio(&device->facts) ? device->facts.driver
                                                      : device_facts_vfio_driver(&device->facts);

        *d = (ClaimDevice) { .fd = -EBADF };
        strcpy(d->subsystem, device->facts.subsystem);
        strcpy(d->name, device->facts.name);
        strcpy(d->driver, device->facts.driver);
        strcpy(d->driver_override, device->facts.driver_override);
        strcpy(d->target, target);
        return d;
}

bool claim_device_gets_any(const ClaimDevice *device) {
        return device->guessed && !device->driver[0];
}

void claim_guess_driver(Claim *claim, ClaimDevice *device) {
        const ApprovedDevice *known = NULL;
        const ApprovedGroup *approved;
        const Device *found;

        found = manager_find_device(claim->manager, device->name);
        if (!found || device->driver[0])
                return;                      /* what it has counts, whatever it had */

        approved = approved_find(claim->manager->approved, found->group);
        if (approved)
                known = approved_group_find(approved, found);

        /* one that had none then has none now since nobody wants it */
        device->guessed = !known || !known->has_driver || known->driver[0];

        /* an override that is there already is younger than what was remembered */
        if (known && known->has_driver && !device->driver_override[0]) {
                strcpy(device->driver, known->driver);
                strcpy(device->driver_override, known->driver_override);
        }
}
