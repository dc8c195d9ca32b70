/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "config/file.h"

static int check_trusted(const struct stat *st, const char *path, ConfigError *reterr) {
        if (st->st_uid != 0 && st->st_uid != geteuid())
                return config_error_set(reterr, -EPERM, path,
                                        "it belongs to user %u, not to root; chown root: '%s'", st->st_uid,
                                        path);

        if (st->st_mode & (S_IWGRP | S_IWOTH))
                return config_error_set(reterr, -EPERM, path,
                                        "it can be written by others than root; chmod go-w '%s'", path);

        return 0;
}

/* Who can write the directory above can put another one in its place, unless that one is sticky. */
static int check_parent(int dir, const char *path, ConfigError *reterr) {
        struct stat st;

        if (fstatat(dir, "..", &st, /* flags= */ 0) < 0)
                return config_error_set(reterr, -errno, path, "can't stat the directory above: %s",
                                        strerror(errno));

        if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
            (st.st_mode & (S_IWGRP | S_IWOTH) && !(st.st_mode & S_ISVTX)))
                return config_error_set(reterr, -EPERM, path,
                                        "others than root can put another directory in its place; "
                                        "chown root: '%s/..', chmod go-w '%s/..'", path, path);

        return 0;
}

int config_dir_open(const char *path, ConfigError *reterr) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT)
                return -ENOENT;
        if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
                return config_error_set(reterr, -errno, path, "it is no directory; links are not followed");
        if (fd < 0)
                return config_error_set(reterr, -errno, path, "can't open the directory: %s",
                                        strerror(errno));

        if (fstat(fd, &st) < 0)
                return config_error_set(reterr, -errno, path, "can't stat the directory: %s",
                                        strerror(errno));

        r = check_trusted(&st, path, reterr);
        if (r < 0)
                return r;

        r = check_parent(fd, path, reterr);
        if (r < 0)
                return r;

        return TAKE_FD(fd);
}

static bool is_link_to_null(int dir, const char *name) {
        static const char null[] = "/dev/null";
        char target[sizeof(null)];           /* longer ones are cut to something that is not equal */
        ssize_t n;

        n = readlinkat(dir, name, target, sizeof(target));
        return n == sizeof(null) - 1 && memcmp(target, null, sizeof(null) - 1) == 0;
}

static int file_open(int dir, const char *name, const char *path, struct stat *ret, ConfigError *reterr) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        /* A FIFO must not keep us waiting for its writer */
        fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 && errno == ELOOP)
                return config_error_set(reterr, -ELOOP, path,
                                        "it is a link, and not one to /dev/null; put a file in its place");
        if (fd < 0)
                return config_error_set(reterr, -errno, path, "can't open the file: %s", strerror(errno));

        if (fstat(fd, ret) < 0)
                return config_error_set(reterr, -errno, path, "can't stat the file: %s", strerror(errno));
        if (!S_ISREG(ret->st_mode))
                return config_error_set(reterr, -EBADF, path, "it is no regular file; remove it");

        r = check_trusted(ret, path, reterr);
        if (r < 0)
                return r;

        return TAKE_FD(fd);
}

/* Reads up to @size bytes: fewer only at the end of the file. */
static ssize_t read_full(int fd, char *buffer, size_t size) {
        size_t n = 0;

        while (n < size) {
                ssize_t l;

                l = read(fd, buffer + n, size - n);
                if (l < 0 && errno == EINTR)
                        continue;
                if (l < 0)
                        return -errno;
                if (l == 0)
                        break;
                n += (size_t) l;
        }

        return (ssize_t) n;
}

/* Reads all of what is open as @fd; negative: there is nothing. */
static int read_open(int fd, const struct stat *st, const char *path, size_t max, char **ret,
                     size_t *ret_size, ConfigError *reterr) {
        _cleanup_free_ char *buffer = NULL;
        ssize_t n = 0;

        if ((uintmax_t) st->st_size > max)
                return config_error_set(reterr, -EFBIG, path, "it is larger than %zu bytes; split it", max);

        /* One more than there is, to see that there is no more; and malloc(0) may return NULL */
        buffer = malloc((size_t) st->st_size + 1);
        if (!buffer)
                return -ENOMEM;

        if (fd >= 0)
                n = read_full(fd, buffer, (size_t) st->st_size + 1);
        if (n < 0)
                return config_error_set(reterr, (int) n, path, "can't read the file: %s",
                                        strerror((int) -n));
        if (n != st->st_size)
                return config_error_set(reterr, -EAGAIN, path,
                                        "it changed while it was read; reload once it is complete");

        *ret = TAKE_PTR(buffer);
        *ret_size = (size_t) n;
        return 0;
}

int config_file_read(int dir, const char *path, size_t max, char **ret, size_t *ret_size,
                     ConfigError *reterr) {
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        _cleanup_close_ int fd = -EBADF;
        struct stat st = {};

        if (!is_link_to_null(dir, name)) {
                fd = file_open(dir, name, path, &st, reterr);
                if (fd < 0)
                        return fd;
        }

        return read_open(fd, &st, path, max, ret, ret_size, reterr);
}

int config_draft_read(const char *path, size_t max, char **ret, size_t *ret_size, ConfigError *reterr) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return config_error_set(reterr, -errno, path, "can't open the file: %s", strerror(errno));
        if (fstat(fd, &st) < 0)
                return config_error_set(reterr, -errno, path, "can't stat the file: %s", strerror(errno));
        if (!S_ISREG(st.st_mode))
                return config_error_set(reterr, -EBADF, path, "it is no regular file");

        return read_open(fd, &st, path, max, ret, ret_size, reterr);
}
