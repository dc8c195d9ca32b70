/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include "base/fd-pass.h"
#include "base/fd.h"
#include "base/parse.h"
#include "sys/fd-store.h"

int fd_store_connect(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const char *path = getenv("NOTIFY_SOCKET");
        _cleanup_close_ int fd = -EBADF;

        /* in the file system: libsystemd knows all the other ways, and is asked to then */
        if (!path || path[0] != '/' || copy_string(address.sun_path, sizeof(address.sun_path), path) < 0)
                return -ENOTCONN;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -ENOTCONN;

        return TAKE_FD(fd);
}

int fd_store_put(int socket, const char *name, int fd) {
        char state[320];
        int n;

        /*
         * No FDPOLL: a lifeline that hangs up while we are away may go, and its lease is ended when we are
         * back.
         */
        n = snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s", name);
        if (n < 0 || (size_t) n >= sizeof(state))
                return -E2BIG;

        /* libsystemd makes a socket for each message, and sets it up for large ones: eleven system calls */
        if (socket >= 0 && fd_pass_send(socket, state, strlen(state), &fd, 1) >= 0)
                return 1;

        return sd_pid_notify_with_fds(/* pid= */ 0, /* unset_environment= */ false, state, &fd, 1);
}

void fd_store_remove(const char *name) {
        (void) sd_notifyf(/* unset_environment= */ false, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

void fd_store_wait(void) {
        /* Without a service manager there is nothing to wait for; the caller's deadline is this one's. */
        (void) sd_notify_barrier(/* unset_environment= */ false, /* timeout= */ UINT64_MAX);
}

int stored_fds_receive(StoredFds *ret) {
        StoredFds stored = {};
        int n;

        n = sd_listen_fds_with_names(/* unset_environment= */ true, &stored.names);
        if (n < 0)
                return n;

        stored.fds = calloc((size_t) n + 1, sizeof(*stored.fds));
        stored.stray = calloc((size_t) n + 1, sizeof(*stored.stray));
        if (!stored.fds || !stored.stray)
                return -ENOMEM;

        stored.n = (unsigned) n;
        for (int i = 0; i < n; i++)
                /* sd_listen_fds() has made them close-on-exec */
                stored.fds[i] = SD_LISTEN_FDS_START + i;

        *ret = stored;
        return 0;
}

int stored_fds_take(StoredFds *stored, const char *name) {
        for (unsigned i = 0; i < stored->n; i++)
                if (stored->fds[i] >= 0 && strcmp(stored->names[i], name) == 0)
                        return TAKE_FD(stored->fds[i]);

        return -EBADF;
}

static bool was_taken(const StoredFds *stored, const char *name) {
        for (unsigned i = 0; i < stored->n; i++)
                if (stored->fds[i] < 0 && !stored->stray[i] && strcmp(stored->names[i], name) == 0)
                        return true;

        return false;
}

int stored_fds_take_any(StoredFds *stored, const char **ret_name) {
        for (unsigned i = 0; i < stored->n; i++) {
                if (stored->fds[i] < 0)
                        continue;

                /* all of one name go at once */
                if (!was_taken(stored, stored->names[i]))
                        fd_store_remove(stored->names[i]);
                stored->stray[i] = true;
                *ret_name = stored->names[i];
                return TAKE_FD(stored->fds[i]);
        }

        return -EBADF;
}

void stored_fds_done(StoredFds *stored) {
        for (unsigned i = 0; i < stored->n; i++) {
                close_fd(stored->fds[i]);
                free(stored->names[i]);
        }

        free(stored->names);
        free(stored->stray);
        free(stored->fds);
        *stored = (StoredFds) {};
}
