/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "kernel/dev-number.h"
#include "kernel/fdinfo.h"
#include "kernel/holders.h"
#include "kernel/path.h"

/* Outcomes of a look into a process. */
enum {
        _PROCESS_IS_NONE,
        PROCESS_IS_HOLDER,
};

typedef struct Search {
        const IommufdBackend *backend;
        const HeldDevice *device;
        unsigned vfio_major;                 /* of all device nodes; 0: the kernel makes none */
        struct stat node;                    /* whose mappings are looked for */
        int (*look)(const Process *process, struct Search *search);
        pid_t only;                          /* this one is looked into; 0: all */
        pid_t pid;                           /* that was looked into last */
        Holders holders;
} Search;

/* The device's node has been taken away. Is this one open on it? */
static bool fd_is_orphan_of(const Process *process, const char *fd, const HeldDevice *device) {
        char path[64], syspath[PATH_MAX];

        if ((size_t) snprintf(path, sizeof(path), "%s/fdinfo/%s", process->name, fd) >= sizeof(path))
                return false;

        return fdinfo_read_syspath(process->proc, path, syspath) >= 0 &&
               strcmp(syspath, device->syspath) == 0;
}

static int on_node(const Process *process, const OpenNode *node, void *userdata) {
        const Search *search = userdata;
        const HeldDevice *device = search->device;

        if (node->type != S_IFCHR)
                return _PROCESS_IS_NONE;

        if ((device->node && node->number == device->node) ||
            (device->group && node->number == device->group))
                return PROCESS_IS_HOLDER;
        if (!device->node && search->vfio_major && major(node->number) == search->vfio_major &&
            fd_is_orphan_of(process, node->fd, device))
                return PROCESS_IS_HOLDER;
        return _PROCESS_IS_NONE;
}

static int look_at_fds(const Process *process, Search *search) {
        return process_visit_nodes(process, on_node, search);
}

/* "7f12a000-7f12b000 rw-s 00000000 00:06 414  /dev/vfio/devices/vfio0": what counts is device and inode. */
static bool line_maps_node(const char *line, const struct stat *node) {
        unsigned major_number, minor_number;
        unsigned long inode;

        if (sscanf(line, "%*s %*s %*s %x:%x %lu", &major_number, &minor_number, &inode) != 3)
                return false;

        return inode == node->st_ino && makedev(major_number, minor_number) == node->st_dev;
}

static int look_at_maps(const Process *process, Search *search) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *line = NULL;
        int r = _PROCESS_IS_NONE;
        char path[32];
        size_t size = 0;
        FILE *maps;

        snprintf(path, sizeof(path), "%.16s/maps", process->name);
        fd = openat(process->proc, path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        maps = fdopen(fd, "r");
        if (!maps)
                return -errno;
        (void) TAKE_FD(fd);

        while (r == _PROCESS_IS_NONE && getline(&line, &size, maps) >= 0)
                if (line_maps_node(line, &search->node))
                        r = PROCESS_IS_HOLDER;

        (void) fclose(maps);                 /* nothing was written */
        return r;
}

/* Outcomes of on_process(). */
enum {
        _SEARCH_GOES_ON,
        SEARCH_IS_FULL,
};

static int on_process(const Process *process, void *userdata) {
        Search *search = userdata;
        Holder *holder = &search->holders.items[search->holders.n_items];
        int r;

        static_assert(sizeof(holder->comm) == PROCESS_COMM_MAX, "the name of a process");
        static_assert(sizeof(holder->cgroup) == PROCESS_CGROUP_MAX, "the control group of a process");

        if (search->only > 0 && process->pid != search->only)
                return _SEARCH_GOES_ON;

        search->pid = process->pid;
        r = search->look(process, search);
        if (r != PROCESS_IS_HOLDER)
                return r;

        holder->pid = process->pid;
        process_read_comm(process, holder->comm);
        process_read_cgroup(process, holder->cgroup);
        return ++search->holders.n_items < HOLDERS_MAX ? _SEARCH_GOES_ON : SEARCH_IS_FULL;
}

/* Goes through all processes. Returns 0 or a negative errno. */
static int search_run(Search *search, Holders *ret, KernelFailure *reterr) {
        int r;

        r = process_visit_all(AT_FDCWD, search->backend->proc, on_process, search);
        if (r < 0 && !search->pid)
                return kernel_failure(reterr, r, "open %s", search->backend->proc);
        if (r < 0)
                return kernel_failure(reterr, r, "look into process %u", (unsigned) search->pid);

        *ret = search->holders;
        return 0;
}

int holders_find(const IommufdBackend *backend, const HeldDevice *device, pid_t pid, Holders *ret,
                 KernelFailure *reterr) {
        Search search = { .backend = backend, .device = device, .only = pid, .look = look_at_fds };
        char path[KERNEL_PATH_MAX];
        int r;

        r = kernel_path(path, reterr, "%s/devices", backend->proc);
        if (r < 0)
                return r;

        r = dev_major_find(path, "vfio-dev", &search.vfio_major);
        if (r < 0 && r != -ENOENT)
                return kernel_failure(reterr, r, "read %s", path);

        return search_run(&search, ret, reterr);
}

int holders_find_mapped(const IommufdBackend *backend, const char *node, pid_t pid, Holders *ret,
                        KernelFailure *reterr) {
        Search search = { .backend = backend, .only = pid, .look = look_at_maps };
        char path[KERNEL_PATH_MAX];
        int r;

        r = kernel_path(path, reterr, "%s/vfio/devices/%s", backend->dev, node);
        if (r < 0)
                return r;

        if (stat(path, &search.node) < 0)
                return kernel_failure(reterr, -errno, "stat %s", path);

        return search_run(&search, ret, reterr);
}
