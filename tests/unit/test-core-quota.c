/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How much one request and one user can have, and who is in the way of whom. */

#include <inttypes.h>

#include "core/account.h"
#include "core/lease-charge.h"
#include "core/policy.h"
#include "fake/assert.h"
#include "fake/scene.h"

static void add_devices(Scene *s, unsigned n) {
        char name[KERNEL_NAME_MAX];

        for (unsigned i = 0; i < n; i++) {
                snprintf(name, sizeof(name), "0000:%02x:00.0", i + 1);
                scene_add(s, name, i + 1, "vfio-pci");
        }
}

static void test_devices_of_one_request(void) {
        _cleanup_scene_ Scene *s = scene_new();

        add_devices(s, LIMIT_LEASE_DEVICES);
        assert_eq_int(scene_acquire(s, &ALICE, "8086:10d3"), OUTCOME_GRANTED);
        assert_eq_int(scene_lease(s, s->lease)->n_given, LIMIT_LEASE_DEVICES);
        assert_eq_int(scene_lease(s, s->lease)->n_groups, LIMIT_LEASE_DEVICES);
}

static void test_too_many_devices(void) {
        _cleanup_scene_ Scene *s = scene_new();

        add_devices(s, LIMIT_LEASE_DEVICES + 1);
        assert_eq_int(scene_acquire(s, &ALICE, "8086:10d3"), OUTCOME_QUOTA);
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0", "02:00.0", "03:00.0", "04:00.0", "05:00.0",
                                    "06:00.0", "07:00.0", "08:00.0", "09:00.0"), OUTCOME_QUOTA);
        assert_eq_int(s->kernel->n_calls, 0);

        /* the same one again is not one more */
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0", "02:00.0", "03:00.0", "04:00.0", "05:00.0",
                                    "06:00.0", "07:00.0", "08:00.0", "01:00.0"), OUTCOME_GRANTED);
}

static void test_quota_of_a_user(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Account *account;
        Charge charge = {};

        add_devices(s, 2);
        assert_ok(manager_get_account(s->manager, ALICE.uid, NULL, &account));
        charge_force(&charge, account, ACCOUNT_LEASES, 1);
        charge_force(&charge, account, ACCOUNT_DEVICES, LIMIT_UID_DEVICES - 1);

        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0", "02:00.0"), OUTCOME_QUOTA);
        assert_has(s->refusal.text, "has 127 devices and asks for 2 more, but iommud lets a user have 128");
        assert_eq_int(scene_acquire(s, &BOB, "02:00.0"), OUTCOME_GRANTED);
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
        assert_eq_int(account->used[ACCOUNT_LEASES], 2);
        assert_eq_int(account->used[ACCOUNT_DEVICES], LIMIT_UID_DEVICES);
        assert_eq_int(scene_lease(s, s->lease)->n_given, 1);

        charge_done(&charge);
}

static void test_taken_and_draining(void) {
        _cleanup_scene_ Scene *s = scene_new();
        FakeDevice *device;
        uint64_t lease;

        device = scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:01:00.1", 1, "nvme");
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
        lease = s->lease;

        /* while it is prepared, and while it is there: any device of the group, for anybody */
        for (unsigned i = 0; i < 2; i++) {
                assert_eq_int(scene_acquire(s, &BOB, "01:00.0"), OUTCOME_TAKEN);
                assert_eq_int(scene_acquire(s, &BOB, "01:00.1"), OUTCOME_TAKEN);
                assert_eq_int(scene_acquire(s, &ALICE, "01:00.1"), OUTCOME_TAKEN);
                assert_has(s->refusal.text, "lease 1 of uid 1000");
                scene_run(s);
        }

        /* the reason why it is not free yet is for whoever wants it next */
        fake_device_hold(device, 1, 4711, "qemu");
        manager_hangup(s->manager, lease, "its lifeline was closed", &s->changes);
        assert(task_runner_step(&s->tasks, &s->changes));
        assert_eq_int(scene_acquire(s, &BOB, "01:00.1"), OUTCOME_DRAINING);
        assert_has(s->refusal.text, "qemu (pid 4711)");

        scene_run(s);
        assert_eq_int(scene_acquire(s, &BOB, "01:00.1"), OUTCOME_GRANTED);
        scene_run(s);
}

