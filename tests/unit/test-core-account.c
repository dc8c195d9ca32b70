/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Accounts: what is charged is refunded, limits hold, and a leak stops the program. */

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/account.h"
#include "core/limits.h"
#include "fake/assert.h"

static void test_charge(void) {
        _cleanup_(account_freep) Account *account = NULL;
        Charge a = {}, b = {};

        assert_ok(account_new(1000, &account));
        assert_eq_int(account->uid, 1000);

        assert_eq_int(charge_take(&a, account, 3), 0);
        assert_eq_int(charge_take(&b, account, 5), 0);
        assert_eq_int(account->used[ACCOUNT_LEASES], 2);
        assert_eq_int(account->used[ACCOUNT_DEVICES], 8);

        charge_done(&a);
        assert_eq_int(account->used[ACCOUNT_LEASES], 1);
        assert_eq_int(account->used[ACCOUNT_DEVICES], 5);

        charge_done(&a);                     /* holds nothing any more */
        assert_eq_int(account->used[ACCOUNT_DEVICES], 5);

        charge_done(&b);
        assert_eq_int(account->used[ACCOUNT_LEASES], 0);
        assert_eq_int(account->used[ACCOUNT_DEVICES], 0);
}

static void test_limit_of_leases(void) {
        _cleanup_(account_freep) Account *account = NULL;
        Charge charges[LIMIT_UID_LEASES] = {}, more = {};

        assert_ok(account_new(1000, &account));
        for (unsigned i = 0; i < LIMIT_UID_LEASES; i++) {
                assert(account_has_room(account, 0));
                assert_eq_int(charge_take(&charges[i], account, 0), 0);
        }

        assert(!account_has_room(account, 0));
        assert_eq_int(charge_take(&more, account, 0), CHARGE_QUOTA);
        assert(!more.account);
        assert_eq_int(account->used[ACCOUNT_LEASES], LIMIT_UID_LEASES);

        charge_done(&charges[0]);
        assert_eq_int(charge_take(&more, account, 0), 0);

        charge_done(&more);
        for (unsigned i = 0; i < LIMIT_UID_LEASES; i++)
                charge_done(&charges[i]);
}

static void test_limit_of_devices(void) {
        _cleanup_(account_freep) Account *account = NULL;
        Charge all = {}, more = {};

        assert_ok(account_new(1000, &account));
        assert_eq_int(charge_take(&all, account, LIMIT_UID_DEVICES + 1), CHARGE_QUOTA);
        assert_eq_int(charge_take(&all, account, UINT32_MAX), CHARGE_QUOTA);
        assert_eq_int(account->used[ACCOUNT_LEASES], 0);

        assert_eq_int(charge_take(&all, account, LIMIT_UID_DEVICES), 0);
        assert(account_has_room(account, 0));
        assert(!account_has_room(account, 1));
        assert_eq_int(charge_take(&more, account, 1), CHARGE_QUOTA);
        charge_done(&all);
}

/* In a child: the signal that @func ends it with; 0: it came back. */
static int signal_of(void (*func)(Account *account), Account *account) {
        int status;
        pid_t pid;

        pid = fork();
        assert(pid >= 0);
        if (pid == 0) {
                (void) setrlimit(RLIMIT_CORE, &(struct rlimit) {});
                fclose(stderr);              /* the assertion is meant to fail */
                func(account);
                _exit(0);
        }

        assert_eq_int(waitpid(pid, &status, 0), pid);
        return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void free_it(Account *account) {
        account_free(account);
}

static void charge_twice(Account *account) {
        Charge charge = {};

        (void) !charge_take(&charge, account, 1);
        (void) !charge_take(&charge, account, 1);
}

static void test_leaks_are_noticed(void) {
        Account *account;
        Charge charge = {};

        assert_ok(account_new(1000, &account));
        assert_eq_int(signal_of(charge_twice, account), SIGABRT);

        assert_eq_int(charge_take(&charge, account, 0), 0);
        assert_eq_int(signal_of(free_it, account), SIGABRT);

        charge_done(&charge);
        assert_eq_int(signal_of(free_it, account), 0);
        account_free(account);
        account_free(NULL);
}

int main(void) {
        test_charge();
        test_limit_of_leases();
        test_limit_of_devices();
        test_leaks_are_noticed();
        return 0;
}
