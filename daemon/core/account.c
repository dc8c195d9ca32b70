/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "core/account.h"
#include "core/limits.h"

#define USEC_PER_SEC UINT64_C(1000000)

static const char *const account_slot_table[] = {
        [ACCOUNT_LEASES] = "leases",
        [ACCOUNT_DEVICES] = "devices",
        [ACCOUNT_DOMAINS] = "domains",
        [ACCOUNT_MAPPINGS] = "mappings",
        [ACCOUNT_PINNED_BYTES] = "pinned_bytes",
        [ACCOUNT_PASIDS] = "pasids",
        [ACCOUNT_REQUESTS_PER_SECOND] = "requests_per_second",
};

DEFINE_STRING_TABLE(account_slot, AccountSlot, _ACCOUNT_SLOT_MAX);

uint64_t account_default_limit(AccountSlot slot) {
        static const uint64_t limits[_ACCOUNT_SLOT_MAX] = {
                [ACCOUNT_LEASES] = LIMIT_UID_LEASES,
                [ACCOUNT_DEVICES] = LIMIT_UID_DEVICES,
                [ACCOUNT_DOMAINS] = LIMIT_UID_DOMAINS,
                [ACCOUNT_MAPPINGS] = LIMIT_UID_MAPPINGS,
                [ACCOUNT_PINNED_BYTES] = LIMIT_UID_PINNED_BYTES,
                [ACCOUNT_PASIDS] = LIMIT_UID_PASIDS,
                [ACCOUNT_REQUESTS_PER_SECOND] = LIMIT_UID_REQUESTS_PER_SECOND,
        };

        return limits[slot];
}

int account_new(uid_t uid, const char *rule, Account **ret) {
        _cleanup_(account_freep) Account *account = NULL;

        account = calloc(1, sizeof(*account));
        if (!account)
                return -ENOMEM;

        account->uid = uid;
        if (rule) {
                account->rule = strdup(rule);
                if (!account->rule)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(account);
        return 0;
}

Account *account_free(Account *account) {
        if (!account)
                return NULL;

        for (size_t i = 0; i < _ACCOUNT_CHARGED_MAX; i++)
                assert(account->used[i] == 0);

        free(account->rule);
        free(account);
        return NULL;
}

/* More may be used than the limit is, when that was lowered since */
bool account_has_room(const Account *account, AccountSlot slot, uint64_t amount, uint64_t limit) {
        assert(slot < _ACCOUNT_CHARGED_MAX);

        return account->used[slot] <= limit && amount <= limit - account->used[slot];
}

/*
 * Each request takes its share of a second; they may be admitted until the shares reach a second into the
 * future.
 */
bool account_admit(Account *account, uint64_t per_second, uint64_t now_usec) {
        uint64_t share, from;

        if (per_second == 0)
                return false;

        share = USEC_PER_SEC / per_second;
        from = account->admitted_usec > now_usec ? account->admitted_usec : now_usec;
        if (from - now_usec + share > USEC_PER_SEC)
                return false;

        account->admitted_usec = from + share;
        return true;
}

bool account_tell_refusal(Account *account, uint64_t now_usec, uint64_t *ret_untold) {
        if (account->told_usec != 0 && now_usec - account->told_usec < USEC_PER_SEC) {
                account->n_untold++;
                return false;
        }

        *ret_untold = account->n_untold;
        account->told_usec = now_usec;
        account->n_untold = 0;
        return true;
}

bool account_is_idle(const Account *account, uint64_t now_usec) {
        for (size_t i = 0; i < _ACCOUNT_CHARGED_MAX; i++)
                if (account->used[i] > 0)
                        return false;

        return account->admitted_usec <= now_usec &&
               (account->told_usec == 0 || now_usec - account->told_usec >= LIMIT_UNTOLD_USEC);
}

void charge_force(Charge *charge, Account *account, AccountSlot slot, uint64_t amount) {
        assert(!charge->account || charge->account == account);
        assert(slot < _ACCOUNT_CHARGED_MAX);

        charge->account = account;
        charge->amount[slot] += amount;
        account->used[slot] += amount;
        assert(account->used[slot] >= amount);
}

int charge_take(Charge *charge, Account *account, AccountSlot slot, uint64_t amount, uint64_t limit) {
        assert(!charge->account || charge->account == account);

        if (!account_has_room(account, slot, amount, limit))
                return CHARGE_QUOTA;

        charge_force(charge, account, slot, amount);
        return 0;
}

void charge_refund(Charge *charge, AccountSlot slot, uint64_t amount) {
        assert(slot < _ACCOUNT_CHARGED_MAX);
        assert(charge->amount[slot] >= amount);
        if (amount == 0)
                return;

        assert(charge->account && charge->account->used[slot] >= amount);
        charge->account->used[slot] -= amount;
        charge->amount[slot] -= amount;
}

void charge_done(Charge *charge) {
        for (AccountSlot slot = 0; slot < _ACCOUNT_CHARGED_MAX; slot++)
                charge_refund(charge, slot, charge->amount[slot]);

        *charge = (Charge) {};
}
