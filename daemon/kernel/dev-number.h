/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "kernel/iommufd-backend.h"

/*
 * The number in a "dev" attribute of sysfs, "241:3". Returns 0 or a negative errno, -EBADMSG when it is
 * none.
 */
int dev_number_read(const char *path, dev_t *ret) _must_check_;

/*
 * The device, or the part of one, that a character device's number stands for while it does, see
 * readlink_syspath_at(). @ret is of KERNEL_PATH_MAX bytes. -ENOENT when no device has that number.
 */
int dev_number_find(const IommufdBackend *backend, dev_t number, char *ret) _must_check_;

/*
 * The major number that a kind of character devices has, from /proc/devices. -ENOENT when the kernel has no
 * such kind.
 */
int dev_major_find(const char *path, const char *kind, unsigned *ret) _must_check_;
