/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Accounts, and charges on them: whatever a user can make exist carries its charge as a field, and freeing
 * the thing refunds it. There is one account for all that a uid has, and one for what it has by a rule that
 * has limits of its own. An account can't be freed while anything is charged to it.
 */

#include "core/forward.h"

typedef enum AccountSlot {
        ACCOUNT_LEASES,
        ACCOUNT_DEVICES,
        ACCOUNT_DOMAINS,
        ACCOUNT_MAPPINGS,
        ACCOUNT_PINNED_BYTES,
        ACCOUNT_PASIDS,
        _ACCOUNT_CHARGED_MAX,
        /* never charged, as requests are gone when they are answered: see account_admit() */
        ACCOUNT_REQUESTS_PER_SECOND = _ACCOUNT_CHARGED_MAX,
        _ACCOUNT_SLOT_MAX,
        _ACCOUNT_SLOT_INVALID = -EINVAL,
} AccountSlot;

/* The names that the limits have in the files. */
DECLARE_STRING_TABLE(account_slot, AccountSlot);

/* Limits that somebody has set; what is not set is not limited by these. */
typedef struct Limits {
        unsigned set;                        /* 1 << AccountSlot */
        uint64_t max[_ACCOUNT_SLOT_MAX];
} Limits;

struct Account {
        uid_t uid;
        char *rule;                          /* the origin of the rule that it is for; NULL: all; owned */
        uint64_t used[_ACCOUNT_CHARGED_MAX];
        uint64_t admitted_usec;              /* until when requests have been admitted ahead */
        uint64_t told_usec;                  /* when it was last told that one was not; 0: never */
        uint64_t n_untold;                   /* how many were not since */
};

typedef struct Charge {
        Account *account;                    /* borrowed; NULL: nothing is charged */
        uint64_t amount[_ACCOUNT_CHARGED_MAX];
} Charge;

enum {
        _CHARGE_TAKEN,
        CHARGE_QUOTA,                        /* the limit would be passed; nothing was charged */
};

/* @rule, which may be NULL, is copied. */
int account_new(uid_t uid, const char *rule, Account **ret) _must_check_;
Account *account_free(Account *account);
DEFINE_CLEANUP_FUNC(Account, account_free);

/* The most that any uid may have of it where the policy says nothing else. */
uint64_t account_default_limit(AccountSlot slot);

/* Whether @amount more could be charged under @limit. */
bool account_has_room(const Account *account, AccountSlot slot, uint64_t amount, uint64_t limit);

/*
 * Whether one more request can be served at @now_usec, of a clock that does not go back, when @per_second
 * may come in a second, and as many at once. One that can't is not counted.
 */
bool account_admit(Account *account, uint64_t per_second, uint64_t now_usec);

/*
 * Whether it is told, at @now_usec of the same clock, that a request was not admitted: one in a second is.
 * *ret_untold: of how many before it nothing was said.
 */
bool account_tell_refusal(Account *account, uint64_t now_usec, uint64_t *ret_untold);

/*
 * Whether a new one would say the same at @now_usec: nothing is charged, its requests are paid for, and what
 * was not told of refusals is long over.
 */
bool account_is_idle(const Account *account, uint64_t now_usec);

/* Adds to a charge, which is on no other account. Returns 0 or CHARGE_QUOTA. */
int charge_take(Charge *charge, Account *account, AccountSlot slot, uint64_t amount,
                uint64_t limit) _must_check_;

/* The same for what was there before the limit was. */
void charge_force(Charge *charge, Account *account, AccountSlot slot, uint64_t amount);

/* Refunds a part, which must have been charged. */
void charge_refund(Charge *charge, AccountSlot slot, uint64_t amount);

/* Refunds all; a charge that holds nothing is left as it is. */
void charge_done(Charge *charge);
