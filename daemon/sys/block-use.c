/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/parse.h"
#include "sys/block-use.h"

#define BLOCK_NAME_MAX 64

typedef struct Search {
        const LocalHost *host;
        BlockUseFunc func;
        void *userdata;
        bool opaque;
} Search;

static bool block_exists(const Search *search, const char *name) {
        char path[BLOCK_NAME_MAX + 16];

        return name[0] != '\0' && name[0] != '.' &&
               (size_t) snprintf(path, sizeof(path), "class/block/%s", name) < sizeof(path) &&
               faccessat(search->host->sysfs, path, F_OK, 0) >= 0;
}

/* A device by its path, "/dev/nvme0n1p2". One that isn't a block device's is no use of one. */
static int report_path(const Search *search, const char *what, const char *path) {
        const char *name = strrchr(path, '/');

        name = name ? name + 1 : path;
        return block_exists(search, name) ? search->func(what, name, search->userdata) : 0;
}

/* A device by its number, "259:2". */
static int report_number(const Search *search, const char *what, const char *number) {
        char path[64], name[BLOCK_NAME_MAX];
        int r;

        if ((size_t) snprintf(path, sizeof(path), "dev/block/%s", number) >= sizeof(path))
                return -EBADMSG;

        r = readlink_name_at(search->host->sysfs, path, name, sizeof(name));
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        return search->func(what, name, search->userdata);
}

/*
 * File systems on more than one device have a number that is none of theirs. The source names one device, or
 * all of them with colons in between, or a pool that only the file system itself knows the devices of.
 */
static int report_sources(Search *search, const char *what, const char *type, char *source) {
        char *next = source;
        int r;

        if (strcmp(type, "zfs") == 0)
                search->opaque = true;
        if (strncmp(source, "/dev/", 5) != 0)
                return 0;

        while (next) {
                char *path = next;

                next = strchr(path, ':');
                if (next)
                        *next++ = '\0';
                r = report_path(search, what, path);
                if (r != 0)
                        return r;
        }

        return 0;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue", see proc(5). */
static int parse_mount(Search *search, char *line) {
        char *field[5], *rest = line, *type, *source;

        for (size_t i = 0; i < ELEMENTSOF(field); i++) {
                field[i] = strsep(&rest, " ");
                if (!rest)
                        return -EBADMSG;
        }

        rest = strstr(rest, " - ");
        if (!rest)
                return -EBADMSG;
        rest += strlen(" - ");
        type = strsep(&rest, " ");
        source = strsep(&rest, " ");
        if (!source)
                return -EBADMSG;

        if (strncmp(field[2], "0:", 2) == 0)
                return report_sources(search, field[4], type, source);
        return report_number(search, field[4], field[2]);
}

/* "/dev/nvme0n1p3  partition  8388604  0  -2". A file is on a file system that is mounted. */
static int parse_swap(Search *search, char *line) {
        char *path = strsep(&line, " \t");

        return path[0] == '/' ? report_path(search, "swap", path) : 0;
}

static int read_lines(Search *search, const char *path, int (*parse)(Search *search, char *line)) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *line = NULL;
        size_t size = 0;
        ssize_t n;
        FILE *file;
        int r = 0;

        fd = openat(search->host->proc, path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        file = fdopen(fd, "r");
        if (!file)
                return -errno;
        (void) TAKE_FD(fd);

        while (r == 0 && (n = getline(&line, &size, file)) >= 0) {
                if (n > 0 && line[n - 1] == '\n')
                        line[n - 1] = '\0';
                r = parse(search, line);
        }
        if (r == 0 && ferror(file))
                r = -EIO;

        (void) fclose(file);                 /* nothing was written */
        return r;
}

/* Those of this process and of the first one; a service can have a view of its own. */
static int find_mounts(Search *search) {
        int r;

        r = read_lines(search, "self/mountinfo", parse_mount);
        if (r != 0)
                return r;

        r = read_lines(search, "1/mountinfo", parse_mount);
        return r == -ENOENT || r == -EACCES ? 0 : r;
}

static int find_swaps(Search *search) {
        int r;

        r = read_lines(search, "swaps", parse_swap);
        return r == -ENOENT ? 0 : r;         /* a kernel without */
}

/*
 * Directories below fs/TYPE named after the device of each mounted file system, in whatever mount namespace,
 * and below fs/btrfs/UUID/devices.
 */
static int find_in_directory(Search *search, const char *what, const char *path) {
        _cleanup_dir_ Dir *dir = NULL;
        const char *name;
        int r;

        r = dir_open_at(search->host->sysfs, path, &dir);
        if (r < 0)
                return r == -ENOENT || r == -ENOTDIR ? 0 : r;

        while ((r = dir_next(dir, &name)) == DIR_ENTRY) {
                r = report_path(search, what, name);
                if (r != 0)
                        return r;
        }

        return r;
}

static int find_btrfs(Search *search) {
        _cleanup_dir_ Dir *dir = NULL;
        const char *name;
        char path[128];
        int r;

        r = dir_open_at(search->host->sysfs, "fs/btrfs", &dir);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

        while ((r = dir_next(dir, &name)) == DIR_ENTRY) {
                if ((size_t) snprintf(path, sizeof(path), "fs/btrfs/%s/devices", name) >= sizeof(path))
                        continue;
                r = find_in_directory(search, "btrfs", path);
                if (r != 0)
                        return r;
        }

        return r;
}

static int find_file_systems(Search *search) {
        static const char *const types[] = { "ext4", "xfs", "f2fs" };
        char path[32];
        int r;

        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                snprintf(path, sizeof(path), "fs/%s", types[i]);
                r = find_in_directory(search, types[i], path);
                if (r != 0)
                        return r;
        }

        return find_btrfs(search);
}

