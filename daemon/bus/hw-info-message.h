/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What an IOMMU has for a device, as entries of a dictionary: HwInfo of the Lease, IommuFeatures of the
 * Device. What is not known has no entry.
 */

#include <systemd/sd-bus.h>

#include "core/dma.h"

/* Into an open a{sv}. Of what the kernel was not asked, it is what is known all the same. */
int hw_info_append(sd_bus_message *message, const HwInfo *info) _must_check_;

/* The same of what is the driver's own: type and data. */
int hw_info_append_data(sd_bus_message *message, const HwInfo *info) _must_check_;
