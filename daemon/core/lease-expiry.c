/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Leases that the policy gives an end.
 */

#include "core/change.h"
#include "core/lease-private.h"
#include "core/limits.h"
#include "core/manager.h"

static bool lease_has_end(const Lease *lease) {
        return lease->state == LEASE_ACTIVE && lease->until_usec > 0;
}

/* When its holder is asked for it, if there is one that can be. */
static uint64_t lease_notice_usec(const Lease *lease) {
        uint64_t notice = lease->max_usec / 2;

        if (notice > LIMIT_NOTICE_USEC)
                notice = LIMIT_NOTICE_USEC;
        return lease->until_usec > notice ? lease->until_usec - notice : 0;
}

uint64_t manager_next_expiry(const Manager *manager) {
        uint64_t next = UINT64_MAX;

        for (size_t i = 0; i < manager->leases.n_items; i++) {
                const Lease *lease = manager->leases.items[i];
                uint64_t usec;

                if (!lease_has_end(lease))
                        continue;
                usec = lease->noticed ? lease->until_usec : lease_notice_usec(lease);
                if (usec < next)
                        next = usec;
        }

        return next;
}

static void lease_give_notice(Lease *lease, ChangeSet *changes) {
        lease->noticed = true;
        lease_save_progress(lease, changes);
        if (lease->client[0])
                change_set_lease(changes, CHANGE_LEASE_EXPIRES, lease->id);
}

void manager_expire(Manager *manager, uint64_t now_usec, ChangeSet *changes) {
        for (size_t i = 0; i < manager->leases.n_items; i++) {
                Lease *lease = manager->leases.items[i];

                if (!lease_has_end(lease))
                        continue;
                if (lease->until_usec <= now_usec)
                        lease_end(lease, "the policy allowed it no longer than this", changes);
                else if (!lease->noticed && lease_notice_usec(lease) <= now_usec)
                        lease_give_notice(lease, changes);
        }
}