static void set_limit(Limits *limits, AccountSlot slot, uint64_t max) {
        limits->set |= 1U << slot;
        limits->max[slot] = max;
}

static PolicyLimits *add_limits(Scene *s, const char *origin, uid_t uid) {
        PolicyLimits *limits;

        assert_ok(policy_append_limits(s->manager->policy, &limits));
        limits->origin = strdup(origin);
        limits->subject.n_uids = 1;
        limits->subject.uids = calloc(1, sizeof(uid_t));
        assert(limits->origin && limits->subject.uids);
        limits->subject.uids[0] = uid;
        return limits;
}

/* The policy gives users other limits than those that are built in. */
static void test_limits_of_users(void) {
        _cleanup_scene_ Scene *s = scene_new();

        add_devices(s, 4);
        set_limit(&add_limits(s, "test.json: limits[0]", 1001)->limits, ACCOUNT_DEVICES, 1);
        set_limit(&add_limits(s, "test.json: limits[1]", 1000)->limits, ACCOUNT_LEASES, 2);
        set_limit(&add_limits(s, "test.json: limits[2]", 1000)->limits, ACCOUNT_LEASES, 1);
        set_limit(&add_limits(s, "test.json: limits[3]", 1000)->limits, ACCOUNT_DEVICES, 2);

        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0", "02:00.0", "03:00.0"), OUTCOME_QUOTA);
        assert_has(s->refusal.text, "test.json: limits[3] lets a user have 2");
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
        assert_eq_int(scene_acquire(s, &ALICE, "02:00.0"), OUTCOME_GRANTED);
        assert_eq_int(scene_acquire(s, &ALICE, "03:00.0"), OUTCOME_QUOTA);
        assert_has(s->refusal.text, "uid 1000 has 2 leases");
        assert_has(s->refusal.text, "limits[1]");

        assert_eq_int(scene_acquire(s, &BOB, "03:00.0", "04:00.0"), OUTCOME_QUOTA);
        assert_eq_int(scene_acquire(s, &BOB, "03:00.0"), OUTCOME_GRANTED);
        scene_run(s);
}

/* Whether limits are for somebody may not be known: they are, if they are the lower ones. */
static void test_limits_of_unknown(void) {
        Subject bare = { .uid = 1000 };
        _cleanup_scene_ Scene *s = scene_new();
        PolicyLimits *limits;
        const char *origin;

        limits = add_limits(s, "units", 1000);
        assert_ok(string_list_append(&limits->subject.units, "a.service"));
        set_limit(&limits->limits, ACCOUNT_LEASES, 3);
        set_limit(&limits->limits, ACCOUNT_DEVICES, 300);
        limits = add_limits(s, "all", 1000);
        set_limit(&limits->limits, ACCOUNT_LEASES, 5);
        set_limit(&limits->limits, ACCOUNT_DEVICES, 10);

        assert(policy_wanted_facts(s->manager->policy) & SUBJECT_KNOWS_CGROUP);
        assert_eq_int(policy_limit(s->manager->policy, &bare, ACCOUNT_LEASES, &origin), 3);
        assert_eq_str(origin, "units");
        assert_eq_int(policy_limit(s->manager->policy, &bare, ACCOUNT_DEVICES, &origin), 10);
        assert_eq_str(origin, "all");
        assert_eq_int(policy_limit(s->manager->policy, &bare, ACCOUNT_PASIDS, &origin), LIMIT_UID_PASIDS);
        assert(!origin);

        bare.known = SUBJECT_KNOWS_CGROUP;
        assert_eq_int(policy_limit(s->manager->policy, &bare, ACCOUNT_LEASES, &origin), 5);
        strcpy(bare.unit, "a.service");
        assert_eq_int(policy_limit(s->manager->policy, &bare, ACCOUNT_DEVICES, &origin), 300);
        assert_eq_int(policy_limit(s->manager->policy, &BOB, ACCOUNT_LEASES, &origin), LIMIT_UID_LEASES);
        assert_eq_int(policy_limit(NULL, &BOB, ACCOUNT_LEASES, &origin), LIMIT_UID_LEASES);
}

