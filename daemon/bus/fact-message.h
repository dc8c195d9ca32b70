/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "core/fact.h"

/* Appends a fact's entries to an open a{sv}. */
int fact_append(sd_bus_message *message, const Fact *fact) _must_check_;
