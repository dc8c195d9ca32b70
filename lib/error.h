/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What goes wrong on the bus, in the words of the public header. */

#include <systemd/sd-bus.h>

#include "base/macro.h"
#include "iommud.h"

/*
 * The result for the error reply @error to a call that failed with the negative errno @r: a positive
 * iommud_error_code if iommud itself refused, else a negative errno.
 */
int error_from_reply(const sd_bus_error *error, int r) _must_check_;
