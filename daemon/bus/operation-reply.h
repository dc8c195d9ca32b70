/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "core/forward.h"

/* Answers the call of a method of the lease by what came of its operation. Hands its descriptor over. */
int operation_reply(sd_bus_message *call, const Operation *operation) _must_check_;
