/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What can be mapped for a device: memory that can't be cut off under it. */

#include "cli.h"

/*
 * Opens the memory of memfd_create(2) at @path, such as /proc/PID/fd/N of whoever has it; for reading alone
 * with @read_only. With @copy it is a copy of any file, of whole pages, which only the device knows of
 * afterwards. *ret_fd is the caller's. Has complained when the result is not STATUS_OK.
 */
Status memory_file_open(const char *path, bool copy, bool read_only, int *ret_fd, uint64_t *ret_size);
