/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What speaks for and against a plan, besides what blocks it: the facts that Plan tells when it is asked to
 * explain, and what the client will need of locked memory.
 */

#include "core/forward.h"

/*
 * What a VM manager pins beside the memory of its guest: firmware, video memory, and what else of its own it
 * maps for the device.
 */
#define MEMLOCK_EXTRA (UINT64_C(128) << 20)

/*
 * Appends a PLAN_FACT for each fact. @reserved: the one who asks may not know what the host does, and nobody
 * is asked for him.
 */
int explain_plan(const Manager *manager, const Subject *subject, const Request *request, bool reserved,
        Plan *plan) _must_check_;

/*
 * Appends a fact for each limit that one more lease counts against: of the user, and of the rules that grant
 * the devices.
 */
int explain_quota(Manager *manager, const Subject *subject, const Request *request,
        Plan *plan) _must_check_;

/*
 * Up to how many bytes the limit of locked memory of the client's process is raised when the devices are
 * handed out: what @request->ram takes, and no more than each rule by which they are granted has. 0: it
 * stays.
 */
uint64_t plan_memlock(const Plan *plan, const Request *request);

/* Appends whether the client may pin @request->ram, if that is given. */
int explain_memory(const Request *request, Plan *plan) _must_check_;
