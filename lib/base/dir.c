/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <stdlib.h>

#include "base/dir.h"

struct Dir {
        int fd;                              /* owned */
        size_t next, end;                    /* of the entries that were read, in bytes */
        _Alignas(struct dirent64) char entries[8192];
};

int dir_open_at(int dir, const char *path, Dir **ret) {
        _cleanup_close_ int fd = -EBADF;
        Dir *opened;

        fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        opened = malloc(sizeof(*opened));
        if (!opened)
                return -ENOMEM;

        opened->fd = TAKE_FD(fd);
        opened->next = opened->end = 0;
        *ret = opened;
        return 0;
}

Dir *dir_free(Dir *dir) {
        if (!dir)
                return NULL;

        close_fd(dir->fd);
        free(dir);
        return NULL;
}

int dir_fd(const Dir *dir) {
        return dir->fd;
}

int dir_next(Dir *dir, const char **ret_name) {
        const struct dirent64 *entry;

        do {
                if (dir->next == dir->end) {
                        ssize_t n;

                        n = getdents64(dir->fd, dir->entries, sizeof(dir->entries));
                        if (n < 0 && errno != ENOENT)
                                return -errno;
                        if (n <= 0)
                                return _DIR_END;
                        dir->next = 0;
                        dir->end = (size_t) n;
                }

                entry = (const struct dirent64 *) (const void *) (dir->entries + dir->next);
                dir->next += entry->d_reclen;
        } while (entry->d_name[0] == '.');

        *ret_name = entry->d_name;
        return DIR_ENTRY;
}
