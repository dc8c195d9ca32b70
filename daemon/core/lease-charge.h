/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a lease costs the accounts of its user: that of everything he has, and one for each rule with limits
 * that granted devices of it.
 */

#include "core/account.h"
#include "core/forward.h"

/*
 * The most that may be charged to an account. *ret_origin, borrowed, is where that stands; NULL: it is built
 * in, or (UINT64_MAX) there is none. @subject is of the uid of the account.
 */
uint64_t manager_limit(const Manager *manager, const Account *account, const Subject *subject,
                       AccountSlot slot, const char **ret_origin);

/* Whether there is room. Returns 0, or OUTCOME_QUOTA, which names the limit and whose it is. */
int manager_check_quota(const Manager *manager, const Account *account, const Subject *subject,
                        AccountSlot slot, uint64_t amount, Refusal *reterr);

/*
 * Counts a request of @subject at @now_usec (CLOCK_BOOTTIME). Returns 0; OUTCOME_QUOTA when too many have
 * come; or a negative errno. Root of the host may ask as often as it likes.
 */
int manager_admit(Manager *manager, const Subject *subject, uint64_t now_usec, Refusal *reterr) _must_check_;

/* The same of those that are about what @rule grants, if that has a limit for them. */
int manager_admit_by_rule(Manager *manager, const Subject *subject, const PolicyRule *rule,
                          uint64_t now_usec, Refusal *reterr) _must_check_;

/*
 * Whether the journal is told that one more of its requests was not admitted; *ret_untold: of how many
 * before it nothing was said.
 */
bool manager_tell_refusal(Manager *manager, const Subject *subject, uint64_t now_usec, uint64_t *ret_untold);

/*
 * Charges a lease, or a device that becomes part of it by @rule (NULL: by none), after the plan has found
 * that there is room. Returns 0 or -ENOMEM with nothing changed.
 */
int lease_charge_lease(Lease *lease) _must_check_;
int lease_charge_device(Lease *lease, LeaseDevice *device, const char *rule) _must_check_;
void lease_refund_device(Lease *lease, LeaseDevice *device);

/*
 * Charges what is made in a lease: domains, mappings, pinned bytes, PASIDs. Returns 0, or OUTCOME_QUOTA with
 * nothing charged.
 */
int lease_charge(Lease *lease, AccountSlot slot, uint64_t amount, Refusal *reterr) _must_check_;
void lease_refund(Lease *lease, AccountSlot slot, uint64_t amount);

/* The same for all that is in its context: what was there before, and what goes at once. */
void lease_charge_context(Lease *lease);
void lease_refund_context(Lease *lease);

/* Refunds all. */
void lease_refund_all(Lease *lease);
