/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reads what Acquire and Plan are called with: as, a{sv}.
 */

#include <systemd/sd-bus.h>

#include "core/forward.h"
#include "core/plan.h"
#include "core/subject.h"

typedef struct RequestMessage {
        Request request;                     /* borrows from the message and from below */
        const char **selectors;              /* owned */
        Subject as;                          /* that request.as points to, if that is set: don't copy this */
} RequestMessage;

/*
 * Returns 0; a positive Outcome with *reterr when the arguments are not acceptable; or a negative errno. The
 * strings and the holder are the message's: valid as long as it is.
 */
int request_message_read(sd_bus_message *message, RequestMessage *ret, Refusal *reterr) _must_check_;
/* CLOCK_BOOTTIME */
uint64_t bus_boottime_usec(void);
uint64_t bus_monotonic_usec(void);

void request_message_done(RequestMessage *request);
