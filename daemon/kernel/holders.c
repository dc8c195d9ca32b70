/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/parse.h"
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
        int (*look)(const struct Search *search, int proc, const char *pid);
} Search;

static bool error_is_absence(int error) {
        return error == -ENOENT || error == -ESRCH || error == -ENOTDIR;
}

/* The device's node has been taken away. Is this one open on it? */
static bool fd_is_orphan_of(int proc, const char *pid, const char *fd, const HeldDevice *device) {
        char path[64], syspath[PATH_MAX];

        if ((size_t) snprintf(path, sizeof(path), "%s/fdinfo/%s", pid, fd) >= sizeof(path))
                return false;
        return fdinfo_read_syspath(proc, path, syspath) >= 0 && strcmp(syspath, device->syspath) == 0;
}

static int look_at_fd(const Search *search, int proc, const char *pid, int fds, const char *fd) {
        const HeldDevice *device = search->device;
        struct statx st;
        dev_t number;

        /* what it's open on may be on a server that doesn't answer: don't ask there */
        if (statx(fds, fd, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &st) < 0)
                return _PROCESS_IS_NONE;     /* closed meanwhile */
        if (!S_ISCHR(st.stx_mode))
                return _PROCESS_IS_NONE;

        number = makedev(st.stx_rdev_major, st.stx_rdev_minor);
        if ((device->node && number == device->node) || (device->group && number == device->group))
                return PROCESS_IS_HOLDER;
        if (!device->node && search->vfio_major && st.stx_rdev_major == search->vfio_major &&
            fd_is_orphan_of(proc, pid, fd, device))
                return PROCESS_IS_HOLDER;
        return _PROCESS_IS_NONE;
}

static int look_at_fds(const Search *search, int proc, const char *pid) {
        _cleanup_dir_ DIR *fds = NULL;
        const char *fd;
        char path[32];
        int r;

        snprintf(path, sizeof(path), "%.16s/fd", pid);
        r = dir_open_at(proc, path, &fds);
        if (r < 0)
                return r;

        for (;;) {
                r = dir_next(fds, &fd);
                if (r != DIR_ENTRY)
                        return r < 0 ? r : _PROCESS_IS_NONE;

                r = look_at_fd(search, proc, pid, dirfd(fds), fd);
                if (r != _PROCESS_IS_NONE)
                        return r;
        }
}

/* "7f12a000-7f12b000 rw-s 00000000 00:06 414  /dev/vfio/devices/vfio0": what counts is device and inode. */
static bool line_maps_node(const char *line, const struct stat *node) {
        unsigned major_number, minor_number;
        unsigned long inode;

        if (sscanf(line, "%*s %*s %*s %x:%x %lu", &major_number, &minor_number, &inode) != 3)
                return false;

        return inode == node->st_ino && makedev(major_number, minor_number) == node->st_dev;
}

static int look_at_maps(const Search *search, int proc, const char *pid) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *line = NULL;
        int r = _PROCESS_IS_NONE;
        char path[32];
        size_t size = 0;
        FILE *maps;

        snprintf(path, sizeof(path), "%.16s/maps", pid);
        fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
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

/* A process can call itself what it likes, but what goes on from here is text. */
static void read_comm(int proc, const char *pid, char *ret, size_t size) {
        char path[32], text[64];
        ssize_t n;

        ret[0] = '\0';
        snprintf(path, sizeof(path), "%.16s/comm", pid);
        n = read_text_at(proc, path, text, sizeof(text));
        if (n < 0)
                return;

        for (size_t i = 0; text[i]; i++)
                if (text[i] < ' ' || text[i] > '~')
                        text[i] = '?';
        snprintf(ret, size, "%.*s", (int) size - 1, text);
}

/* Goes through all processes. Returns 0 or a negative errno. */
static int search_run(const Search *search, Holders *ret, KernelFailure *reterr) {
        _cleanup_dir_ DIR *processes = NULL;
        Holders holders = {};
        const char *entry;
        int r;

        r = dir_open_at(AT_FDCWD, search->backend->proc, &processes);
        if (r < 0)
                return kernel_failure(reterr, r, "open %s", search->backend->proc);

        while (holders.n_items < HOLDERS_MAX) {
                Holder *holder = &holders.items[holders.n_items];
                uint32_t pid;

                r = dir_next(processes, &entry);
                if (r < 0)
                        return kernel_failure(reterr, r, "read %s", search->backend->proc);
                if (r != DIR_ENTRY)
                        break;
                if (parse_u32(entry, &pid) < 0 || (pid_t) pid == getpid())
                        continue;

                r = search->look(search, dirfd(processes), entry);
                if (r < 0 && !error_is_absence(r))
                        return kernel_failure(reterr, r, "look into process %u", pid);
                if (r != PROCESS_IS_HOLDER)
                        continue;

                holder->pid = (pid_t) pid;
                read_comm(dirfd(processes), entry, holder->comm, sizeof(holder->comm));
                holders.n_items++;
        }

        *ret = holders;
        return 0;
}

int holders_find(const IommufdBackend *backend, const HeldDevice *device, Holders *ret,
                 KernelFailure *reterr) {
        Search search = { .backend = backend, .device = device, .look = look_at_fds };
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

int holders_find_mapped(const IommufdBackend *backend, const char *node, Holders *ret,
                        KernelFailure *reterr) {
        Search search = { .backend = backend, .look = look_at_maps };
        char path[KERNEL_PATH_MAX];
        int r;

        r = kernel_path(path, reterr, "%s/vfio/devices/%s", backend->dev, node);
        if (r < 0)
                return r;

        if (stat(path, &search.node) < 0)
                return kernel_failure(reterr, -errno, "stat %s", path);

        return search_run(&search, ret, reterr);
}
