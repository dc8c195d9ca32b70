/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memfd.h"
#include "memory-file.h"

#define PAGE UINT64_C(4096)

static int write_all(int fd, const char *data, size_t size) {
        while (size > 0) {
                ssize_t n;

                n = write(fd, data, size);
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0) {
                        data += n;
                        size -= (size_t) n;
                }
        }

        return 0;
}

static int copy_all(int from, int to, uint64_t *ret_size) {
        uint64_t size = 0;
        char buffer[16384];
        int r;

        for (;;) {
                ssize_t n;

                n = read(from, buffer, sizeof(buffer));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;

                r = write_all(to, buffer, (size_t) n);
                if (r < 0)
                        return r;
                size += (size_t) n;
        }

        size = (size + PAGE - 1) / PAGE * PAGE;
        if (ftruncate(to, (off_t) size) < 0)
                return -errno;

        *ret_size = size;
        return fcntl(to, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0 ? -errno : 0;
}

static int make_copy(int file, int *ret_fd, uint64_t *ret_size) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        fd = memfd_create("iommuctl", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;

        r = copy_all(file, fd, ret_size);
        if (r >= 0)
                *ret_fd = TAKE_FD(fd);
        return r;
}

/* A file of a tmpfs looks like it, but can be cut off whenever somebody likes. */
static bool can_be_sealed(int fd) {
        int seals;

        seals = fcntl(fd, F_GET_SEALS);
        return seals >= 0 && !(seals & F_SEAL_SEAL);
}

Status memory_file_open(const char *path, bool copy, bool read_only, int *ret_fd, uint64_t *ret_size) {
        _cleanup_close_ int fd = -EBADF;
        MemfdInfo info;
        int r;

        /* a pipe without a writer is not waited for; it is no memory either */
        fd = open(path, (read_only || copy ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0) {
                complain("cannot open %s%s: %s", path, read_only || copy ? "" : " for writing",
                         strerror(errno));
                return STATUS_BROKEN;
        }

        if (copy) {
                r = make_copy(fd, ret_fd, ret_size);
                if (r < 0)
                        complain("cannot copy %s: %s", path, strerror(-r));
                return r < 0 ? STATUS_BROKEN : STATUS_OK;
        }

        if (memfd_read_info(fd, &info) < 0 || (info.can_shrink && !can_be_sealed(fd))) {
                complain("%s is not memory of memfd_create(2) that can be sealed: devices can't have it, "
                         "only a copy (--copy)",
                         path);
                return STATUS_BROKEN;
        }

        *ret_fd = TAKE_FD(fd);
        *ret_size = info.size;
        return STATUS_OK;
}
