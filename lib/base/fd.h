/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * File descriptors: the inert value is -EBADF, every descriptor is close-on-exec from birth, and closing one
 * that is not open stops the program: in a daemon that is full of device fds a double close closes somebody
 * else's device.
 */

#include <stddef.h>
#include <sys/types.h>

#include "base/macro.h"

/*
 * Closes @fd if it is not negative; keeps errno. Returns -EBADF, so that "x = close_fd(x)" leaves x inert.
 */
int close_fd(int fd);

static inline void close_fdp(int *fd) {
        *fd = close_fd(*fd);
}

#define _cleanup_close_ _cleanup_(close_fdp)

/*
 * A close-on-exec duplicate of @fd that is never 0, 1 or 2. Returns the descriptor (caller owns) or a
 * negative errno.
 */
int fd_dup(int fd) _must_check_;

/*
 * Reads the small text file @path below @dir (AT_FDCWD, or a directory) into @buffer, at most @size - 1
 * bytes, without its trailing newlines, and terminates it. For what the kernel gives in one piece: sysfs
 * attributes, and what /proc says of one process. One read(2) is all that there is of it. Returns the
 * length, or a negative errno: -E2BIG when the file is longer than the buffer; the buffer is "" then.
 */
ssize_t read_text_at(int dir, const char *path, char *buffer, size_t size) _must_check_;

/* The same of any other file, up to its end. */
ssize_t read_text_all_at(int dir, const char *path, char *buffer, size_t size) _must_check_;

/*
 * Writes @text to the existing file @path below @dir in one write(2), as a sysfs attribute wants it. Returns
 * 0, or the negative errno of open or write: for sysfs that is the answer of the kernel function behind it.
 */
int write_text_at(int dir, const char *path, const char *text) _must_check_;

/*
 * Reads the symbolic link @path below @dir and stores the last component of its target in @buffer.
 * Returns 0, or a negative errno: -ENOENT when there is no such link, -E2BIG when the name does not fit.
 */
int readlink_name_at(int dir, const char *path, char *buffer, size_t size) _must_check_;

/*
 * Reads a link in sysfs that leads to a device, or to a part of one, and stores where that is:
 * "devices/pci0000:00/0000:00:04.0", without where sysfs is. Returns 0, or a negative errno: -EXDEV when it
 * leads elsewhere, -E2BIG when it does not fit.
 */
int readlink_syspath_at(int dir, const char *path, char *buffer, size_t size) _must_check_;
