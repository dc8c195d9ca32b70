/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The Store port on this host: a file for each lease and each claim in the state directory, one for what is
 * in quarantine and one for the last number of a lease (sys/state-file.h), one for what groups were approved
 * with in the lasting directory, and lifelines and other descriptors in the service manager's store.
 */

#include "core/store.h"
#include "sys/fd-store.h"

/* Borrowed: all of it stays open as long as the port is used. */
typedef struct StateStore {
        int dir;                             /* /run/iommud */
        int lasting;                         /* /var/lib/iommud, which outlasts this boot; -EBADF: none */
        int manager;                         /* of fd_store_connect(); negative: none */
} StateStore;

#define STATE_STORE_NULL { .dir = -EBADF, .lasting = -EBADF, .manager = -EBADF }

/* The port; it borrows @store. */
Store state_store_port(StateStore *store);

/*
 * Reads back what is in quarantine, the last number of a lease and all leases that are on file, into
 * @manager, and goes on with them (manager_adopt_leases()), with their lifelines from @stored,
 * and likewise with all claims; then those are claimed that are to be when the host starts. A file that
 * is damaged, or not one of ours, is set aside under another name and reported; nothing in it is trusted.
 * Returns 0, or a negative errno when the directory itself can't be read.
 */
int state_store_load(
        StateStore *store, StoredFds *stored, Manager *manager, ChangeSet *changes) _must_check_;
