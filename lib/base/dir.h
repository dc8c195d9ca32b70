/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reading directories.
 */

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"

static inline void dir_closep(DIR **dir) {
        if (*dir)
                (void) closedir(*dir);       /* nothing was written */
}

#define _cleanup_dir_ _cleanup_(dir_closep)

/* Opens the directory @path below @dir. Returns 0 and *ret (caller owns), or a negative errno. */
static inline int dir_open_at(int dir, const char *path, DIR **ret) {
        _cleanup_close_ int fd = -EBADF;
        DIR *opened;

        fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        opened = fdopendir(fd);
        if (!opened)
                return -errno;

        (void) TAKE_FD(fd);
        *ret = opened;
        return 0;
}

/* Outcomes of dir_next(). */
enum {
        _DIR_END,
        DIR_ENTRY,
};

/* The next entry whose name does not begin with a dot. *ret_name is borrowed until the next call. */
static inline int dir_next(DIR *dir, const char **ret_name) {
        struct dirent *entry;

        do {
                errno = 0;
                entry = readdir(dir);
                if (!entry)
                        return errno > 0 ? -errno : _DIR_END;
        } while (entry->d_name[0] == '.');

        *ret_name = entry->d_name;
        return DIR_ENTRY;
}
