/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fd.h"

int close_fd(int fd) {
        if (fd >= 0) {
                int saved = errno, r;

                r = close(fd);
                assert(r == 0 || errno != EBADF);
                errno = saved;
        }

        return -EBADF;
}

int fd_dup(int fd) {
        int copy;

        copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return copy < 0 ? -errno : copy;
}

static ssize_t read_retry(int fd, char *buffer, size_t size) {
        ssize_t n;

        do
                n = read(fd, buffer, size);
        while (n < 0 && errno == EINTR);

        return n < 0 ? -errno : n;
}

/* Up to the end, or to the end of the buffer. */
static ssize_t read_all(int fd, char *buffer, size_t size) {
        size_t n = 0;

        while (n < size) {
                ssize_t l;

                l = read_retry(fd, buffer + n, size - n);
                if (l < 0)
                        return l;
                if (l == 0)
                        break;
                n += (size_t) l;
        }

        return (ssize_t) n;
}

static ssize_t read_text(int dir, const char *path, char *buffer, size_t size,
                         ssize_t (*func)(int fd, char *buffer, size_t size)) {
        _cleanup_close_ int fd = -EBADF;
        ssize_t n;

        assert(size > 0);
        buffer[0] = '\0';

        fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;

        n = func(fd, buffer, size);
        if (n < 0 || (size_t) n == size) {
                buffer[0] = '\0';
                return n < 0 ? n : -E2BIG;
        }

        while (n > 0 && buffer[n - 1] == '\n')
                n--;
        buffer[n] = '\0';
        return n;
}

ssize_t read_text_at(int dir, const char *path, char *buffer, size_t size) {
        return read_text(dir, path, buffer, size, read_retry);
}

ssize_t read_text_all_at(int dir, const char *path, char *buffer, size_t size) {
        return read_text(dir, path, buffer, size, read_all);
}

int write_text_at(int dir, const char *path, const char *text) {
        _cleanup_close_ int fd = -EBADF;
        size_t length = strlen(text);
        ssize_t n;
        int r;

        r = fault_point();
        if (r < 0)
                return r;

        fd = openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;

        do
                n = write(fd, text, length);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        return (size_t) n == length ? 0 : -EIO;
}

static int readlink_string_at(int dir, const char *path, char target[static PATH_MAX]) {
        ssize_t n;

        n = readlinkat(dir, path, target, PATH_MAX - 1);
        if (n < 0)
                return -errno;

        target[n] = '\0';
        return 0;
}

int readlink_name_at(int dir, const char *path, char *buffer, size_t size) {
        char target[PATH_MAX];
        const char *name;
        int r;

        r = readlink_string_at(dir, path, target);
        if (r < 0)
                return r;

        name = strrchr(target, '/');
        name = name ? name + 1 : target;
        if (strlen(name) >= size)
                return -E2BIG;

        strcpy(buffer, name);
        return 0;
}

int readlink_syspath_at(int dir, const char *path, char *buffer, size_t size) {
        char target[PATH_MAX];
        const char *syspath = target;
        int r;

        r = readlink_string_at(dir, path, target);
        if (r < 0)
                return r;

        /* they all go up to the root of sysfs first */
        while (strncmp(syspath, "../", 3) == 0)
                syspath += 3;
        if (syspath == target || strncmp(syspath, "devices/", 8) != 0)
                return -EXDEV;
        if (strlen(syspath) >= size)
                return -E2BIG;

        strcpy(buffer, syspath);
        return 0;
}
