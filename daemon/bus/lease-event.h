/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What happens to a lease, as its holder and the journal are told of it, and who ends its holders.
 */

#include "bus/server.h"

/* Whether a change is one of those: they are published by the function below and by nothing else. */
bool change_is_lease_event(const Change *change);

/* To be called while the lease is there. It may queue tasks. */
void lease_event_publish(BusServer *server, const Change *change);