/* A rule gives each user so much, and counts what he has by that rule only. */
static void test_limits_of_rules(void) {
        _cleanup_scene_ Scene *s = scene_new();
        PolicyRule *rule;
        uint64_t first;

        add_devices(s, 4);
        scene_keep(s);
        rule = &s->manager->policy->rules[1];
        set_limit(&rule->limits, ACCOUNT_DEVICES, 2);
        set_limit(&rule->limits, ACCOUNT_DOMAINS, 1);

        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0", "02:00.0", "03:00.0"), OUTCOME_QUOTA);
        assert_has(s->refusal.text, "uid 1000 has 0 devices by test.json: rules[1]");
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
        first = s->lease;
        assert_eq_int(scene_acquire(s, &ALICE, "02:00.0"), OUTCOME_GRANTED);
        assert_eq_int(scene_acquire(s, &ALICE, "03:00.0"), OUTCOME_QUOTA);
        assert_eq_int(scene_acquire(s, &BOB, "03:00.0"), OUTCOME_GRANTED);
        assert_eq_int(scene_acquire(s, &ROOT, "04:00.0"), OUTCOME_GRANTED);
        scene_run(s);

        assert_eq_int(lease_charge(scene_lease(s, first), ACCOUNT_DOMAINS, 1, &s->refusal), 0);
        assert_eq_int(lease_charge(scene_lease(s, first), ACCOUNT_DOMAINS, 1, &s->refusal), OUTCOME_QUOTA);
        assert_has(s->refusal.text, "has 1 domains by test.json: rules[1]");
        lease_refund(scene_lease(s, first), ACCOUNT_DOMAINS, 1);
        assert_eq_int(lease_charge(scene_lease(s, first), ACCOUNT_DOMAINS, 1, &s->refusal), 0);

        /* what he has is known to the next process */
        scene_restart(s);
        rule = &s->manager->policy->rules[1];
        set_limit(&rule->limits, ACCOUNT_DEVICES, 2);
        scene_add(s, "0000:05:00.0", 5, "vfio-pci");
        assert_eq_int(scene_acquire(s, &ALICE, "05:00.0"), OUTCOME_QUOTA);
        assert_has(s->refusal.text, "uid 1000 has 2 devices by test.json: rules[1]");

        manager_hangup(s->manager, first, "test", &s->changes);
        scene_run(s);
        assert_eq_int(scene_acquire(s, &ALICE, "05:00.0"), OUTCOME_GRANTED);
        scene_run(s);

        /* a rule that a reload has taken away limits nothing */
        strcpy(rule->origin, "test.json: rules[9]");
        assert_eq_int(lease_charge(scene_lease(s, s->lease), ACCOUNT_DEVICES, 7, &s->refusal), 0);
        lease_refund(scene_lease(s, s->lease), ACCOUNT_DEVICES, 7);
}

static void test_requests(void) {
        _cleanup_scene_ Scene *s = scene_new();

        set_limit(&add_limits(s, "test.json: limits[0]", 1000)->limits, ACCOUNT_REQUESTS_PER_SECOND, 2);
        assert_eq_int(manager_admit(s->manager, &ALICE, 5000000, &s->refusal), 0);
        assert_eq_int(manager_admit(s->manager, &ALICE, 5000000, &s->refusal), 0);
        assert_eq_int(manager_admit(s->manager, &ALICE, 5499999, &s->refusal), OUTCOME_QUOTA);
        assert_has(s->refusal.text, "limits[0] lets a user make 2 requests_per_second");
        assert_eq_int(manager_admit(s->manager, &ALICE, 5500000, &s->refusal), 0);
        for (unsigned i = 0; i < LIMIT_UID_REQUESTS_PER_SECOND; i++)
                assert_eq_int(manager_admit(s->manager, &BOB, 5000000, &s->refusal), 0);
        assert_eq_int(manager_admit(s->manager, &BOB, 5000000, &s->refusal), OUTCOME_QUOTA);
        for (unsigned i = 0; i < 10 * LIMIT_UID_REQUESTS_PER_SECOND; i++)
                assert_eq_int(manager_admit(s->manager, &ROOT, 5000000, &s->refusal), 0);

        /* a container's is not the host's */
        for (unsigned i = 0; i < LIMIT_UID_REQUESTS_PER_SECOND; i++)
                assert_eq_int(manager_admit(s->manager, &CONTAINER_ROOT, 5000000, &s->refusal), 0);
        assert_eq_int(manager_admit(s->manager, &CONTAINER_ROOT, 5000000, &s->refusal), OUTCOME_QUOTA);
}

