/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The options of domains and address spaces, a{sv}.
 */

#include <systemd/sd-bus.h>

#include "core/dma.h"
#include "core/refusal.h"

/* These return 0; a positive Outcome with *reterr; or a negative errno. */
int ioas_options_read(sd_bus_message *message, IoasOptions *ret, Refusal *reterr) _must_check_;
int domain_options_read(sd_bus_message *message, DomainOptions *ret, Refusal *reterr) _must_check_;

/* Both together, for the first of each. */
int first_options_read(sd_bus_message *message, IoasOptions *ret_ioas, DomainOptions *ret_domain,
                       Refusal *reterr) _must_check_;
