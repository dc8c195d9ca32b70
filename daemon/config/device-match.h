/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The ways in which a policy file names devices. */

#include "core/policy.h"

/*
 * "0000:01:00.0" or "01:00.0"; "8086:10d3"; "class:01", "class:0108" or "class:010802"; "any". Returns 0, or
 * -EINVAL for anything else, and *ret is untouched then.
 */
int device_match_parse(const char *s, DeviceMatch *ret) _must_check_;
