/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>

#include "wait.h"

int client_poll_timeout(iommud_client *client) {
        struct timespec now;
        uint64_t usec, now_usec;

        if (iommud_get_timeout(client, &usec) < 0)
                return 0;
        if (usec == UINT64_MAX)
                return -1;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);           /* can't fail for this clock */
        now_usec = (uint64_t) now.tv_sec * UINT64_C(1000000) + (uint64_t) now.tv_nsec / 1000;
        if (usec <= now_usec)
                return 0;

        usec = (usec - now_usec + 999) / 1000;
        return usec > 60000 ? 60000 : (int) usec;
}

int signals_open(void) {
        sigset_t mask;
        int fd;

        if (sigemptyset(&mask) < 0 || sigaddset(&mask, SIGINT) < 0 || sigaddset(&mask, SIGTERM) < 0 ||
            sigaddset(&mask, SIGHUP) < 0 || sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;

        fd = signalfd(-1, &mask, SFD_CLOEXEC);
        return fd < 0 ? -errno : fd;
}
