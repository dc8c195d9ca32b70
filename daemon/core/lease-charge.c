/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <string.h>

#include "core/context.h"
#include "core/lease-charge.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/policy.h"
#include "core/refusal.h"
#include "core/subject.h"

uint64_t manager_limit(const Manager *manager, const Account *account, const Subject *subject,
                       AccountSlot slot, const char **ret_origin) {
        const PolicyRule *rule;

        if (!account->rule)
                return policy_limit(manager->policy, subject, slot, ret_origin);

        /* One that a reload has taken away limits nothing any more */
        rule = policy_find_rule(manager->policy, account->rule);
        if (!rule || !(rule->limits.set & (1U << slot))) {
                *ret_origin = NULL;
                return UINT64_MAX;
        }

        *ret_origin = rule->origin;
        return rule->limits.max[slot];
}

int manager_check_quota(const Manager *manager, const Account *account, const Subject *subject,
                        AccountSlot slot, uint64_t amount, Refusal *reterr) {
        const char *origin;
        uint64_t limit;

        limit = manager_limit(manager, account, subject, slot, &origin);
        if (account_has_room(account, slot, amount, limit))
                return 0;

        return refuse(reterr, OUTCOME_QUOTA,
                "uid %u has %" PRIu64 " %s%s%s and asks for %" PRIu64 " more, but %s lets a user have "
                "%" PRIu64
                ": release some first", account->uid, account->used[slot], account_slot_to_string(slot),
                account->rule ? " by " : "", account->rule ?: "", amount, origin ?: "iommud", limit);
}

int manager_admit(Manager *manager, const Subject *subject, uint64_t now_usec, Refusal *reterr) {
        const char *origin;
        Account *account;
        uint64_t limit;
        int r;

        manager_forget_accounts(manager, now_usec);
        if (subject_is_root(subject))
                return 0;

        r = manager_get_account(manager, subject->uid, /* rule= */ NULL, &account);
        if (r < 0)
                return r;

        limit = policy_limit(manager->policy, subject, ACCOUNT_REQUESTS_PER_SECOND, &origin);
        if (account_admit(account, limit, now_usec))
                return 0;

        return refuse(reterr, OUTCOME_QUOTA,
                "uid %u asks too often: %s lets a user make %" PRIu64 " requests_per_second; try again "
                "later",
                subject->uid, origin ?: "iommud", limit);
}

bool manager_tell_refusal(
        Manager *manager, const Subject *subject, uint64_t now_usec, uint64_t *ret_untold) {
        Account *account;

        *ret_untold = 0;
        if (manager_get_account(manager, subject->uid, /* rule= */ NULL, &account) < 0)
                return true;                 /* rather one too many than none */

        return account_tell_refusal(account, now_usec, ret_untold);
}

int manager_admit_by_rule(Manager *manager, const Subject *subject, const PolicyRule *rule,
                          uint64_t now_usec, Refusal *reterr) {
        uint64_t limit = rule->limits.max[ACCOUNT_REQUESTS_PER_SECOND];
        Account *account;
        int r;

        if (!(rule->limits.set & (1U << ACCOUNT_REQUESTS_PER_SECOND)) || subject_is_root(subject))
                return 0;

        r = manager_get_account(manager, subject->uid, rule->origin, &account);
        if (r < 0)
                return r;

        if (account_admit(account, limit, now_usec))
                return 0;

        return refuse(reterr, OUTCOME_QUOTA,
                "uid %u asks too often for what %s grants, which lets a user make %" PRIu64
                " requests_per_second; try again later", subject->uid, rule->origin, limit);
}

/* The charge of the lease on the account of a rule; of a rule that it has none for yet, an empty one. */
static Charge *lease_rule_charge(Lease *lease, const Account *account) {
        for (unsigned i = 0; i < lease->n_rule_charges; i++)
                if (lease->rule_charges[i].account == account)
                        return &lease->rule_charges[i];

        /* there are no more rules than devices that were granted */
        assert(lease->n_rule_charges < ELEMENTSOF(lease->rule_charges));
        return &lease->rule_charges[lease->n_rule_charges++];
}

int lease_charge_lease(Lease *lease) {
        Account *account;
        int r;

        r = manager_get_account(lease->manager, lease->subject.uid, /* rule= */ NULL, &account);
        if (r < 0)
                return r;

        charge_force(&lease->charge, account, ACCOUNT_LEASES, 1);
        return 0;
}

