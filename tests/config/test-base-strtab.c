/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every string table there is: each value has a string of its own, and comes back from it. */

#include <string.h>

#include "core/group.h"
#include "core/lease.h"
#include "core/plan.h"
#include "core/policy.h"
#include "core/refusal.h"
#include "core/task.h"

#define TEST_TABLE(name, type, max)                                                                         \
        static void test_##name(void) {                                                                     \
                for (int i = 0; i < (int) (max); i++) {                                                     \
                        const char *s = name##_to_string((type) i);                                         \
                                                                                                            \
                        assert(s && *s);                                                                    \
                        assert((int) name##_from_string(s) == i);                                           \
                }                                                                                           \
                                                                                                            \
                assert((int) name##_from_string(NULL) == -EINVAL);                                          \
                assert((int) name##_from_string("") == -EINVAL);                                            \
                assert((int) name##_from_string("no such value") == -EINVAL);                               \
        }                                                                                                   \
        struct _test_table_needs_a_semicolon_

TEST_TABLE(accounting, Accounting, _ACCOUNTING_MAX);
TEST_TABLE(dma_owner, DmaOwner, _DMA_OWNER_MAX);
TEST_TABLE(lease_state, LeaseState, _LEASE_STATE_MAX);
TEST_TABLE(mode, Mode, _MODE_MAX);
TEST_TABLE(outcome, Outcome, _OUTCOME_MAX);
TEST_TABLE(plan_action, PlanAction, _PLAN_ACTION_MAX);
TEST_TABLE(task_kind, TaskKind, _TASK_KIND_MAX);
TEST_TABLE(verdict, Verdict, _VERDICT_MAX);

int main(void) {
        test_accounting();
        test_dma_owner();
        test_lease_state();
        test_mode();
        test_outcome();
        test_plan_action();
        test_task_kind();
        test_verdict();
        return 0;
}
