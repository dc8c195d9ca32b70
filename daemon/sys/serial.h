/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The serial number of a PCI device, as far as sysfs has it.
 */

#include <stddef.h>

/*
 * Stores it in @buffer of @size bytes, "" when there is none to be had. A kernel that shows the serial
 * number of PCI Express does so whatever the driver is. Else it's that of an NVMe controller, while that has
 * its own driver: only that can ask for it.
 */
void serial_read(int device, const char *driver, char *buffer, size_t size);