int lease_charge_device(Lease *lease, LeaseDevice *device, const char *rule) {
        Account *account = NULL;
        Charge *charge;
        int r;

        assert(lease->charge.account && !device->charged);

        if (rule) {
                r = manager_get_account(lease->manager, lease->subject.uid, rule, &account);
                if (r < 0)
                        return r;

                charge = lease_rule_charge(lease, account);
                if (!charge->account)
                        charge_force(charge, account, ACCOUNT_LEASES, 1);
                charge_force(charge, account, ACCOUNT_DEVICES, 1);
        }

        charge_force(&lease->charge, lease->charge.account, ACCOUNT_DEVICES, 1);
        device->charged = true;
        device->rule = account;
        return 0;
}

void lease_refund_device(Lease *lease, LeaseDevice *device) {
        if (!device->charged)
                return;

        charge_refund(&lease->charge, ACCOUNT_DEVICES, 1);
        if (device->rule) {
                Charge *charge = lease_rule_charge(lease, device->rule);

                charge_refund(charge, ACCOUNT_DEVICES, 1);
                if (charge->amount[ACCOUNT_DEVICES] == 0) {
                        /* nothing of the lease is by this rule any more */
                        charge_done(charge);
                        *charge = lease->rule_charges[--lease->n_rule_charges];
                }
        }

        device->charged = false;
        device->rule = NULL;
}

int lease_charge(Lease *lease, AccountSlot slot, uint64_t amount, Refusal *reterr) {
        const Manager *manager = lease->manager;

        if (manager_check_quota(manager, lease->charge.account, &lease->subject, slot, amount, reterr) > 0)
                return OUTCOME_QUOTA;
        for (unsigned i = 0; i < lease->n_rule_charges; i++)
                if (manager_check_quota(manager, lease->rule_charges[i].account, &lease->subject, slot,
                                        amount, reterr) > 0)
                        return OUTCOME_QUOTA;

        charge_force(&lease->charge, lease->charge.account, slot, amount);
        for (unsigned i = 0; i < lease->n_rule_charges; i++)
                charge_force(&lease->rule_charges[i], lease->rule_charges[i].account, slot, amount);
        return 0;
}

void lease_refund(Lease *lease, AccountSlot slot, uint64_t amount) {
        /* less, when there was no memory to charge it after a restart */
        charge_refund(&lease->charge, slot,
                      amount < lease->charge.amount[slot] ? amount : lease->charge.amount[slot]);
        for (unsigned i = 0; i < lease->n_rule_charges; i++) {
                Charge *charge = &lease->rule_charges[i];

                /* less, when the rule has come with a device that was added later */
                charge_refund(charge, slot, amount < charge->amount[slot] ? amount : charge->amount[slot]);
        }
}

static void lease_charge_force(Lease *lease, AccountSlot slot, uint64_t amount) {
        if (!lease->charge.account)
                return;

        charge_force(&lease->charge, lease->charge.account, slot, amount);
        for (unsigned i = 0; i < lease->n_rule_charges; i++)
                charge_force(&lease->rule_charges[i], lease->rule_charges[i].account, slot, amount);
}

void lease_charge_context(Lease *lease) {
        if (!lease->context)
                return;

        lease_charge_force(lease, ACCOUNT_DOMAINS,
                           lease->context->domains.n_items + lease->context->virtuals.n_items);
        lease_charge_force(lease, ACCOUNT_MAPPINGS, context_count_mappings(lease->context));
        lease_charge_force(lease, ACCOUNT_PINNED_BYTES, context_count_pinned(lease->context));
        for (unsigned i = 0; i < lease->n_devices; i++)
                lease_charge_force(lease, ACCOUNT_PASIDS, lease->devices[i].dma.n_pasids);
}

void lease_refund_context(Lease *lease) {
        if (!lease->context || !lease->charge.account)
                return;

        lease_refund(lease, ACCOUNT_DOMAINS,
                     lease->context->domains.n_items + lease->context->virtuals.n_items);
        lease_refund(lease, ACCOUNT_MAPPINGS, context_count_mappings(lease->context));
        lease_refund(lease, ACCOUNT_PINNED_BYTES, context_count_pinned(lease->context));
        for (unsigned i = 0; i < lease->n_devices; i++)
                lease_refund(lease, ACCOUNT_PASIDS, lease->devices[i].dma.n_pasids);
}

void lease_refund_all(Lease *lease) {
        for (unsigned i = 0; i < lease->n_devices; i++) {
                lease->devices[i].charged = false;
                lease->devices[i].rule = NULL;
        }
        for (unsigned i = 0; i < lease->n_rule_charges; i++)
                charge_done(&lease->rule_charges[i]);

        lease->n_rule_charges = 0;
        charge_done(&lease->charge);
}