/* A file that is behind a loop device is on a file system, which is found by itself. */
int block_loop_backing(const LocalHost *host, const char *block, char *ret, size_t size) {
        char path[BLOCK_NAME_MAX + 40], file[PATH_MAX + 1], *name;
        ssize_t n;

        if ((size_t) snprintf(path, sizeof(path), "class/block/%s/loop/backing_file", block) >= sizeof(path))
                return 0;                    /* it has a short name */

        n = read_text_at(host->sysfs, path, file, sizeof(file));
        if (n < 0)
                return n == -ENOENT || n == -ENOTDIR ? 0 : (int) n;
        if (strncmp(file, "/dev/", 5) != 0)
                return 0;

        name = strrchr(file, '/') + 1;
        return copy_string(ret, size, name) < 0 ? -ENAMETOOLONG : 1;
}

static int report_loop(const Search *search, const char *loop) {
        char backing[BLOCK_NAME_MAX];
        int r;

        r = block_loop_backing(search->host, loop, backing, sizeof(backing));
        return r > 0 ? report_path(search, loop, backing) : r;
}

/*
 * Devices that are made of others, mounted or not: device mapper, RAID, bcache, loop. They would not survive
 * the loss.
 */
static int find_stacked(Search *search) {
        _cleanup_dir_ Dir *dir = NULL;
        const char *name;
        int r;

        r = dir_open_at(search->host->sysfs, "class/block", &dir);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

        while ((r = dir_next(dir, &name)) == DIR_ENTRY) {
                char path[BLOCK_NAME_MAX + 32];

                if ((size_t) snprintf(path, sizeof(path), "class/block/%s/slaves", name) >= sizeof(path))
                        continue;
                r = find_in_directory(search, name, path);
                if (r == 0)
                        r = report_loop(search, name);
                if (r != 0)
                        return r;
        }

        return r;
}

int block_use_find(const LocalHost *host, BlockUseFunc func, void *userdata, bool *ret_opaque) {
        static int (*const finds[])(Search *) = { find_mounts, find_swaps, find_file_systems, find_stacked };
        Search search = { .host = host, .func = func, .userdata = userdata };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(finds); i++) {
                r = finds[i](&search);
                if (r != 0)
                        return r;
        }

        *ret_opaque = search.opaque;
        return 0;
}
