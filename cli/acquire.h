/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli.h"

/*
 * Acquires the devices @selectors, which end with NULL, as the options say. Who is at the terminal may be
 * asked for a password. Has complained when the result is not STATUS_OK.
 */
Status acquire_devices(const Options *options, iommud_client *client, char *const *selectors,
                       iommud_lease **ret_lease);
