/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The service manager's store of file descriptors: what is put there comes back after a restart, a crash or
 * an upgrade (systemd.service(5), FileDescriptorStoreMax=). What comes back is only called what its name
 * says; whoever takes it has to prove it.
 */

#include <stdbool.h>

#include "base/macro.h"

/*
 * A socket to the service manager, which is the caller's, for all that is put into the store. -ENOTCONN:
 * there is none that could be reached in this way.
 */
int fd_store_connect(void);

/*
 * Puts a duplicate of @fd into the store, under a @name without colon: over @socket, or one made for it when
 * that is negative or not connected any more. Returns 1 when it was handed over; 0 when there is no service
 * manager to keep it; a negative errno. The message is in the manager's socket when this returns, with the
 * descriptor in it, so that our end does not lose it.
 */
int fd_store_put(int socket, const char *name, int fd) _must_check_;

/*
 * Removes all of that name from the store. The service manager closes them when it comes to that, and waits
 * for it: a device that is bound must not be closed by nobody else then, see fd_store_wait().
 */
void fd_store_remove(const char *name);

/*
 * Waits until all that was said to the service manager before, by this process and its parent, has been
 * heard and acted on. For child processes only.
 */
void fd_store_wait(void);

/* The descriptors that came back, with their names. */
typedef struct StoredFds {
        int *fds;                            /* owned, those that were taken are -EBADF */
        char **names;                        /* owned */
        bool *stray;                         /* nobody knew it; owned */
        unsigned n;
} StoredFds;

/* Collects what came back at start. To be called once. Returns 0 or a negative errno. */
int stored_fds_receive(StoredFds *ret) _must_check_;

/* Hands out the one of that name, which is the caller's from then on; -EBADF: none came back. */
int stored_fds_take(StoredFds *stored, const char *name);

/*
 * One that nobody has taken, which is the caller's from then on, with its name, borrowed: it is out of the
 * store, unless another one of that name was taken. -EBADF: there is none left. Whoever closes it waits, if
 * it is a device; so do not do it here.
 */
int stored_fds_take_any(StoredFds *stored, const char **ret_name);

/*
 * Closes what nobody has taken. It stays in the store, so that nothing ends with this, and comes back at
 * the next start.
 */
void stored_fds_done(StoredFds *stored);
