/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reading directories. Not with readdir(3): on a descriptor that is open already that takes three more
 * system calls, and much of what we read in sysfs has one entry.
 */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"

typedef struct Dir Dir;

/* Opens the directory @path below @dir. Returns 0 and *ret (caller owns), or a negative errno. */
int dir_open_at(int dir, const char *path, Dir **ret) _must_check_;
Dir *dir_free(Dir *dir);
DEFINE_CLEANUP_FUNC(Dir, dir_free);

#define _cleanup_dir_ _cleanup_(dir_freep)

/* The descriptor of the directory, borrowed. */
int dir_fd(const Dir *dir);

/* Outcomes of dir_next(). */
enum {
        _DIR_END,
        DIR_ENTRY,
};

/*
 * The next entry whose name does not begin with a dot. *ret_name is borrowed until the next call. A
 * directory that was removed meanwhile has no more entries.
 */
int dir_next(Dir *dir, const char **ret_name) _must_check_;
