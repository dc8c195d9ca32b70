/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What sysfs says of the IOMMUs of the host, without a device that is bound: which driver, and what the
 * hardware lacks. What it has is not said: the driver may not use it.
 */

#include "core/iommu.h"

/* Calls @on_iommu for each, of which the facts are borrowed; a negative result ends it and is the result. */
int scan_iommus(int sysfs, int (*on_iommu)(const IommuFacts *facts, void *userdata),
                void *userdata) _must_check_;
