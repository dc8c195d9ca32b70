/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Ends whoever has a device open, when root has said so: the unit that the process is in, by way of the
 * service manager, or the process alone.
 */

#include "bus/server.h"

/*
 * @device names @pid among its holders, as they were found a moment ago. Returns 0 when it was set going;
 * what comes of it is in the journal.
 */
int holder_end(BusServer *server, const Lease *lease, const LeaseDevice *device, pid_t pid);

/* The result of the task that a process was to be ended by. */
void holder_end_done(const Task *task, const TaskResult *result);
