/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the journal keeps of grants, refusals and ends, under the message ids of names.h, and the kernel's
 * audit log of who had which device.
 */

#include "core/forward.h"
#include "core/kernel.h"

void audit_granted(const Lease *lease);
/* The limit of locked memory of its client's process was raised from @before bytes; @error: could not be. */
void audit_memlock(const Lease *lease, pid_t pid, uint64_t before, int error);

/*
 * A request was refused. @n_untold: so were as many others of the same user before, and nothing was said of
 * them.
 */
void audit_refused(const Subject *subject, const char *const *selectors, size_t n_selectors,
                   const Refusal *refusal, uint64_t n_untold);
/* The same of a call of @method, which was about @lease, or @group, or neither. */
void audit_denied(const Subject *subject, const char *method, const Lease *lease, const uint32_t *group,
                  const Refusal *refusal, uint64_t n_untold);

void audit_failed(const Lease *lease);       /* it was refused only after its drivers had been touched */
void audit_ending(const Lease *lease);       /* it is over, what it had is not back yet */
void audit_reset(const char *device, uint64_t lease);
void audit_stuck(const Lease *lease);
void audit_ended(const Lease *lease);
/* its record had a device that is with @owner, or, where that is NULL, with a claim */
void audit_stale(const Lease *lease, const char *device, const Lease *owner);
void audit_requested(const Lease *lease, const char *reason);    /* its holder is asked to release it */
/* a device, which may have a driver, has appeared in a group of it */
void audit_grew(const Lease *lease, const char *device, uint32_t group, const char *driver);

/* A holder of the device is ended: with its unit, or alone when @unit is NULL; or it is not. */
void audit_holder_ended(const Lease *lease, const char *device, const Holder *holder, const char *unit);
void audit_holder_spared(const Lease *lease, const char *device, const Holder *holder, const char *unit);
void audit_unit_not_stopped(const char *device, uint64_t lease, const char *unit, const char *why);
void audit_process_not_ended(const char *device, pid_t pid, const KernelFailure *failure);

void audit_quarantined(const QuarantineEntry *entry);
void audit_cleared(const char *device);
void audit_parked(const Claim *claim);
void audit_claim_failed(const Claim *claim); /* parking it, or giving it back */
void audit_unclaimed(const Claim *claim);

/* @subject asked for it, NULL: it was at start or by signal. @error is what is wrong with it, or NULL. */
void audit_policy(const Subject *subject, const char *error, size_t n_rules);
