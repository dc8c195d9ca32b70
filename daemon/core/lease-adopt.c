/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Goes on with the leases of the process before us.
 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/pidfd.h"
#include "core/change.h"
#include "core/lease-private.h"

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

void lease_adopt(Lease *lease, int lifeline, ChangeSet *changes) {
        bool active = lease->state == LEASE_ACTIVE && lease_knows_lifeline(lease, lifeline);

        lease->lifeline = lifeline;
        lease->answered = true;              /* or its caller has seen us go */
        lease_reserve(lease, changes);
        change_set_lease(changes, CHANGE_LEASE_ADDED, lease->id);
        if (active) {
                change_set_lease(changes, CHANGE_LEASE_CHANGED, lease->id);
                return;
        }

        snprintf(lease->end_cause, sizeof(lease->end_cause), "%s",
                 lease->state == LEASE_PREPARING ? "iommud ended while it was prepared" :
                 lease->state == LEASE_ACTIVE    ? "its holder ended while iommud was away" :
                                                   "it had been ended before iommud was");
        lease_wind_down(lease, changes);
}
