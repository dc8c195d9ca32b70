/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Calls that somebody may not make, but for Acquire: besides the answer that he gets, the journal and the
 * audit log are told.
 */

#include <systemd/sd-bus.h>

#include "bus/server.h"

/*
 * Answers @call with @refusal, of whatever kind it is. Those that are Denied count as requests of @subject,
 * so that nobody fills the journal: of one who makes too many, one in a second is told.
 */
int reply_denial(BusServer *server, sd_bus_message *call, const Subject *subject, const Refusal *refusal);
