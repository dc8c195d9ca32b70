/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "sys/host-net.h"
#include "sys/net-use.h"

/* Devices below devices: deeper than any there is */
#define DEPTH_MAX 32

typedef struct Search {
        const HostDevice *device;
        unsigned n_asked;                    /* interfaces whose use was asked for */
        unsigned n_seen;                     /* in the directories of the device */
        char *use;                           /* the caller's */
        size_t size;
} Search;

/* Those that we see. Most devices have none, and then nobody is asked. */
static int check_visible(Search *search) {
        const HostDevice *device = search->device;
        _cleanup_(net_use_freep) NetUse *use = NULL;
        _cleanup_dir_ Dir *dir = NULL;
        const char *name;
        int r;

        r = dir_open_at(device->host->sysfs, "class/net", &dir);
        if (r < 0)
                return r == -ENOENT ? 0 : r;         /* a kernel without */

        while ((r = dir_next(dir, &name)) == DIR_ENTRY) {
                r = host_device_has_named(device, "class/net", name);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;

                search->n_asked++;
                if (!use) {
                        r = net_use_new(&use);
                        if (r < 0)
                                return r;
                }
                r = net_use_find(use, name, search->use, search->size);
                if (r != _HOST_USE_NONE)
                        return r;
        }

        return r;
}

/*
 * Interfaces of other namespaces are left out of @net, the directory of a device's interfaces. But its link
 * count knows of all. It is empty only for the moment in which the first is made or the last one goes.
 */
static int check_hidden_in(Search *search, Dir *net) {
        struct stat before, after;
        unsigned n_visible = 0;
        const char *name;
        int r;

        if (fstat(dir_fd(net), &before) < 0)
                return -errno;
        while ((r = dir_next(net, &name)) == DIR_ENTRY)
                n_visible++;
        if (r < 0)
                return r;
        if (fstat(dir_fd(net), &after) < 0)
                return -errno;

        if (before.st_nlink != after.st_nlink)
                return -EAGAIN;

        search->n_seen += n_visible;
        if (after.st_nlink > n_visible + 2) {
                snprintf(search->use, search->size,
                        "a network interface of it is in another network namespace");
                return HOST_USE_FOUND;
        }

        return n_visible > 0 ? _HOST_USE_NONE : -EAGAIN;
}

/* Whether @name is a device below the one that @dir is the directory of, and no link to one elsewhere. */
static bool is_child(int dir, const char *name) {
        char path[NAME_MAX + 16];
        struct stat st;

        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
                return false;

        snprintf(path, sizeof(path), "%s/uevent", name);
        return faccessat(dir, path, F_OK, 0) >= 0;
}

/* An interface can be of a device below: of virtio, of USB. Such a one is a child, or a child's. */
static int check_hidden(Search *search, int parent, const char *path, unsigned depth) {
        _cleanup_dir_ Dir *dir = NULL, *net = NULL;
        const char *name;
        int r;

        if (depth >= DEPTH_MAX)
                return -ELOOP;

        r = dir_open_at(parent, path, &dir);
        if (r < 0)
                return r == -ENOENT ? 0 : r;         /* gone meanwhile */

        r = dir_open_at(dir_fd(dir), "net", &net);
        if (r < 0 && r != -ENOENT)
                return r;
        if (r >= 0) {
                r = check_hidden_in(search, net);
                if (r != _HOST_USE_NONE)
                        return r;
        }

        while ((r = dir_next(dir, &name)) == DIR_ENTRY) {
                if (!is_child(dir_fd(dir), name))
                        continue;
                r = check_hidden(search, dir_fd(dir), name, depth + 1);
                if (r != _HOST_USE_NONE)
                        return r;
        }

        return r;
}

int host_net_in_use(const HostDevice *device, char *ret_use, size_t size) {
        Search search = { .device = device, .use = ret_use, .size = size };
        int r;

        r = check_visible(&search);
        if (r != _HOST_USE_NONE)
                return r;

        r = check_hidden(&search, device->host->sysfs, device->path, /* depth= */ 0);
        if (r != _HOST_USE_NONE)
                return r;

        /* one was renamed past us in the list of all */
        return search.n_seen > search.n_asked ? -EAGAIN : _HOST_USE_NONE;
}
