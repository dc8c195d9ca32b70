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

        assert_ok(account_new(1000, "a.json: rules[0]", &account));
        assert_eq_int(account->uid, 1000);
        assert_eq_str(account->rule, "a.json: rules[0]");

        assert_eq_int(charge_take(&a, account, ACCOUNT_DEVICES, 3, 8), 0);
        assert_eq_int(charge_take(&b, account, ACCOUNT_DEVICES, 5, 8), 0);
        assert_eq_int(charge_take(&b, account, ACCOUNT_PINNED_BYTES, UINT64_C(1) << 40, UINT64_MAX), 0);
        assert_eq_int(account->used[ACCOUNT_DEVICES], 8);

        charge_done(&a);
        assert_eq_int(account->used[ACCOUNT_DEVICES], 5);
        charge_done(&a);                     /* holds nothing any more */
        assert_eq_int(account->used[ACCOUNT_DEVICES], 5);

        charge_refund(&b, ACCOUNT_DEVICES, 2);
        assert_eq_int(account->used[ACCOUNT_DEVICES], 3);
        charge_refund(&b, ACCOUNT_DEVICES, 0);
        charge_done(&b);
        for (AccountSlot slot = 0; slot < _ACCOUNT_CHARGED_MAX; slot++)
                assert_eq_int(account->used[slot], 0);
}

static void test_limit(void) {
        _cleanup_(account_freep) Account *account = NULL;
        Charge all = {}, more = {};

        assert_ok(account_new(1000, NULL, &account));
        assert_eq_int(charge_take(&all, account, ACCOUNT_DEVICES, 129, 128), CHARGE_QUOTA);
        assert_eq_int(charge_take(&all, account, ACCOUNT_DEVICES, UINT64_MAX, 128), CHARGE_QUOTA);
        assert(!all.account);
        assert_eq_int(account->used[ACCOUNT_DEVICES], 0);

        assert_eq_int(charge_take(&all, account, ACCOUNT_DEVICES, 128, 128), 0);
        assert(account_has_room(account, ACCOUNT_DEVICES, 0, 128));
        assert(!account_has_room(account, ACCOUNT_DEVICES, 1, 128));
        assert(account_has_room(account, ACCOUNT_LEASES, 1, 1));
        assert_eq_int(charge_take(&more, account, ACCOUNT_DEVICES, 1, 128), CHARGE_QUOTA);

        /* the limit was lowered meanwhile: there is no room, and not a lot either */
        assert(!account_has_room(account, ACCOUNT_DEVICES, 0, 1));
        assert(!account_has_room(account, ACCOUNT_DEVICES, 1, 1));
        charge_force(&more, account, ACCOUNT_DEVICES, 1);
        assert_eq_int(account->used[ACCOUNT_DEVICES], 129);
        charge_done(&more);
        charge_done(&all);
}

/* Each step asks so many times at once, so long after the one before. */
static void test_requests(void) {
        static const struct {
                uint64_t per_second, after_usec;
                unsigned n_asked, n_admitted;
        } table[] = {
                { 10, 0, 12, 10 },
                { 10, 99999, 1, 0 },
                { 10, 1, 2, 1 },
                { 10, 10000000, 100, 10 },   /* what was not used for long does not add up */
                { 1, 1000000, 5, 1 },
                { 1, 999999, 1, 0 },
                { 1, 1, 1, 1 },
                { 3, 1000000, 5, 3 },
                { 0, 1000000, 5, 0 },
                { 2000000, 1000000, 1000, 1000 },
        };
        _cleanup_(account_freep) Account *account = NULL;
        uint64_t now = 1234567;

        assert_ok(account_new(1000, NULL, &account));
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                unsigned n = 0;

                now += table[i].after_usec;
                for (unsigned j = 0; j < table[i].n_asked; j++)
                        n += account_admit(account, table[i].per_second, now);
                if (n != table[i].n_admitted)
                        assert_failed(__FILE__, __LINE__, "account_admit", "step %zu: %u", i, n);
        }
}

/* Of requests that are not admitted, one in a second is told, with how many were not. */
static void test_untold(void) {
        static const struct {
                uint64_t after_usec, expected;       /* UINT64_MAX: it is not told */
        } table[] = {
                { 0, 0 },
                { 0, UINT64_MAX },
                { 999999, UINT64_MAX },
                { 1, 2 },
                { 999999, UINT64_MAX },
                { 5000000, 1 },
                { 1000000, 0 },
        };
        _cleanup_(account_freep) Account *account = NULL;
        uint64_t now = 1234567;

        assert_ok(account_new(1000, NULL, &account));
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                uint64_t n = UINT64_MAX;

                now += table[i].after_usec;
                assert_eq_int(account_tell_refusal(account, now, &n), table[i].expected != UINT64_MAX);
                assert_eq_int(n, table[i].expected);
        }
}

static void test_idle(void) {
        const uint64_t now = 1234567;
        const struct {
                Account account;
                bool idle;
        } table[] = {
                { {}, true },
                { { .used[ACCOUNT_LEASES] = 1 }, false },
                { { .used[ACCOUNT_PASIDS] = 1 }, false },
                { { .admitted_usec = now }, true },
                { { .admitted_usec = now + 1 }, false },
                { { .told_usec = now }, false },
                { { .told_usec = now - 1000000, .n_untold = 1 }, false },
        };
        Account told = { .told_usec = now, .n_untold = 1 };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                assert_eq_int(account_is_idle(&table[i].account, now), table[i].idle);
        assert(!account_is_idle(&told, now + LIMIT_UNTOLD_USEC - 1));
        assert(account_is_idle(&told, now + LIMIT_UNTOLD_USEC));
}

static void test_names(void) {
        for (AccountSlot slot = 0; slot < _ACCOUNT_SLOT_MAX; slot++) {
                assert_eq_int(account_slot_from_string(account_slot_to_string(slot)), slot);
                assert(account_default_limit(slot) > 0);
        }
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

static void refund_too_much(Account *account) {
        Charge charge = {};

        charge_force(&charge, account, ACCOUNT_DEVICES, 1);
        charge_refund(&charge, ACCOUNT_DEVICES, 2);
}

static void charge_other(Account *account) {
        Account other = {};
        Charge charge = {};

        charge_force(&charge, account, ACCOUNT_DEVICES, 1);
        charge_force(&charge, &other, ACCOUNT_DEVICES, 1);
}

static void test_leaks_are_noticed(void) {
        Account *account;
        Charge charge = {};

        assert_ok(account_new(1000, NULL, &account));
        assert_eq_int(signal_of(refund_too_much, account), SIGABRT);
        assert_eq_int(signal_of(charge_other, account), SIGABRT);

        charge_force(&charge, account, ACCOUNT_DEVICES, 1);
        assert_eq_int(signal_of(free_it, account), SIGABRT);

        charge_done(&charge);
        assert_eq_int(signal_of(free_it, account), 0);
        account_free(account);
        account_free(NULL);
}

int main(void) {
        test_charge();
        test_limit();
        test_requests();
        test_untold();
        test_idle();
        test_names();
        test_leaks_are_noticed();
        return 0;
}