/* However many users have ever asked: those are remembered who have something, or have just asked. */
static void test_many_users(void) {
        _cleanup_scene_ Scene *s = scene_new();
        uint64_t now = 5000000;
        Subject nobody = BOB;
        Account *account;
        PolicyRule *rule;

        add_devices(s, 1);
        scene_keep(s);
        rule = &s->manager->policy->rules[1];
        set_limit(&rule->limits, ACCOUNT_DEVICES, 2);
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
        scene_run(s);

        for (uid_t i = 0; i < 10000; i++) {
                nobody.uid = 100000 + i;
                now += 100000;
                assert_eq_int(manager_admit(s->manager, &nobody, now, &s->refusal), 0);
                assert(s->manager->accounts.n_items <= LIMIT_IDLE_ACCOUNTS + 1);
        }

        /* hers are charged, the one of the rule too */
        assert_ok(manager_get_account(s->manager, ALICE.uid, NULL, &account));
        assert_eq_int(account->used[ACCOUNT_DEVICES], 1);
        assert_ok(manager_get_account(s->manager, ALICE.uid, rule->origin, &account));
        assert_eq_int(account->used[ACCOUNT_DEVICES], 1);

        /* all at once: nobody gets more of them by making others come */
        for (unsigned i = 0; i < LIMIT_UID_REQUESTS_PER_SECOND; i++)
                assert_eq_int(manager_admit(s->manager, &BOB, now, &s->refusal), 0);
        for (uid_t i = 0; i < 10000; i++) {
                nobody.uid = 100000 + i;
                assert_eq_int(manager_admit(s->manager, &nobody, now, &s->refusal), 0);
        }
        assert_eq_int(manager_admit(s->manager, &BOB, now, &s->refusal), OUTCOME_QUOTA);

        /* and they are forgotten when they have been quiet */
        for (uid_t i = 0; i < 20000; i++) {
                nobody.uid = 200000 + i;
                now += 1000000;
                assert_eq_int(manager_admit(s->manager, &nobody, now, &s->refusal), 0);
        }
        assert(s->manager->accounts.n_items <= LIMIT_IDLE_ACCOUNTS + 1);
}

/* How often somebody may ask for what a rule grants. */
static void test_requests_by_rule(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Policy *policy = s->manager->policy;

        add_devices(s, 1);
        scene_keep(s);
        for (size_t i = 0; i < policy->n_rules; i++)
                set_limit(&policy->rules[i].limits, ACCOUNT_REQUESTS_PER_SECOND, 2);

        for (unsigned i = 0; i < 2; i++) {
                _cleanup_(plan_done) Plan plan = {};

                scene_plan(s, &ALICE, &plan, "01:00.0");
                assert(!plan_refusal(&plan));
        }

        /* whatever he asks, and whoever else asks for the same */
        s->kernel->n_calls = 0;
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_QUOTA);
        assert_has(s->refusal.text, "2 requests_per_second");
        assert_has(s->refusal.text, "rules[");
        assert_eq_int(scene_acquire(s, &BOB, "01:00.0"), OUTCOME_GRANTED);
}

/* What the client wants of its first domain has to be in every rule that grants a device. */
static void test_features(void) {
        static const struct {
                unsigned features[2];        /* of the rules for the one device and for all others */
                Outcome expected;
        } table[] = {
                { { 1U << DOMAIN_FEATURE_PASID, 1U << DOMAIN_FEATURE_PASID }, OUTCOME_GRANTED },
                { { 1U << DOMAIN_FEATURE_PASID, 1U << DOMAIN_FEATURE_DIRTY_TRACKING }, OUTCOME_DENIED },
                { { 0, 1U << DOMAIN_FEATURE_PASID }, OUTCOME_DENIED },
                { { 0, 0 }, OUTCOME_DENIED },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_scene_ Scene *s = scene_new();
                Policy *policy = s->manager->policy;

                add_devices(s, 2);
                policy->rules[0].verdict = VERDICT_ALLOW;
                strcpy(policy->rules[0].devices[0].address, "0000:01:00.0");
                policy->rules[0].features = table[i].features[0];
                policy->rules[1].features = table[i].features[1];

                s->mode = MODE_ATTACHED;
                s->domain_options.pasid = true;
                assert_eq_int(scene_acquire(s, &ALICE, "01:00.0", "02:00.0"), table[i].expected);
                if (table[i].expected == OUTCOME_DENIED)
                        assert_has(s->refusal.text, "gives no pasid");

                /* who wants nothing of the kind has it all the same */
                s->domain_options.pasid = false;
                if (table[i].expected == OUTCOME_DENIED)
                        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0", "02:00.0"), OUTCOME_GRANTED);
        }
}

