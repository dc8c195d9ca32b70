/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "base/macro.h"

/*
 * A point in time as people give it: "2026-01-31", "2026-01-31 23:59", with seconds too, "today",
 * "yesterday", all in the local time zone; or how long ago, "90s", "15min", "2h", "3d".
 * @now_usec and *ret are CLOCK_REALTIME in microseconds. Returns 0 or -EINVAL.
 */
int parse_since(const char *text, uint64_t now_usec, uint64_t *ret) _must_check_;
