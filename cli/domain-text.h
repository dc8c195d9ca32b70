/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-c/json.h>

#include "iommud.h"

/* What iommud has made in a lease, and what is attached to what, as tables on standard output. */
void print_dma_state(const iommud_lease_info *lease, const iommud_dma_state *state);

json_object *json_from_dma_state(const iommud_dma_state *state);
