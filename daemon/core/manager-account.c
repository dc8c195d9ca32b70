/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "core/account.h"
#include "core/limits.h"
#include "core/manager.h"

/* By uid, and of each the one for all it has first. */
static int account_compare(const void *key, const void *item) {
        const Account *wanted = key, *account = item;

        if (wanted->uid != account->uid)
                return wanted->uid < account->uid ? -1 : 1;

        return strcmp(wanted->rule ?: "", account->rule ?: "");
}

int manager_get_account(Manager *manager, uid_t uid, const char *rule, Account **ret) {
        const Account key = { .uid = uid, .rule = (char *) rule };
        _cleanup_(account_freep) Account *account = NULL;
        Account *found;
        int r;

        found = ptr_array_find(&manager->accounts, &key, account_compare);
        if (found) {
                *ret = found;
                return 0;
        }

        r = account_new(uid, rule, &account);
        if (r < 0)
                return r;

        r = ptr_array_insert(&manager->accounts, &key, account, account_compare);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(account);
        return 0;
}

void manager_forget_accounts(Manager *manager, uint64_t now_usec) {
        PtrArray *accounts = &manager->accounts;
        size_t n = 0;

        if (accounts->n_items <= manager->accounts_max)
                return;

        for (size_t i = 0; i < accounts->n_items; i++)
                if (account_is_idle(accounts->items[i], now_usec))
                        account_free(accounts->items[i]);
                else
                        accounts->items[n++] = accounts->items[i];
        accounts->n_items = n;

        /* Those that are kept are not looked through again before there are as many others */
        manager->accounts_max = n > LIMIT_IDLE_ACCOUNTS / 2 ? 2 * n : LIMIT_IDLE_ACCOUNTS;
}
