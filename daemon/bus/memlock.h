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

/*
 * Lets the process of a pidfd lock @bytes at least, if it is @owner's in every respect; (uid_t) -1: whosever
 * it is. The kernel knows limits by the number of a process only: the process is proved to be running before
 * and after, and if it has ended in between, what the number stands for has back what it had.
 *
 * Returns 1 when the limit was raised, 0 when it was high enough, *ret_before is what it was; or a negative
 * errno: -ESRCH when the process has ended, -EPERM when it is somebody else's.
 */
int memlock_raise(int pidfd, uid_t owner, uint64_t bytes, Memlock *ret_before) _must_check_;
