/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which block devices the host uses, and for what.
 */

#include "sys/host.h"

/*
 * @what is the mount point, "swap", or the name of the device or file system that is built on @block, which
 * is a name as in /sys/class/block. A return value that isn't 0 ends the search and is its result.
 */
typedef int (*BlockUseFunc)(const char *what, const char *block, void *userdata);

/*
 * Calls @func for every use, more than once for some. *ret_opaque says that something is in use that doesn't
 * tell which devices it is on. Returns 0, a negative errno, or what @func returned.
 */
int block_use_find(const LocalHost *host, BlockUseFunc func, void *userdata, bool *ret_opaque) _must_check_;

/* The block device behind the loop device @block. Returns 1 with *ret, 0 or a negative errno. */
int block_loop_backing(const LocalHost *host, const char *block, char *ret, size_t size) _must_check_;
