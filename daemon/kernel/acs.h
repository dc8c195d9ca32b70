/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Access Control Services of a PCI function: which requests it hands up to the IOMMU, where others would let
 * them go from device to device. Read from its configuration space, for which the kernel wants
 * CAP_SYS_ADMIN: the daemon has not got it, and udev asks the program iommud-acs instead.
 */

#include "base/macro.h"

/* Room for "SV TB RR CR UF EC DT", the names that the PCI specification has. */
#define ACS_WORDS_MAX 24

typedef struct Acs {
        char supported[ACS_WORDS_MAX];       /* "none": nothing, or there are no such services */
        char enabled[ACS_WORDS_MAX];
} Acs;

/*
 * Reads it from @config, a file of sysfs or what looks like one. Returns 0, or a negative errno: -EPERM when
 * the kernel keeps what is needed to itself, -EBADMSG when there is nonsense.
 */
int acs_read(int config, Acs *ret) _must_check_;
