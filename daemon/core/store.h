/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The port to what survives this process: a record of each lease, its lifeline with the service manager,
 * and which devices are in quarantine. A record is written before the host is changed, so that whatever is
 * found after a crash can be finished or undone.
 */

#include "core/forward.h"

typedef struct StoreOps {
        /* Writes down the lease as it is now, durably, in place of what was written of it before. */
        int (*save)(void *userdata, const Lease *lease, KernelFailure *reterr);

        /*
         * Gives a duplicate of the lifeline of a lease to the service manager, before anybody relies on it.
         */
        int (*keep_lifeline)(void *userdata, uint64_t lease, int fd, KernelFailure *reterr);

        /* Takes it back, as drop_fd() does. */
        void (*drop_lifeline)(void *userdata, uint64_t lease);

        /*
         * The same for any other descriptor, by a name without colons that says whose it is and what for:
         * "lease-3-iommufd", "group-12-device-0". It comes back after a restart as what is called so.
         */
        int (*keep_fd)(void *userdata, const char *name, int fd, KernelFailure *reterr);

        /*
         * Takes it back from the service manager, some time soon. Whoever closes a device last waits for
         * its reset: the service manager must not, so that ours goes to TASK_CLOSE afterwards.
         */
        void (*drop_fd)(void *userdata, const char *name);

        /*
         * Writes down that the numbers of leases up to @id are taken, before these leases are there: their
         * object paths name no others as long as the host is up.
         */
        int (*save_last_lease)(void *userdata, uint64_t id, KernelFailure *reterr);

        /* Nothing is left of the lease: its record and its lifeline go. */
        void (*forget)(void *userdata, const Lease *lease);

        /* A claim, like a lease: durably; and nothing is left of it. */
        int (*save_claim)(void *userdata, const Claim *claim, KernelFailure *reterr);
        void (*forget_claim)(void *userdata, const Claim *claim);

        /* What administrators have approved of, which outlasts this boot of the host. */
        int (*save_approved)(void *userdata, const Approved *approved, KernelFailure *reterr);

        /* Writes down which devices are in quarantine, in place of what was written of that before. */
        int (*save_quarantine)(void *userdata, const Quarantine *quarantine, KernelFailure *reterr);
} StoreOps;

struct Store {
        const StoreOps *ops;
        void *userdata;
};
