/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>

#include "core/claim.h"
#include "core/device.h"
#include "core/group.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/quarantine.h"
#include "fake/assert.h"
#include "fake/mirror.h"

static MirrorEntry *mirror_find(Mirror *mirror, const char *key) {
        for (size_t i = 0; i < mirror->n_entries; i++)
                if (strcmp(mirror->entries[i].key, key) == 0)
                        return &mirror->entries[i];

        return NULL;
}

static uint64_t lease_id(const Lease *lease) {
        return lease ? lease->id : 0;
}

static void describe_device(MirrorEntry *entry, const Device *device) {
        const Lease *lease = device->group->lease;
        const QuarantineEntry *quarantine;

        quarantine = quarantine_find(device->group->manager->quarantine, device->facts.name);
        snprintf(entry->key, sizeof(entry->key), "device %s", device->facts.name);
        snprintf(entry->state, sizeof(entry->state),
                 "driver=%s override=%s cdev=%s original=%s group=%u lease=%" PRIu64
                 " quarantine=%s",
                 device->facts.driver, device->facts.driver_override, device->facts.cdev,
                 device_original_driver(device), device->group->facts.id, lease_id(lease),
                 quarantine ? quarantine->reason : "");
}

static void describe_group(MirrorEntry *entry, const Group *group) {
        size_t n;

        snprintf(entry->key, sizeof(entry->key), "group %u", group->facts.id);
        n = (size_t) snprintf(entry->state, sizeof(entry->state),
                              "owner=%s viable=%d type=%s lease=%" PRIu64,
                              dma_owner_to_string(group_dma_owner(group)), group_is_viable(group),
                              group->facts.type, lease_id(group->lease));
        if (group->claim)
                n += (size_t) snprintf(entry->state + n, sizeof(entry->state) - n, " claim=%s/%u/%s",
                                       claim_state_to_string(group->claim->state), group->claim->persistent,
                                       group->claim->reason);
        for (const Device *device = group->devices; device; device = device->next) {
                assert(n < sizeof(entry->state));
                n += (size_t) snprintf(entry->state + n, sizeof(entry->state) - n, " %s(%s)",
                                       device->facts.name,
                                       device_facts_own_dma(&device->facts) ? device->facts.driver : "");
        }
}

static void describe_lease(MirrorEntry *entry, const Lease *lease) {
        size_t n;

        snprintf(entry->key, sizeof(entry->key), "lease %" PRIu64, lease->id);
        n = (size_t) snprintf(entry->state, sizeof(entry->state), "state=%s reason=%s",
                              lease_state_to_string(lease->state), lease->reason);

        for (unsigned i = 0; i < lease->n_devices; i++) {
                const Holders *holders = &lease->devices[i].holders;

                for (unsigned j = 0; j < holders->n_items && n < sizeof(entry->state); j++)
                        n += (size_t) snprintf(entry->state + n, sizeof(entry->state) - n, " %u=%d:%s:%s", i,
                                               (int) holders->items[j].pid, holders->items[j].comm,
                                               holders->items[j].cgroup);
        }
}

/* Fills in the entry of the object that a change is about. False: there is no such object. */
static bool describe_changed(MirrorEntry *entry, const Manager *manager, const Change *change) {
        const Device *device;
        const Group *group;
        const Lease *lease;

        if (change->name[0]) {
                snprintf(entry->key, sizeof(entry->key), "device %s", change->name);
                device = manager_find_device(manager, change->name);
                if (device)
                        describe_device(entry, device);
                return device;
        }

        if (change->kind <= CHANGE_GROUP_REMOVED) {
                snprintf(entry->key, sizeof(entry->key), "group %" PRIu64, change->id);
                group = manager_find_group(manager, (uint32_t) change->id);
                if (group)
                        describe_group(entry, group);
                return group;
        }

        snprintf(entry->key, sizeof(entry->key), "lease %" PRIu64, change->id);
        lease = manager_find_lease(manager, change->id);
        if (lease)
                describe_lease(entry, lease);
        return lease;
}

