/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reading files that say who may have what: only those that nobody but root can have written. A file or
 * directory belongs to root, or to the user that we run as, neither group nor others may write it, and links
 * are not followed. Of a directory the same is true of the one above it, which may be sticky instead.
 */

#include "config/error.h"

/*
 * Opens the directory @path. Returns a descriptor of the caller, -ENOENT when there is none, with *reterr
 * left empty, -EPERM when others might have written it, or another negative errno.
 */
int config_dir_open(const char *path, ConfigError *reterr) _must_check_;

/*
 * Reads the file @path, whose directory is open as @dir, up to @max bytes. A link to /dev/null reads as
 * nothing: it is how a file is masked. Returns 0 and a buffer of the caller (never NULL), or a negative
 * errno: -EPERM when it might have been written by others, -ELOOP for any other link, -EFBIG when it is
 * larger.
 */
int config_file_read(int dir, const char *path, size_t max, char **ret, size_t *ret_size,
                     ConfigError *reterr) _must_check_;

/* Reads @path, whoever it belongs to, for somebody who will not act on what is in it. */
int config_draft_read(const char *path, size_t max, char **ret, size_t *ret_size,
                      ConfigError *reterr) _must_check_;
