/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the bus is told of a lease, whoever has acquired it. */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "base/macro.h"

#define WATCH_MATCHES 3

/* Has @func called for each signal that may be news of lease @id. On failure there is none in @slots. */
int watch_lease(
                sd_bus *bus, uint64_t id, sd_bus_message_handler_t func, void *userdata,
                sd_bus_slot *slots[static WATCH_MATCHES]) _must_check_;

/* Not any more. Slots may be NULL, and are so afterwards. */
void unwatch_lease(sd_bus_slot *slots[static WATCH_MATCHES]);
