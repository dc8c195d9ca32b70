/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who may ask for what in the context of a lease.
 */

#include <inttypes.h>

#include "core/lease-context.h"
#include "core/lease-operation.h"
#include "core/manager.h"
#include "core/refusal.h"
#include "core/subject.h"

/* A container's root shares its number with the host's, but not its leases. */
static bool subject_owns(const Subject *subject, const Lease *lease) {
        return subject_is_root(subject) ||
               (lease->subject.uid == subject->uid && lease->subject.own_userns == subject->own_userns);
}

int manager_find_context(
        const Manager *manager, const Subject *subject, uint64_t id, Lease **ret, Refusal *reterr) {
        Lease *lease;

        lease = manager_find_lease(manager, id);
        if (!lease)
                return refuse(reterr, OUTCOME_NO_SUCH_DEVICE, "There is no lease %" PRIu64, id);

        if (!subject_owns(subject, lease))
                return refuse(reterr, OUTCOME_DENIED,
                        "Lease %" PRIu64 " belongs to uid %u: only that user and root can work with it%s",
                        id, lease->subject.uid, subject_root_doubt(subject));

        if (!lease_binds(lease))
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                              "Lease %" PRIu64 " is of mode %s, in which the client binds the devices and "
                              "makes the domains itself: acquire in mode attached or confined",
                              id, mode_to_string(lease->mode));

        if (lease->state != LEASE_ACTIVE)
                return refuse(reterr, OUTCOME_DRAINING, "Lease %" PRIu64 " is %s", id,
                              lease_state_to_string(lease->state));

        *ret = lease;
        return 0;
}

int manager_operate_take(Manager *manager, const Subject *subject, uint64_t id, Operation *operation,
                         Refusal *reterr, ChangeSet *changes) {
        Lease *lease;
        int r;

        r = manager_find_context(manager, subject, id, &lease, reterr);
        if (r > 0)
                return r;

        operation->id = ++manager->last_operation;
        return lease_operate_take(lease, operation, reterr, changes);
}

Operation *manager_take_operation(const Manager *manager, uint64_t id) {
        for (size_t i = 0; i < manager->leases.n_items; i++) {
                Operation *operation;

                operation = lease_take_operation(manager->leases.items[i], id);
                if (operation)
                        return operation;
        }

        return NULL;
}