/* A rule may let go for some time only, also across a restart. */
static void test_time(void) {
        _cleanup_scene_ Scene *s = scene_new();
        uint64_t until = SCENE_BOOTTIME_USEC + 60000000;
        PolicyRule *rule;

        add_devices(s, 2);
        scene_keep(s);
        assert_eq_int(manager_next_expiry(s->manager), UINT64_MAX);
        rule = &s->manager->policy->rules[1];
        rule->max_lease_usec = 60000000;
        rule->features = 1U << DOMAIN_FEATURE_PASID;
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_GRANTED);
        scene_run(s);
        rule->max_lease_usec = 0;
        assert_eq_int(scene_acquire(s, &ALICE, "02:00.0"), OUTCOME_GRANTED);
        scene_run(s);
        assert_eq_int(scene_lease(s, s->lease)->until_usec, 0);
        assert_eq_int(manager_next_expiry(s->manager), until - 30000000);
        manager_expire(s->manager, until - 30000000, &s->changes);
        assert_eq_int(manager_next_expiry(s->manager), until);

        scene_restart(s);
        assert_eq_int(scene_lease(s, 1)->features, 1U << DOMAIN_FEATURE_PASID);
        assert_eq_int(scene_lease(s, 1)->max_usec, 60000000);
        assert_eq_int(manager_next_expiry(s->manager), until);
        manager_expire(s->manager, until - 1, &s->changes);
        assert_eq_int(scene_lease(s, 1)->state, LEASE_ACTIVE);
        manager_expire(s->manager, until, &s->changes);
        assert(scene_lease(s, 1)->state > LEASE_ACTIVE);
        assert_has(scene_lease(s, 1)->end_cause, "policy");
        assert_eq_int(scene_lease(s, s->lease)->state, LEASE_ACTIVE);
        assert_eq_int(manager_next_expiry(s->manager), UINT64_MAX);
        scene_run(s);
        assert(!scene_lease(s, 1));
}

/* The holder is asked before that, once, if there is anybody who can be. */
static void test_notice(void) {
        static const struct {
                uint64_t seconds, notice;    /* so long before */
                const char *client;
        } table[] = {
                { 3600, 60, "bus:1.42" },
                { 120, 60, "bus:1.42" },
                { 6, 3, "bus:1.42" },
                { 6, 3, "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                uint64_t until = SCENE_BOOTTIME_USEC + table[i].seconds * 1000000;
                uint64_t notice = until - table[i].notice * 1000000;
                const char *expected = table[i].client[0] ? "lease-expires 1" : "";
                _cleanup_scene_ Scene *s = scene_new();

                add_devices(s, 1);
                scene_keep(s);
                s->manager->policy->rules[1].max_lease_usec = table[i].seconds * 1000000;
                strcpy(s->client, table[i].client);
                scene_grant(s, &ALICE, "01:00.0");
                scene_commit(s);
                assert_eq_int(manager_next_expiry(s->manager), notice);
                manager_expire(s->manager, notice - 1, &s->changes);
                assert_eq_str(scene_changes(s), "");
                manager_expire(s->manager, notice, &s->changes);
                assert_eq_str(scene_changes(s), expected);
                assert_eq_int(scene_lease(s, 1)->state, LEASE_ACTIVE);
                scene_commit(s);

                scene_restart(s);
                assert_eq_int(manager_next_expiry(s->manager), until);
                manager_expire(s->manager, until - 1, &s->changes);
                assert_eq_str(scene_changes(s), "");
                manager_expire(s->manager, until, &s->changes);
                assert(scene_lease(s, 1)->state > LEASE_ACTIVE);
                assert(!strstr(scene_changes(s), "lease-expires"));
                scene_run(s);
        }
}

int main(void) {
        test_devices_of_one_request();
        test_too_many_devices();
        test_quota_of_a_user();
        test_limits_of_users();
        test_limits_of_unknown();
        test_limits_of_rules();
        test_requests();
        test_many_users();
        test_requests_by_rule();
        test_features();
        test_time();
        test_notice();
        test_taken_and_draining();
        return 0;
}
