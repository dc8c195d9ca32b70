/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What speaks for and against a plan, each once, and what the one who asks is not told. */

#include "core/explain.h"
#include "core/policy.h"
#include "fake/assert.h"
#include "fake/scene.h"

#define DEVICE "0000:01:00.0"
#define SIBLING "0000:01:00.1"
#define GIB (UINT64_C(1) << 30)

static void explain(Scene *s, const Subject *subject, const Request *more, const char *selector, Plan *ret) {
        const char *const selectors[] = { selector };
        Request request = *more;

        request.selectors = selectors;
        request.n_selectors = 1;
        request.holder = -EBADF;
        request.now_usec = SCENE_NOW_USEC;
        assert_ok(plan_make(s->manager, subject, &request, ret, &s->changes));
}

/* The text of the fact about the topic, of that grade, of the device; NULL when there is none. */
static const Fact *find(const Plan *plan, const char *device, FactTopic topic, FactGrade grade) {
        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = &plan->steps[i];

                if (step->action == PLAN_FACT && step->fact.topic == topic && step->fact.grade == grade &&
                    strcmp(step->device, device) == 0)
                        return &step->fact;
        }

        return NULL;
}

static const FactValue *value_of(const Fact *fact, const char *key) {
        for (unsigned i = 0; i < fact->n_values; i++)
                if (strcmp(fact->values[i].key, key) == 0)
                        return &fact->values[i];

        assert_failed(__FILE__, __LINE__, key, "is not a value of the fact");
}

static const Fact *assert_fact(const Plan *plan, const char *device, FactTopic topic, FactGrade grade,
                               const char *part) {
        const Fact *fact = find(plan, device, topic, grade);

        if (!fact)
                assert_failed(__FILE__, __LINE__, fact_topic_to_string(topic), "is not told in that grade");
        assert_has(fact->text, part);
        return fact;
}

static const Request WITH_FACTS = { .explain = true };

static void test_all_is_well(void) {
        _cleanup_(plan_done) Plan plan = {}, quiet = {};
        _cleanup_scene_ Scene *s = scene_new();
        const Fact *fact;

        scene_add(s, DEVICE, 1, "nvme");
        scene_add(s, SIBLING, 1, "");
        strcpy(scene_facts(s, DEVICE)->reset_methods, "flr bus");
        s->host.facts = (HostFacts) {
                .hops = { { .name = "0000:00:01.0", .group = 9, .acs_known = true,
                            .acs_supported = "SV RR EC", .acs_enabled = "SV RR" } },
                .n_hops = 1,
                .interrupts = INTERRUPTS_ISOLATED,
                .iommufd = true,
                .vfio_driver = true,
        };
        scene_commit(s);
        explain(s, &ALICE, &WITH_FACTS, DEVICE, &plan);
        assert(!plan_refusal(&plan));

        fact = assert_fact(&plan, DEVICE, FACT_POLICY, FACT_GOOD, "decides: allow");
        assert_eq_str(value_of(fact, "verdict")->text, "allow");
        assert(value_of(fact, "rule")->text[0]);
        assert_fact(&plan, DEVICE, FACT_HOST, FACT_GOOD, "does not need it");
        fact = assert_fact(&plan, DEVICE, FACT_ISOLATION, FACT_GOOD, "0000:00:01.0 above it passes");
        assert_has(fact->text, "(ACS: SV RR)");
        assert_eq_str(value_of(fact, "acs_supported")->text, "SV RR EC");
        assert_eq_str(value_of(fact, "acs_enabled")->text, "SV RR");
        assert_eq_int(value_of(fact, "isolated")->number, 1);
        assert_eq_int(value_of(fact, "group")->number, 9);
        assert_fact(&plan, DEVICE, FACT_INTERRUPTS, FACT_GOOD, "remapped");
        assert_fact(&plan, DEVICE, FACT_KERNEL, FACT_GOOD, "iommufd and vfio-pci");
        assert_fact(&plan, DEVICE, FACT_RESET, FACT_GOOD, "flr bus");
        fact = assert_fact(&plan, DEVICE, FACT_DRIVER, FACT_NOTE, "nvme, which does DMA for the host");
        assert_eq_int(value_of(fact, "companion")->number, 0);
        fact = assert_fact(&plan, SIBLING, FACT_DRIVER, FACT_GOOD, "No driver");
        assert_eq_int(value_of(fact, "companion")->number, 1);
        assert(!find(&plan, DEVICE, FACT_LEASE, FACT_BAD));
        assert(!find(&plan, "", FACT_MEMORY, FACT_UNKNOWN));

        /* nobody is told who has not asked for it */
        explain(s, &ALICE, &(Request) {}, DEVICE, &quiet);
        for (size_t i = 0; i < quiet.n_steps; i++)
                assert(quiet.steps[i].action != PLAN_FACT);
}

