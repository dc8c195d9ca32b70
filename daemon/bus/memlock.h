/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How much memory a process may lock, which is what the kernel lets it pin for a device: RLIMIT_MEMLOCK.
 */

#include "core/plan.h"

/*
 * The limit of the process of a pidfd, proved to be that process's. What can't be found out leaves @ret
 * unknown.
 */
void memlock_read(int pidfd, Memlock *ret);
