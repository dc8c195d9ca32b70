/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The serial number of a PCI device, as far as sysfs has it.
 */

#include <stddef.h>

/*
 * Stores it in @buffer of @size bytes, "" when there is none to be had: - the PCI Express device serial
 * number, "00-01-02-ff-fe-03-04-05", whatever driver the device has (Linux 6.18); - else that of an NVMe
 * controller, which only its own driver can ask for: it is not to be had on another one.
 */
void serial_read(int device, const char *driver, char *buffer, size_t size);
