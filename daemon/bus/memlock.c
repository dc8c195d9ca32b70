/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/pidfd.h"
#include "bus/memlock.h"

#define CAPABILITY_IPC_LOCK 14

/* The value behind @key in a file of "Key:  value  …" lines, up to white space, into @text itself. */
static char *find_value(char *text, const char *key) {
        char *value;

        value = strstr(text, key);
        if (!value)
                return NULL;

        value += strlen(key);
        value += strspn(value, " \t");
        value[strcspn(value, " \t\n")] = '\0';
        return value;
}

/* "Max locked memory         8388608              8388608              bytes", the soft limit first. */
static int read_limit(pid_t pid, uint64_t *ret) {
        char path[32], text[4096], *value;
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%d/limits", (int) pid);
        n = read_text_at(AT_FDCWD, path, text, sizeof(text));
        if (n < 0)
                return (int) n;

        value = find_value(text, "Max locked memory");
        if (!value)
                return -EBADMSG;
        if (strcmp(value, "unlimited") == 0) {
                *ret = UINT64_MAX;
                return 0;
        }

        return parse_u64(value, ret);
}

/* Whoever may lock any amount in our own user namespace is not counted at all. */
static bool is_exempt(pid_t pid) {
        char path[32], text[8192], *value;
        struct stat ours, theirs;
        uint32_t low;

        snprintf(path, sizeof(path), "/proc/%d/ns/user", (int) pid);
        if (stat(path, &theirs) < 0 || stat("/proc/self/ns/user", &ours) < 0 ||
            ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino)
                return false;

        snprintf(path, sizeof(path), "/proc/%d/status", (int) pid);
        if (read_text_at(AT_FDCWD, path, text, sizeof(text)) < 0)
                return false;

        /* 16 hexadecimal digits; the capability is among the lower 32 */
        value = find_value(text, "\nCapEff:");
        return value && strlen(value) == 16 && parse_hex_digits(value + 8, 8, &low) >= 0 &&
               (low & UINT32_C(1) << CAPABILITY_IPC_LOCK);
}

void memlock_read(int pidfd, Memlock *ret) {
        struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
        Memlock memlock = {};

        *ret = memlock;
        if (pidfd_get_pid(pidfd, &memlock.pid) < 0 || read_limit(memlock.pid, &memlock.limit) < 0)
                return;
        if (is_exempt(memlock.pid))
                memlock.limit = UINT64_MAX;

        /* Still running now means that the number was that process's all the while. */
        if (poll(&poll_fd, 1, 0) != 0)
                return;

        memlock.known = true;
        *ret = memlock;
}
