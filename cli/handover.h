/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The file descriptors of a lease as a command inherits them, see sd_listen_fds(3). */

#include "cli.h"

/*
 * Puts the fds of @lease at EXPAND_FIRST_FD and after it, in the order of its roles and without
 * close-on-exec, and says so in the environment. What was there before is closed. Returns 0 or a negative
 * errno.
 */
int handover(const iommud_lease *lease) _must_check_;
