/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * For answers of the kernel that are over in a moment, such as that another task has the lock of a device.
 * There is no event to wait for. Only the slow verbs do this, which run in processes of their own.
 */

#include <stdbool.h>
#include <time.h>

#include "base/macro.h"

/* 20 times 50 ms */
#define RETRY_TIMES 20
#define RETRY_PAUSE_NSEC (50 * 1000 * 1000)

typedef struct Retry {
        unsigned left;
} Retry;

#define RETRY_INIT { .left = RETRY_TIMES }

/* Waits a moment and returns true, or false when it was tried often enough. */
static inline bool retry_again(Retry *retry) {
        const struct timespec pause = { .tv_nsec = RETRY_PAUSE_NSEC };

        if (retry->left == 0)
                return false;

        retry->left--;
        (void) nanosleep(&pause, NULL);      /* a signal makes it shorter, no harm */
        return true;
}
