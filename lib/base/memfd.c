/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/stat.h>

#include "base/memfd.h"

int memfd_read_info(int fd, MemfdInfo *ret) {
        int flags, seals;
        struct stat st;

        flags = fcntl(fd, F_GETFL);
        if (flags < 0)
                return -errno;
        if ((flags & O_PATH) || (flags & O_ACCMODE) == O_WRONLY)
                return -EBADF;

        /* only files that are memory have seals, at least the one that forbids more of them */
        seals = fcntl(fd, F_GET_SEALS);
        if (seals < 0)
                return -errno;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;

        *ret = (MemfdInfo) {
                .size = (uint64_t) st.st_size,
                .writable = (flags & O_ACCMODE) == O_RDWR && !(seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)),
                .can_shrink = !(seals & F_SEAL_SHRINK),
        };
        return 0;
}