static void test_all_is_bad(void) {
        _cleanup_(plan_done) Plan plan = {};
        _cleanup_scene_ Scene *s = scene_new();
        const Fact *fact;
        Group *group;

        scene_add(s, DEVICE, 1, "nvme");
        s->host.facts = (HostFacts) {
                .hops = { { .name = "0000:00:01.0", .group = 1 },
                          { .name = "0000:00:00.0", .group = GROUP_NONE } },
                .n_hops = 2,
                .interrupts = INTERRUPTS_OPEN,
        };
        memset(scene_facts(s, DEVICE)->reset_methods, 0, sizeof(scene_facts(s, DEVICE)->reset_methods));
        group = manager_find_group(s->manager, 1);
        group->facts.regions[0] = (ReservedRegion) { .first = 0x1000, .last = 0x1fff, .kind = "direct" };
        group->facts.regions[1] =
                (ReservedRegion) { .first = 0x2000, .last = 0x2fff, .kind = "direct-relaxable" };
        group->facts.n_regions = 2;
        explain(s, &ALICE, &WITH_FACTS, DEVICE, &plan);

        fact = assert_fact(&plan, DEVICE, FACT_ISOLATION, FACT_NOTE, "may turn requests around");
        assert_eq_int(value_of(fact, "isolated")->number, 0);
        assert_fact(&plan, DEVICE, FACT_ISOLATION, FACT_UNKNOWN, "0000:00:00.0 above it is in no");
        assert_fact(&plan, DEVICE, FACT_INTERRUPTS, FACT_BAD, "intremap=");
        assert_fact(&plan, DEVICE, FACT_KERNEL, FACT_BAD, "CONFIG_IOMMUFD");
        assert_fact(&plan, DEVICE, FACT_RESET, FACT_NOTE, "can't be reset");
        fact = assert_fact(&plan, DEVICE, FACT_RESERVED, FACT_BAD, "0x1000 to 0x1fff");
        assert_eq_int(value_of(fact, "last")->number, 0x1fff);
        assert_fact(&plan, DEVICE, FACT_RESERVED, FACT_NOTE, "0x2000 to 0x2fff (direct-relaxable) as");
}

static void test_kernel(void) {
        static const struct {
                Interrupts interrupts;
                FactGrade grade;
        } table[] = {
                { INTERRUPTS_UNKNOWN, FACT_UNKNOWN },
                { INTERRUPTS_ISOLATED, FACT_GOOD },
                { INTERRUPTS_OPEN, FACT_BAD },
                { INTERRUPTS_OPEN_ACCEPTED, FACT_NOTE },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_(plan_done) Plan plan = {};
                _cleanup_scene_ Scene *s = scene_new();

                scene_add(s, DEVICE, 1, "nvme");
                s->host.facts = (HostFacts) { .interrupts = table[i].interrupts, .iommufd = true };
                explain(s, &ALICE, &WITH_FACTS, DEVICE, &plan);
                assert_fact(&plan, DEVICE, FACT_INTERRUPTS, table[i].grade, "");
                assert_fact(&plan, DEVICE, FACT_KERNEL, FACT_BAD, "modprobe vfio-pci");
        }
}

