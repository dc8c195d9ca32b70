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
                        d->fd = close_fd(d->fd);
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
                change_set_lease(changes, CHANGE_LEASE_CHANGED, lease->id);
                lease_go_on_revoking(lease, changes);
                lease_go_on_switching(lease, changes);
                return;
        }

        if (lease->state == LEASE_ACTIVE)
                change_set_lease(changes, CHANGE_LEASE_ENDING, lease->id);
        snprintf(lease->end_cause, sizeof(lease->end_cause), "%s",
                 lease->state == LEASE_PREPARING ? "iommud ended while it was prepared" :
                 lease->state == LEASE_ACTIVE    ? "its holder ended while iommud was away" :
                                                   "it had been ended before iommud was");
        lease_wind_down(lease, changes);
}

void manager_adopt_leases(Manager *manager, TakeLifelineFunc take_lifeline, TakeFdFunc take_fd,
        void *userdata, ChangeSet *changes) {
        /* first those that somebody holds: their word counts, whatever other records say */
        for (size_t i = 0; i < manager->leases.n_items; i++) {
                Lease *lease = manager->leases.items[i];

                lease->lifeline = take_lifeline(userdata, lease->id);
                lease_take_fds(lease, take_fd, userdata);
                lease->adopting = lease->state != LEASE_ACTIVE ||
                                  !lease_knows_lifeline(lease, lease->lifeline) || !lease_knows_fds(lease);
                if (!lease->adopting)
                        lease_adopt(lease, /* active= */ true, changes);
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
