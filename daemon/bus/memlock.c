/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
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

/* Running now: a number that was read before is that process's, and was all the while. */
static bool is_running(int pidfd) {
        struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

        return poll(&poll_fd, 1, 0) == 0;
}

void memlock_read(int pidfd, Memlock *ret) {
        Memlock memlock = {};

        *ret = memlock;
        if (pidfd_get_pid(pidfd, &memlock.pid) < 0 || read_limit(memlock.pid, &memlock.limit) < 0)
                return;
        if (is_exempt(memlock.pid))
                memlock.limit = UINT64_MAX;

        if (!is_running(pidfd))
                return;

        memlock.known = true;
        *ret = memlock;
}

/* "Uid:  1000  1000  1000  1000": real, effective, saved, and of the file system. */
static int check_owner(pid_t pid, uid_t owner) {
        char path[32], text[8192], *value, *end;

        if (owner == (uid_t) -1)
                return 0;

        snprintf(path, sizeof(path), "/proc/%d/status", (int) pid);
        if (read_text_at(AT_FDCWD, path, text, sizeof(text)) < 0)
                return -ESRCH;

        value = strstr(text, "\nUid:");
        if (!value)
                return -EBADMSG;
        value += strlen("\nUid:");
        value[strcspn(value, "\n")] = '\0';

        for (unsigned i = 0; i < 4; i++, value = end) {
                uint32_t uid;

                value += strspn(value, " \t");
                end = value + strcspn(value, " \t");
                if (*end)
                        *end++ = '\0';
                if (parse_u32(value, &uid) < 0)
                        return -EBADMSG;
                if (uid != owner)
                        return -EPERM;
        }

        return 0;
}

static uint64_t bytes_of_limit(rlim_t limit) {
        return limit == RLIM_INFINITY ? UINT64_MAX : limit;
}

int memlock_raise(int pidfd, uid_t owner, uint64_t bytes, Memlock *ret_before) {
        const rlim_t wanted = bytes == UINT64_MAX ? RLIM_INFINITY : bytes;
        struct rlimit limit, old;
        pid_t pid;
        int r;

        r = pidfd_get_pid(pidfd, &pid);
        if (r < 0)
                return r;

        r = check_owner(pid, owner);
        if (r < 0)
                return r;

        if (prlimit(pid, RLIMIT_MEMLOCK, /* new_limit= */ NULL, &limit) < 0)
                return -errno;
        if (!is_running(pidfd))
                return -ESRCH;

        *ret_before = (Memlock) { true, bytes_of_limit(limit.rlim_cur), pid };
        if (ret_before->limit >= bytes)
                return 0;

        limit.rlim_cur = wanted;
        if (limit.rlim_max < wanted)
                limit.rlim_max = wanted;
        if (prlimit(pid, RLIMIT_MEMLOCK, &limit, &old) < 0)
                return -errno;
        if (is_running(pidfd))
                return 1;

        (void) prlimit(pid, RLIMIT_MEMLOCK, &old, /* old_limit= */ NULL);      /* if it is anybody's */
        return -ESRCH;
}
