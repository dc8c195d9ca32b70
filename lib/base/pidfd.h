/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "base/macro.h"

/*
 * The process that a pidfd stands for, as its fdinfo says (proc(5)). Returns 0; -EBADF when @fd is no pidfd;
 * -ESRCH when the process has ended, or is not in a pid namespace that we see.
 */
int pidfd_get_pid(int fd, pid_t *ret) _must_check_;