/* Who has it, so that somebody can be asked to let go. */
static void test_taken(void) {
        _cleanup_(plan_done) Plan plan = {};
        _cleanup_scene_ Scene *s = scene_new();
        const Fact *fact;

        scene_add(s, DEVICE, 1, "vfio-pci");
        scene_grant(s, &ALICE, DEVICE);
        explain(s, &BOB, &WITH_FACTS, DEVICE, &plan);
        assert_eq_int(plan_refusal(&plan)->outcome, OUTCOME_TAKEN);
        fact = assert_fact(&plan, DEVICE, FACT_LEASE, FACT_BAD, "iommuctl release 1");
        assert_eq_int(value_of(fact, "uid")->number, 1000);
        assert_eq_int(value_of(fact, "pid")->number, 4711);
        assert_eq_int(value_of(fact, "lease")->number, 1);
        assert_eq_str(value_of(fact, "state")->text, "active");
}

/*
 * Whoever may not have a device learns what everybody can, and nothing is asked of the kernel or the host on
 * his behalf. Root learns all of it, for whomever.
 */
static void test_denied(void) {
        static const struct {
                const Subject *subject, *as;
                bool reserved;
        } table[] = {
                { &STRANGER, NULL, true },
                { &CONTAINER_ROOT, NULL, true },
                { &ROOT, &STRANGER, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                const Request request = { .explain = true, .as = table[i].as };
                _cleanup_(plan_done) Plan plan = {};
                _cleanup_scene_ Scene *s = scene_new();

                scene_add(s, DEVICE, 1, "nvme");
                s->host.device = DEVICE;
                s->host.use = "/secret is on nvme0n1";
                scene_commit(s);
                s->kernel->n_calls = 0;

                explain(s, table[i].subject, &request, DEVICE, &plan);
                assert_eq_int(plan_refusal(&plan)->outcome, OUTCOME_DENIED);
                assert_fact(&plan, DEVICE, FACT_POLICY, FACT_BAD, "denied");
                assert_fact(&plan, DEVICE, FACT_DRIVER, FACT_NOTE, "nvme");
                assert_eq_int(s->host.n_calls > 0, !table[i].reserved);
                assert_eq_int(s->kernel->n_calls > 0, !table[i].reserved);
                assert_eq_int(find(&plan, DEVICE, FACT_HOST, FACT_UNKNOWN) != NULL, table[i].reserved);
                for (size_t j = 0; table[i].reserved && j < plan.n_steps; j++) {
                        assert(!strstr(plan.steps[j].refusal.text, "secret"));
                        assert(!strstr(plan.steps[j].fact.text, "secret"));
                }
        }
}

static void test_memory(void) {
        static const struct {
                uint64_t ram;
                Memlock memlock;
                Accounting accounting;
                FactGrade grade;
                const char *text;
        } table[] = {
                { 8 * GIB, { true, UINT64_MAX, 77 }, ACCOUNTING_PROCESS, FACT_GOOD,
                  "About 8320 MiB are pinned, and process 77 may lock any amount" },
                { 8 * GIB, { true, 9 * GIB, 77 }, ACCOUNTING_PROCESS, FACT_GOOD,
                  "About 8320 MiB are pinned, of the 9216 MiB that process 77 may lock" },
                { 8 * GIB, { true, 9 * GIB, 77 }, ACCOUNTING_USER, FACT_NOTE,
                  "all other processes of its user" },
                { 8 * GIB, { true, 8 * GIB, 77 }, ACCOUNTING_PROCESS, FACT_NOTE, "it may fail" },
                { 8 * GIB, { true, 8 * GIB - 1, 77 }, ACCOUNTING_PROCESS, FACT_BAD,
                  "it will fail with ENOMEM" },
                { 8 * GIB, { true, UINT64_C(8) << 20, 77 }, ACCOUNTING_PROCESS, FACT_BAD,
                  "may lock 8 MiB only: it will fail with ENOMEM. Raise LimitMEMLOCK= of its unit, or "
                  "\"ulimit -l\", to 8320 MiB" },
                { 8 * GIB, {}, ACCOUNTING_PROCESS, FACT_UNKNOWN, "is not known" },
                { UINT64_MAX, { true, GIB, 77 }, ACCOUNTING_PROCESS, FACT_BAD, "ENOMEM" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                const Request request = {
                        .ram = table[i].ram,
                        .memlock = table[i].memlock,
                        .accounting = table[i].accounting,
                };
                _cleanup_(plan_done) Plan plan = {};
                _cleanup_scene_ Scene *s = scene_new();
                const Fact *fact;

                scene_add(s, DEVICE, 1, "nvme");
                explain(s, &ALICE, &request, DEVICE, &plan);
                fact = assert_fact(&plan, "", FACT_MEMORY, table[i].grade, table[i].text);
                assert_eq_int(value_of(fact, "needed")->number,
                        table[i].ram == UINT64_MAX ? UINT64_MAX : table[i].ram + MEMLOCK_EXTRA);

                /* it is advice, and refuses nobody */
                assert(!plan_refusal(&plan));
        }
}

/* The limit is raised as far as each of the rules lets it, when the client binds and maps. */
static void test_memory_raised(void) {
        static const struct {
                uint64_t rules[2], limit;
                Mode mode;
                uint64_t raised;
                FactGrade grade;
                const char *text;
        } table[] = {
                { { UINT64_MAX, UINT64_MAX }, GIB, MODE_VMM, 8 * GIB + MEMLOCK_EXTRA, FACT_GOOD,
                  "of the 8320 MiB that process 77 may lock when it has the devices" },
                { { 16 * GIB, 32 * GIB }, GIB, MODE_ATTACHED, 8 * GIB + MEMLOCK_EXTRA, FACT_GOOD,
                  "8320 MiB" },
                { { UINT64_MAX, 4 * GIB }, GIB, MODE_VMM, 4 * GIB, FACT_BAD,
                  "may lock 4096 MiB only, raised by the policy: it will fail" },
                { { 8 * GIB, 8 * GIB }, GIB, MODE_VMM, 8 * GIB, FACT_NOTE, "it may fail" },
                { { GIB, GIB }, 2 * GIB, MODE_VMM, 0, FACT_BAD, "may lock 2048 MiB only: it will fail" },
                { { UINT64_MAX, 0 }, GIB, MODE_VMM, 0, FACT_BAD, "may lock 1024 MiB only: it will fail" },
                { { UINT64_MAX, UINT64_MAX }, GIB, MODE_CONFINED, 0, FACT_BAD, "1024 MiB only" },
                { { 0, 0 }, UINT64_MAX, MODE_VMM, 0, FACT_GOOD, "any amount" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                const Request request = {
                        .ram = 8 * GIB, .memlock = { true, table[i].limit, 77 }, .mode = table[i].mode,
                };
                _cleanup_(plan_done) Plan plan = {};
                _cleanup_scene_ Scene *s = scene_new();
                Policy *policy = s->manager->policy;
                PolicyRule *rule;
                const Fact *fact;
                bool told = false;

                /* a rule for one of the two devices, and one for all */
                scene_add(s, DEVICE, 1, "nvme");
                scene_add(s, SIBLING, 1, "nvme");
                assert_ok(policy_append(policy, &rule));
                for (size_t j = policy->n_rules - 1; j > 0; j--) {
                        PolicyRule other = policy->rules[j];

                        policy->rules[j] = policy->rules[j - 1];
                        policy->rules[j - 1] = other;
                }
                rule = &policy->rules[0];
                rule->origin = strdup("test.json: first");
                rule->verdict = VERDICT_ALLOW;
                rule->subject.any = true;
                assert_ok(policy_rule_add_device(rule, &(DeviceMatch) {
                        .keys = 1U << DEVICE_KEY_ADDRESS, .address = SIBLING,
                }));
                for (size_t j = 0; j < policy->n_rules; j++)
                        policy->rules[j].memlock = table[i].rules[j > 0];

                explain(s, &ALICE, &request, "group:1", &plan);
                fact = assert_fact(&plan, "", FACT_MEMORY, table[i].grade, table[i].text);
                for (unsigned j = 0; j < fact->n_values; j++)
                        if (strcmp(fact->values[j].key, "raised") == 0) {
                                told = true;
                                assert_eq_int(fact->values[j].number, table[i].raised);
                        }
                assert_eq_int(told, table[i].raised > table[i].limit);
        }
}

/* The fact about that limit; @by: by the rule that grants the device. */
static const Fact *find_quota(const Plan *plan, const char *limit, bool by) {
        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = &plan->steps[i];

                if (step->action == PLAN_FACT && step->fact.topic == FACT_QUOTA &&
                    strcmp(value_of(&step->fact, "limit")->text, limit) == 0 &&
                    (strstr(value_of(&step->fact, "rule")->text, "rules[") != NULL) == by)
                        return &step->fact;
        }

        return NULL;
}

static void assert_quota(const Fact *fact, uint64_t max, uint64_t used, uint64_t asked) {
        assert(fact);
        assert_eq_int(value_of(fact, "max")->number, max);
        assert_eq_int(value_of(fact, "used")->number, used);
        assert_eq_int(value_of(fact, "asked")->number, asked);
        assert_eq_int(fact->grade, used + asked <= max ? FACT_GOOD : FACT_BAD);
        if (used + asked <= max)
                assert_eq_int(value_of(fact, "left")->number, max - used - asked);
}

/* Of the user, and of what he has by the rule. */
static void test_quota(void) {
        const Request confined = { .explain = true, .mode = MODE_CONFINED };
        _cleanup_(plan_done) Plan plan = {}, full = {}, counted = {};
        _cleanup_scene_ Scene *s = scene_new();
        Account *account;
        Charge charge = {};

        scene_add(s, DEVICE, 1, "nvme");
        explain(s, &ALICE, &WITH_FACTS, DEVICE, &plan);
        assert_quota(find_quota(&plan, "leases", false), LIMIT_UID_LEASES, 0, 1);
        assert_quota(find_quota(&plan, "devices", false), LIMIT_UID_DEVICES, 0, 1);
        assert_eq_str(value_of(find_quota(&plan, "devices", false), "rule")->text, "");
        assert(!find_quota(&plan, "devices", true) && !find_quota(&plan, "mappings", false));

        for (size_t i = 0; i < s->manager->policy->n_rules; i++)
                s->manager->policy->rules[i].limits = (Limits) {
                        .set = 1U << ACCOUNT_DEVICES, .max = { [ACCOUNT_DEVICES] = 2 },
                };
        assert_ok(manager_get_account(s->manager, ALICE.uid, plan.rules[0]->origin, &account));
        charge_force(&charge, account, ACCOUNT_DEVICES, 2);
        explain(s, &ALICE, &WITH_FACTS, DEVICE, &full);
        assert_eq_int(plan_refusal(&full)->outcome, OUTCOME_QUOTA);
        assert_quota(find_quota(&full, "devices", true), 2, 2, 1);
        assert_has(find_quota(&full, "devices", true)->text, "release some first");
        assert_quota(find_quota(&full, "devices", false), LIMIT_UID_DEVICES, 0, 1);
        assert(!find_quota(&full, "leases", true));
        charge_done(&charge);

        /* where iommud makes the domains, all that it makes counts */
        explain(s, &ALICE, &confined, DEVICE, &counted);
        assert_quota(find_quota(&counted, "pinned_bytes", false), LIMIT_UID_PINNED_BYTES, 0, 0);
        assert_quota(find_quota(&counted, "devices", true), 2, 0, 1);
}

int main(void) {
        test_all_is_well();
        test_all_is_bad();
        test_kernel();
        test_taken();
        test_denied();
        test_memory();
        test_memory_raised();
        test_quota();
        return 0;
}
