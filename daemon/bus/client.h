/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How the caller of Acquire is reached later: its unique name, which is nobody else's as long as that bus
 * lives, and which bus it was. As one word, for the record of the lease.
 */

#include <systemd/sd-bus.h>

#include "core/forward.h"

/* @ret is of CLIENT_MAX bytes; "" when the message came over no bus. Returns 0 or a negative errno. */
int client_of_sender(sd_bus_message *message, char *ret) _must_check_;

/* The unique name of a client on this bus. NULL: it was on another one, and is gone with that. Borrowed. */
const char *client_on_bus(sd_bus *bus, const char *client);
