/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/kernel.h"
#include "core/lease.h"
#include "core/limits.h"
#include "core/manager.h"
#include "core/next-lease.h"
#include "core/store.h"

void next_lease_done(NextLease *next) {
        close_fd(next->lifeline);
        close_fd(next->lifeline_client);
        *next = (NextLease) NEXT_LEASE_NULL;
}

static int open_lifeline(int *ret, int *ret_client, uint64_t *ret_id) {
        struct stat st;
        int fds[2];

        if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;

        *ret = fds[0];
        *ret_client = fds[1];

        if (fstat(fds[0], &st) < 0)
                return -errno;
        *ret_id = st.st_ino;
        return 0;
}

/*
 * Not each number for itself: those of a block that are left when the daemon ends are nobody's. Their object
 * paths name no others as long as the host is up.
 */
static int manager_save_number(Manager *manager, uint64_t id, KernelFailure *reterr) {
        uint64_t last = id - 1 + LIMIT_LEASE_NUMBERS;
        const Store *store = manager->store;
        int r;

        if (!store || id <= manager->saved_lease)
                return 0;

        r = store->ops->save_last_lease(store->userdata, last, reterr);
        if (r < 0)
                return r;

        manager->saved_lease = last;
        return 0;
}

int manager_take_lease_id(Manager *manager, uint64_t *ret, KernelFailure *reterr) {
        uint64_t id = manager->last_lease + 1;
        int r;

        r = manager_save_number(manager, id, reterr);
        if (r < 0)
                return r;

        manager->last_lease = *ret = id;
        return 0;
}

bool manager_wants_next_lease(const Manager *manager) {
        return manager->store && manager->next.id == 0;
}

void manager_prepare_next_lease(Manager *manager) {
        _cleanup_(next_lease_done) NextLease next = NEXT_LEASE_NULL;
        const Store *store = manager->store;
        KernelFailure failure;

        if (!manager_wants_next_lease(manager))
                return;

        next.id = manager->last_lease + 1;
        if (manager_save_number(manager, next.id, &failure) < 0 ||
            open_lifeline(&next.lifeline, &next.lifeline_client, &next.lifeline_id) < 0 ||
            store->ops->keep_lifeline(store->userdata, next.id, next.lifeline, &failure) < 0)
                return;

        manager->next = next;
        next = (NextLease) NEXT_LEASE_NULL;
}

void manager_drop_next_lease(Manager *manager) {
        const Store *store = manager->store;

        if (manager->next.id != 0 && store)
                store->ops->drop_lifeline(store->userdata, manager->next.id);
        next_lease_done(&manager->next);
}

void lease_take_next_lifeline(Lease *lease) {
        NextLease *next = &lease->manager->next;

        /* a holder is kept by the same name */
        if (lease->lifeline_is_pidfd || next->id != lease->id) {
                manager_drop_next_lease(lease->manager);
                return;
        }

        lease->lifeline = TAKE_FD(next->lifeline);
        lease->lifeline_client = TAKE_FD(next->lifeline_client);
        lease->lifeline_id = next->lifeline_id;
        lease->lifeline_kept = true;
        next->id = 0;
}

int lease_open_lifeline(Lease *lease) {
        if (lease->lifeline >= 0)
                return 0;

        return open_lifeline(&lease->lifeline, &lease->lifeline_client, &lease->lifeline_id);
}
