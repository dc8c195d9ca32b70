/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/parse.h"
#include "sys/block-use.h"
#include "sys/host-block.h"

/* More layers of devices made of devices than anybody has, and an end to circles that can't be. */
#define LAYERS_MAX 16

#define NVME_SUBSYSTEM_DIR "devices/virtual/nvme-subsystem"

typedef struct Search {
        const LocalHost *host;
        char device[PATH_MAX];               /* below sysfs: "devices/pci0000:00/0000:00:04.0" */
        char *use;                           /* the caller's */
        size_t size;
} Search;

/*
 * Where a link of the kernel's points to, below sysfs: all of them begin with as many "../" as lead there.
 */
static int resolve(const LocalHost *host, const char *link, char *ret) {
        char target[PATH_MAX];
        const char *path = target;
        ssize_t n;

        n = readlinkat(host->sysfs, link, target, sizeof(target) - 1);
        if (n < 0)
                return -errno;
        target[n] = '\0';

        while (strncmp(path, "../", 3) == 0)
                path += 3;
        return copy_string(ret, PATH_MAX, path);
}

static bool path_is_below(const char *path, const char *dir) {
        size_t length = strlen(dir);

        return strncmp(path, dir, length) == 0 && path[length] == '/';
}

/* Whether the link @class/@name leads to something that the device has made. */
static int link_is_below(const Search *search, const char *class, const char *name) {
        char link[128], path[PATH_MAX];
        int r;

        if ((size_t) snprintf(link, sizeof(link), "class/%s/%s", class, name) >= sizeof(link))
                return -ENAMETOOLONG;

        r = resolve(search->host, link, path);
        if (r < 0)
                return r == -ENOENT ? 0 : r;         /* gone meanwhile */
        return path_is_below(path, search->device);
}

/* A namespace with many paths hangs below its subsystem. All controllers of that are paths to it. */
static int nvme_subsystem_is_below(const Search *search, const char *block) {
        _cleanup_dir_ DIR *dir = NULL;
        char path[PATH_MAX], link[128];
        const char *name;
        uint32_t number;
        int r;

        snprintf(link, sizeof(link), "class/block/%.64s", block);
        r = resolve(search->host, link, path);
        if (r < 0 || !path_is_below(path, NVME_SUBSYSTEM_DIR))
                return 0;

        path[strcspn(path + strlen(NVME_SUBSYSTEM_DIR "/"), "/") + strlen(NVME_SUBSYSTEM_DIR "/")] = '\0';
        r = dir_open_at(search->host->sysfs, path, &dir);
        if (r < 0)
                return r;

        while ((r = dir_next(dir, &name)) == DIR_ENTRY) {
                if (strncmp(name, "nvme", 4) != 0 || parse_u32(name + 4, &number) < 0)
                        continue;
                r = link_is_below(search, "nvme", name);
                if (r != 0)
                        return r;
        }

        return r;
}

static int block_is_below(const Search *search, const char *block, unsigned layer, char *ret_leaf);

/* What the block device is made of. A partition is made of what the disk is made of. */
static int slaves_are_below(const Search *search, const char *block, unsigned layer, char *ret_leaf) {
        _cleanup_dir_ DIR *slaves = NULL;
        char path[128];
        const char *name;
        int r;

        snprintf(path, sizeof(path), "class/block/%.64s/partition", block);
        if (faccessat(search->host->sysfs, path, F_OK, 0) >= 0)
                snprintf(path, sizeof(path), "class/block/%.64s/../slaves", block);
        else
                snprintf(path, sizeof(path), "class/block/%.64s/slaves", block);

        r = dir_open_at(search->host->sysfs, path, &slaves);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

        while ((r = dir_next(slaves, &name)) == DIR_ENTRY) {
                r = block_is_below(search, name, layer + 1, ret_leaf);
                if (r != 0)
                        return r;
        }

        return r;
}

/*
 * Returns 1 and the part of it that is the device's, 0, or a negative errno. @ret_leaf is of NAME_MAX + 1
 * bytes.
 */
static int block_is_below(const Search *search, const char *block, unsigned layer, char *ret_leaf) {
        int r;

        if (layer >= LAYERS_MAX)
                return -ELOOP;

        r = link_is_below(search, "block", block);
        if (r == 0)
                r = nvme_subsystem_is_below(search, block);
        if (r > 0)
                return copy_string(ret_leaf, NAME_MAX + 1, block) < 0 ? -ENAMETOOLONG : 1;
        if (r < 0)
                return r;

        return slaves_are_below(search, block, layer, ret_leaf);
}

static int on_use(const char *what, const char *block, void *userdata) {
        const Search *search = userdata;
        char leaf[NAME_MAX + 1];
        int r;

        r = block_is_below(search, block, /* layer= */ 0, leaf);
        if (r <= 0)
                return r;

        snprintf(search->use, search->size, "%s is on %s", what, leaf);
        return HOST_USE_FOUND;
}

/* Whether the device has made any block device at all. */
static int has_block(const Search *search) {
        _cleanup_dir_ DIR *dir = NULL;
        char leaf[NAME_MAX + 1];
        const char *name;
        int r;

        r = dir_open_at(search->host->sysfs, "class/block", &dir);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

        while ((r = dir_next(dir, &name)) == DIR_ENTRY) {
                r = block_is_below(search, name, /* layer= */ 0, leaf);
                if (r != 0)
                        return r;
        }

        return r;
}

int host_block_in_use(const LocalHost *host, const char *subsystem, const char *name, char *ret_use,
                      size_t size) {
        Search search = { .host = host, .use = ret_use, .size = size };
        bool opaque = false;
        char link[128];
        int r;

        if ((size_t) snprintf(link, sizeof(link), "bus/%s/devices/%s", subsystem, name) >= sizeof(link))
                return -ENAMETOOLONG;

        r = resolve(host, link, search.device);
        if (r < 0)
                return r == -ENOENT ? -ENODEV : r;

        r = block_use_find(host, on_use, &search, &opaque);
        if (r != 0)
                return r;
        if (!opaque)
                return _HOST_USE_NONE;

        /* something is mounted from disks that nobody names, and here are disks */
        r = has_block(&search);
        if (r < 0)
                return r;
        return r > 0 ? -EOPNOTSUPP : _HOST_USE_NONE;
}
