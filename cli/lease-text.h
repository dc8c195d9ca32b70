/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* The user's name, or the number when it has none here. */
char *user_name(uid_t uid);

/* Microseconds since 1970 as "2026-01-31 23:59:59" of the local time zone. */
char *local_time(uint64_t usec);
