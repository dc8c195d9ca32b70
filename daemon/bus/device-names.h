/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/forward.h"

/* Room for the longest names that the database of hardware has, or nearly. */
#define DEVICE_NAMES_MAX 192

/*
 * What people call the device, as udev's database of hardware has it: "Samsung Electronics Co Ltd NVMe SSD
 * Controller SM981/PM981"; or "" . Plain text. @ret is of DEVICE_NAMES_MAX bytes.
 */
void device_read_names(const DeviceFacts *device, char *ret);
