/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the descriptor of a process tells of it: its user namespace, its control group, and the unit and
 * slice of the system's service manager that this is in. All of it is read by the number of the process, and
 * counts only since the process was found to be alive afterwards: until then nobody else can have had the
 * number.
 *
 * It is true of this moment. Processes end and move, and so it has to be asked anew for each decision.
 */

#include "core/forward.h"

/*
 * Adds to @subject what can be found out, and says in its "known" what that is. Returns 0 when it is
 * everything, else the negative errno of the first thing that could not be had: -EBADF when @pidfd is none,
 * -ESRCH when the process has ended (nothing is known of it then).
 */
int process_facts_read(int pidfd, Subject *subject) _must_check_;
