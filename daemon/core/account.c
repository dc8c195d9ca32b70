/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "core/account.h"
#include "core/limits.h"

unsigned account_limit(AccountSlot slot) {
        static const unsigned limits[_ACCOUNT_SLOT_MAX] = {
                [ACCOUNT_LEASES] = LIMIT_UID_LEASES,
                [ACCOUNT_DEVICES] = LIMIT_UID_DEVICES,
        };

        return limits[slot];
}

int account_new(uid_t uid, Account **ret) {
        Account *account;

        account = calloc(1, sizeof(*account));
        if (!account)
                return -ENOMEM;

        account->uid = uid;
        *ret = account;
        return 0;
}

Account *account_free(Account *account) {
        if (!account)
                return NULL;

        for (size_t i = 0; i < _ACCOUNT_SLOT_MAX; i++)
                assert(account->used[i] == 0);

        free(account);
        return NULL;
}

/* used <= limit always, so that the differences can't wrap */
bool account_has_room(const Account *account, unsigned devices) {
        return account_limit(ACCOUNT_LEASES) - account->used[ACCOUNT_LEASES] >= 1 &&
               account_limit(ACCOUNT_DEVICES) - account->used[ACCOUNT_DEVICES] >= devices;
}

int charge_take(Charge *charge, Account *account, unsigned devices) {
        const unsigned amount[_ACCOUNT_SLOT_MAX] = {
                [ACCOUNT_LEASES] = 1,
                [ACCOUNT_DEVICES] = devices,
        };

        assert(!charge->account);

        if (!account_has_room(account, devices))
                return CHARGE_QUOTA;

        charge->account = account;
        for (size_t i = 0; i < _ACCOUNT_SLOT_MAX; i++) {
                account->used[i] += amount[i];
                charge->amount[i] = amount[i];
        }

        return 0;
}

void charge_done(Charge *charge) {
        if (!charge->account)
                return;

        for (size_t i = 0; i < _ACCOUNT_SLOT_MAX; i++) {
                assert(charge->account->used[i] >= charge->amount[i]);
                charge->account->used[i] -= charge->amount[i];
        }

        *charge = (Charge) {};
}
