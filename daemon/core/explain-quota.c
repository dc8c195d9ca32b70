/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>

#include "core/account.h"
#include "core/explain.h"
#include "core/fact.h"
#include "core/lease-charge.h"
#include "core/manager.h"
#include "core/plan.h"
#include "core/policy.h"
#include "core/subject.h"

/* What one more lease takes of an account. */
typedef struct QuotaQuestion {
        const Manager *manager;
        const Subject *subject;
        const Account *account;
        unsigned n_devices;
        Plan *plan;
} QuotaQuestion;

static uint64_t asked_of(const QuotaQuestion *q, AccountSlot slot) {
        return slot == ACCOUNT_LEASES ? 1 : slot == ACCOUNT_DEVICES ? q->n_devices : 0;
}

static int explain_slot(const QuotaQuestion *q, AccountSlot slot) {
        uint64_t used = q->account->used[slot], asked = asked_of(q, slot), max;
        const char *name = account_slot_to_string(slot), *origin;
        bool room;
        Fact fact;

        max = manager_limit(q->manager, q->account, q->subject, slot, &origin);
        room = account_has_room(q->account, slot, asked, max);
        fact_init(&fact, FACT_QUOTA, room ? FACT_GOOD : FACT_BAD,
                  "uid %u has %" PRIu64 " of the %" PRIu64 " %s that %s lets a user have%s, and this takes "
                  "%" PRIu64 "%s", q->account->uid, used, max, name, origin ?: "iommud",
                  q->account->rule ? " by it" : "", asked, room ? "" : ": release some first");

        fact_add_text(&fact, "limit", name);
        fact_add_text(&fact, "rule", origin ?: "");
        fact_add_number(&fact, "max", max);
        fact_add_number(&fact, "used", used);
        fact_add_number(&fact, "asked", asked);
        if (room)
                fact_add_number(&fact, "left", max - used - asked);
        return plan_append_fact(q->plan, /* device= */ NULL, &fact);
}

/* Of all @slots (1 << AccountSlot). */
static int explain_account(const QuotaQuestion *q, unsigned slots) {
        int r = 0;

        for (AccountSlot slot = 0; r >= 0 && slot < _ACCOUNT_CHARGED_MAX; slot++)
                if (slots & (1U << slot))
                        r = explain_slot(q, slot);

        return r;
}

int explain_quota(Manager *manager, const Subject *subject, const Request *request, Plan *plan) {
        /* what the client makes by itself is limited by nobody here */
        const unsigned counted = request->mode == MODE_VMM ? 1U << ACCOUNT_LEASES | 1U << ACCOUNT_DEVICES :
                                                             (1U << _ACCOUNT_CHARGED_MAX) - 1;
        Account *account;
        int r;

        if (plan->n_devices == 0)
                return 0;

        r = manager_get_account(manager, subject->uid, /* rule= */ NULL, &account);
        if (r >= 0)
                r = explain_account(&(QuotaQuestion) { manager, subject, account, plan->n_devices, plan },
                                    counted);

        for (unsigned i = 0; r >= 0 && i < plan->n_devices; i++) {
                const PolicyRule *rule = plan->rules[i];
                unsigned n;

                if (!rule || rule->limits.set == 0 || !plan_count_by_rule(plan, i, &n))
                        continue;

                r = manager_get_account(manager, subject->uid, rule->origin, &account);
                if (r >= 0)
                        r = explain_account(&(QuotaQuestion) { manager, subject, account, n, plan },
                                            counted & rule->limits.set);
        }

        return r;
}
