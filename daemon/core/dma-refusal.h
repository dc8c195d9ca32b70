/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the kernel says no to when it is asked for a domain, in the words of the client who has asked for it.
 */

#include "core/dma.h"
#include "core/kernel.h"
#include "core/refusal.h"

/* A domain of these options could not be made for the device. */
int refuse_domain(Refusal *reterr, const char *device, const HwInfo *info, const KernelFailure *failure);

/* The device could not be attached. */
int refuse_attach(Refusal *reterr, const char *device, const KernelFailure *failure);
