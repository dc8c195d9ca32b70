/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A child process that does nothing but live until it is told to end, and the descriptor that stands for it.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/macro.h"

typedef struct Child {
        pid_t pid;
        int pidfd;                           /* owned */
        int keep;                            /* it lives as long as this is open; owned */
} Child;

#define CHILD_INIT { .pidfd = -EBADF, .keep = -EBADF }

/*
 * Starts one in namespaces of its own, @flags as for unshare(2). False: that can't be done here, and why has
 * been said: not every host lets namespaces be made, and not every emulation knows pidfd_open(2).
 */
bool child_start(Child *child, int flags);

/* Ends it, and waits until it has ended. Its descriptor stays. */
void child_end(Child *child);

void child_done(Child *child);
