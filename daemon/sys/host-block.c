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

typedef struct Search {
        const HostDevice *device;
        char *use;                           /* the caller's */
        size_t size;
} Search;

static int block_is_below(const Search *search, const char *block, unsigned layer, char *ret_leaf);

/* What a loop device is made of, if that is a block device. */
static int backing_is_below(const Search *search, const char *block, unsigned layer, char *ret_leaf) {
        char backing[64];
        int r;

        r = block_loop_backing(search->device->host, block, backing, sizeof(backing));
        return r > 0 ? block_is_below(search, backing, layer + 1, ret_leaf) : r;
}

/* What the block device is made of. A partition is made of what the disk is made of. */
static int slaves_are_below(const Search *search, const char *block, unsigned layer, char *ret_leaf) {
        _cleanup_dir_ Dir *slaves = NULL;
        char path[128];
        const char *name;
        int r;

        snprintf(path, sizeof(path), "class/block/%.64s/partition", block);
        if (faccessat(search->device->host->sysfs, path, F_OK, 0) >= 0)
                snprintf(path, sizeof(path), "class/block/%.64s/../slaves", block);
        else
                snprintf(path, sizeof(path), "class/block/%.64s/slaves", block);

        r = dir_open_at(search->device->host->sysfs, path, &slaves);
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

        r = host_device_has(search->device, "class/block", block);
        if (r > 0)
                return copy_string(ret_leaf, NAME_MAX + 1, block) < 0 ? -ENAMETOOLONG : 1;
        if (r < 0)
                return r;

        r = backing_is_below(search, block, layer, ret_leaf);
        return r != 0 ? r : slaves_are_below(search, block, layer, ret_leaf);
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
        _cleanup_dir_ Dir *dir = NULL;
        char leaf[NAME_MAX + 1];
        const char *name;
        int r;

        r = dir_open_at(search->device->host->sysfs, "class/block", &dir);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

        while ((r = dir_next(dir, &name)) == DIR_ENTRY) {
                r = block_is_below(search, name, /* layer= */ 0, leaf);
                if (r != 0)
                        return r;
        }

        return r;
}

int host_block_in_use(const HostDevice *device, char *ret_use, size_t size) {
        Search search = { .device = device, .use = ret_use, .size = size };
        bool opaque = false;
        int r;

        r = block_use_find(device->host, on_use, &search, &opaque);
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
