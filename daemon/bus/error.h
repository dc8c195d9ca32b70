/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Bad news on the bus. Every one has a name of our own: sd-bus would make AccessDenied of an EPERM that came
 * from the kernel, and the caller would look for the fault in the policy.
 */

#include <systemd/sd-bus.h>

#include "core/forward.h"

/* Each sends an error reply to @call. Return what a handler returns: positive, or a negative errno. */
int reply_refusal(sd_bus_message *call, const Refusal *refusal);
int reply_failure(sd_bus_message *call, int error, const char *what);
