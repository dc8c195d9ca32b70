/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "base/macro.h"

/* "8G", "512M", "4096K", "1073741824", in powers of 1024. Returns 0 or -EINVAL, -ERANGE. */
int parse_bytes(const char *text, uint64_t *ret) _must_check_;

/* The same, or "0x80000000". */
int parse_address(const char *text, uint64_t *ret) _must_check_;

/* "8 GiB", "1.5 GiB", "640 KiB", "0". A new string. */
char *print_bytes(uint64_t bytes);
