/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What may be done to memory through a descriptor that somebody else has made.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"

typedef struct MemfdInfo {
        uint64_t size;
        bool writable;                       /* it was opened for writing, and no seal forbids that */
        bool can_shrink;                     /* no seal says that it will always be as long as it is */
} MemfdInfo;

/* Returns 0; -EBADF for what is not open for reading; -EINVAL for what is no memfd. */
int memfd_read_info(int fd, MemfdInfo *ret) _must_check_;
