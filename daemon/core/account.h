/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An account per uid, and charges on it: whatever a user can make exist carries its charge as a field, and
 * freeing the thing refunds it. An account can't be freed while anything is charged to it.
 */

#include "core/forward.h"

typedef enum AccountSlot {
        ACCOUNT_LEASES,
        ACCOUNT_DEVICES,
        _ACCOUNT_SLOT_MAX,
} AccountSlot;

struct Account {
        uid_t uid;
        unsigned used[_ACCOUNT_SLOT_MAX];
};

typedef struct Charge {
        Account *account;                    /* borrowed; NULL: nothing is charged */
        unsigned amount[_ACCOUNT_SLOT_MAX];
} Charge;

enum {
        _CHARGE_TAKEN,
        CHARGE_QUOTA,                        /* the account's limit would be passed; nothing was charged */
};

int account_new(uid_t uid, Account **ret) _must_check_;
Account *account_free(Account *account);
DEFINE_CLEANUP_FUNC(Account, account_free);

/* The most that any uid may have of it. */
unsigned account_limit(AccountSlot slot);

/* Whether one more lease of @devices devices could be charged. */
bool account_has_room(const Account *account, unsigned devices);

/* Charges one lease of @devices devices. Returns 0 or CHARGE_QUOTA. */
int charge_take(Charge *charge, Account *account, unsigned devices) _must_check_;

/* Refunds; a charge that holds nothing is left as it is. */
void charge_done(Charge *charge);
