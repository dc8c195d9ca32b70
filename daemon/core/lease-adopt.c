/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Goes on with the leases of the process before us.
 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "core/change.h"
#include "core/claim.h"
#include "core/device.h"
#include "core/group.h"
#include "core/lease-context.h"
#include "core/lease-operation.h"
#include "core/lease-private.h"
#include "core/manager.h"
#include "core/store.h"

/*
 * Whether @fd is what was kept for this lease: proved, since names and numbers of kept descriptors are only
 * words.
 */
static bool lease_knows_lifeline(const Lease *lease, int fd) {
        struct stat st;
        pid_t pid;

        if (fd < 0)
                return false;

        if (lease->lifeline_is_pidfd)
                return pidfd_get_pid(fd, &pid) >= 0 && (uint64_t) pid == lease->lifeline_id;

        return fstat(fd, &st) >= 0 && S_ISFIFO(st.st_mode) && st.st_ino == lease->lifeline_id &&
               (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY;
}

/* What it is, and so how long its last close takes, nobody knows. */
static void lease_reject_lifeline(Lease *lease) {
        const Store *store = lease->manager->store;

        if (store)
                store->ops->drop_lifeline(store->userdata, lease->id);
        manager_close_stray_consume(lease->manager, "a lifeline", TAKE_FD(lease->lifeline));
}

/*
 * Why it can't go on. A lifeline that has hung up is dropped by the service manager; what does not come back
 * was that, or was not kept over a stop.
 */
static const char *lease_explain_end(const Lease *lease, bool came, bool known) {
        if (lease->state == LEASE_PREPARING)
                return "iommud ended while it was prepared";
        if (lease->state != LEASE_ACTIVE)
                return "it had been ended before iommud was";
        if (!came)
                return "its holder ended, or iommud was stopped";
        return known ? "what iommud had bound for it did not come back" : "its lifeline is another";
}

static bool device_is_of_another(const Device *device, const LeaseDevice *d, bool active) {
        if (device->group->lease)
                return true;

        return !active && device->group->claim && !claim_gets_back(device->group->claim, d);
}

/*
 * A group is leased once. Where two records have it, or a claim that knows nothing of it does, the older is
 * of a lease that had ended, and could not be removed: what it says of the drivers is history, and to give
 * those devices back would take them from who has them now.
 */
static void lease_drop_stale_devices(Lease *lease, bool active, ChangeSet *changes) {
        unsigned n = 0, n_given = 0;

        for (unsigned i = 0; i < lease->n_devices; i++) {
                LeaseDevice *d = &lease->devices[i];
                const Device *device;

                device = manager_find_device(lease->manager, d->name);
                if (device && device_is_of_another(device, d, active)) {
                        change_set_lease_device(changes, CHANGE_LEASE_STALE, lease->id, d->name);
                        /* nothing of it can be bound: somebody else has the group */
                        lease_reject_fd(lease, i);
                        attachments_clear(&d->dma);
                        continue;
                }

                n_given += d->given;
                lease->devices[n++] = *d;
        }

        lease->n_devices = n;
        lease->n_given = n_given;
}

static void lease_adopt(Lease *lease, bool active, ChangeSet *changes) {
        lease->answered = true;              /* or its caller has seen us go */
        change_set_lease(changes, CHANGE_LEASE_ADDED, lease->id);
        lease_drop_stale_devices(lease, active, changes);
        lease_reserve(lease, changes);
        if (active) {
                lease_explain_request(lease, changes);
                change_set_lease(changes, CHANGE_LEASE_CHANGED, lease->id);
                lease_go_on_revoking(lease, changes);
                lease_go_on_switching(lease, changes);
                return;
        }

        if (lease->state == LEASE_ACTIVE)
                change_set_lease(changes, CHANGE_LEASE_ENDING, lease->id);
        lease_wind_down(lease, changes);
}

void manager_adopt_leases(Manager *manager, TakeLifelineFunc take_lifeline, TakeFdFunc take_fd,
        void *userdata, ChangeSet *changes) {
        /* first those that somebody holds: their word counts, whatever other records say */
        for (size_t i = 0; i < manager->leases.n_items; i++) {
                Lease *lease = manager->leases.items[i];
                bool came, known;

                lease->lifeline = take_lifeline(userdata, lease->id);
                lease_take_fds(lease, take_fd, userdata);
                came = lease->lifeline >= 0;
                known = lease_knows_lifeline(lease, lease->lifeline);
                if (came && !known)
                        lease_reject_lifeline(lease);
                lease->adopting = lease->state != LEASE_ACTIVE || !known || !lease_knows_fds(lease);
                if (!lease->adopting)
                        lease_adopt(lease, /* active= */ true, changes);
                else
                        snprintf(lease->end_cause, sizeof(lease->end_cause), "%s",
                                 lease_explain_end(lease, came, known));
        }

        /* then the younger before the older, which can only be what was left of it */
        for (size_t i = manager->leases.n_items; i > 0; i--) {
                Lease *lease = manager->leases.items[i - 1];

                if (!lease->adopting)
                        continue;
                lease->adopting = false;
                lease_adopt(lease, /* active= */ false, changes);
        }
}

/*
 * Its node is gone: the kernel waits until nobody has it open. Of its driver, which waits, the uevent file
 * speaks all that time (drivers/base/dd.c forgets it when remove() has returned). See lease_device_leaves().
 */
static bool device_is_leaving(const Device *device) {
        return !device->facts.cdev[0];
}

/* Whether a request that is on record was heard, nobody knows; twice is better than never. */
static void lease_remind_holder(Lease *lease, ChangeSet *changes) {
        for (unsigned i = 0; i < lease->n_devices; i++) {
                LeaseDevice *d = &lease->devices[i];
                const Device *device;

                device = manager_find_device(lease->manager, d->name);
                if (!device && !d->gone)
                        lease_device_gone(lease, d, changes);
                else if (device && device_is_leaving(device))
                        lease_device_leaves(lease, d, changes);
        }

        if (lease->state != LEASE_ACTIVE)
                return;
        if (lease->request_reason[0])
                change_set_lease(changes, CHANGE_LEASE_REQUESTED, lease->id);
        if (lease->noticed && lease->client[0])
                change_set_lease(changes, CHANGE_LEASE_EXPIRES, lease->id);
}

void manager_remind_holders(Manager *manager, ChangeSet *changes) {
        for (size_t i = 0; i < manager->leases.n_items; i++) {
                Lease *lease = manager->leases.items[i];

                if (lease->state == LEASE_ACTIVE)
                        lease_remind_holder(lease, changes);
        }
}
