/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What udev keeps of bridges (60-iommud.rules), where it was asked to.
 */

#include "core/host.h"

/* Fills what @hop, whose name is known, says of ACS; leaves it as it is where udev knows nothing. */
void bridge_read_acs(IsolationHop *hop);