static void mirror_take(Mirror *mirror, const Manager *manager, const Change *change) {
        MirrorEntry entry = {}, *known;
        bool exists;

        if (change->kind > CHANGE_LEASE_ENDED)
                return;                      /* news, but nothing to be seen of */

        exists = describe_changed(&entry, manager, change);
        known = mirror_find(mirror, entry.key);

        switch (change->kind) {

        case CHANGE_DEVICE_ADDED:
        case CHANGE_GROUP_ADDED:
        case CHANGE_LEASE_ADDED:
                if (known)
                        assert_failed(__FILE__, __LINE__, entry.key, "was added twice");
                if (!exists)
                        return;              /* it has gone again, which is said further on in the set */

                mirror->entries = reallocarray(mirror->entries, mirror->n_entries + 1, sizeof(entry));
                assert(mirror->entries);
                mirror->entries[mirror->n_entries++] = entry;
                return;

        case CHANGE_DEVICE_QUARANTINED:
        case CHANGE_DEVICE_CLEARED:
                if (!exists)
                        return;              /* it is unplugged */
                if (!known)
                        assert_failed(__FILE__, __LINE__, entry.key, "changed before it was added");
                *known = entry;
                return;

        case CHANGE_DEVICE_CHANGED:
        case CHANGE_GROUP_CHANGED:
        case CHANGE_LEASE_CHANGED:
                if (exists && !known)
                        assert_failed(__FILE__, __LINE__, entry.key, "changed before it was added");
                if (exists)
                        *known = entry;
                return;

        case CHANGE_DEVICE_REMOVED:
        case CHANGE_GROUP_REMOVED:
        case CHANGE_LEASE_ENDED:
                if (known)
                        *known = mirror->entries[--mirror->n_entries];
                return;

        case CHANGE_DEVICE_RESET:
        case CHANGE_LEASE_ANSWERED:
        case CHANGE_LEASE_ENDING:
        case CHANGE_LEASE_STALE:
        case CHANGE_OPERATION_DONE:
        case CHANGE_LEASE_REQUESTED:
        case CHANGE_LEASE_EXPIRES:
        case CHANGE_LEASE_DEVICE_GONE:
        case CHANGE_LEASE_GROUP_GREW:
        case CHANGE_LEASE_KILL:
        case CHANGE_CLAIM_CHANGED:
        case CHANGE_CLAIM_ANSWERED:
        case CHANGE_CLAIM_ENDED:
        case _CHANGE_KIND_MAX:
                return;
        }
}

static void mirror_assert(Mirror *mirror, const MirrorEntry *expected) {
        const MirrorEntry *known;

        known = mirror_find(mirror, expected->key);
        if (!known)
                assert_failed(__FILE__, __LINE__, expected->key, "was never announced");
        if (strcmp(known->state, expected->state) != 0)
                assert_failed(__FILE__, __LINE__, expected->key,
                              "is \"%s\", but the last that was announced is \"%s\"",
                              expected->state, known->state);
}

void mirror_apply(Mirror *mirror, const Manager *manager, const ChangeSet *changes) {
        size_t n = manager->devices.n_items + manager->groups.n_items;

        assert(!changes->lost);
        for (size_t i = 0; i < changes->n_items; i++)
                if (changes->items[i].kind < CHANGE_CLAIM_CHANGED) /* which are told by the group */
                        mirror_take(mirror, manager, &changes->items[i]);

        for (size_t i = 0; i < manager->devices.n_items; i++) {
                MirrorEntry entry = {};

                describe_device(&entry, manager->devices.items[i]);
                mirror_assert(mirror, &entry);
        }

        for (size_t i = 0; i < manager->groups.n_items; i++) {
                MirrorEntry entry = {};

                describe_group(&entry, manager->groups.items[i]);
                mirror_assert(mirror, &entry);
        }

        for (size_t i = 0; i < manager->leases.n_items; i++) {
                const Lease *lease = manager->leases.items[i];
                MirrorEntry entry = {};

                if (lease->state == LEASE_ENDED)
                        continue;            /* gone but for its last news */
                describe_lease(&entry, lease);
                mirror_assert(mirror, &entry);
                n++;
        }

        /* and nothing is in the picture that is not there any more */
        assert_eq_int(mirror->n_entries, n);
}

void mirror_done(Mirror *mirror) {
        free(mirror->entries);
        *mirror = (Mirror) {};
}
