/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/ioctl.h>

#include "base/fault.h"
#include "base/macro.h"

/* ioctl(2), once more when a signal came in between. Returns what it does, or a negative errno. */
static inline int ioctl_retry(int fd, unsigned long request, void *argument) {
        int r;

        r = fault_point();
        if (r < 0)
                return r;

        do
                r = ioctl(fd, request, argument);
        while (r < 0 && errno == EINTR);

        return r < 0 ? -errno : r;
}
