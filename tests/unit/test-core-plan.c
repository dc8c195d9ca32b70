/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a plan says of one request: its steps, its refusals, and what it asked of the kernel for that. */

#include "core/account.h"
#include "core/policy.h"
#include "fake/assert.h"
#include "fake/scene.h"

/* "rebind 0000:01:00.0, open 0000:01:00.0, blocked 0000:01:00.1 Denied" */
static void assert_steps(const Plan *plan, const char *expected) {
        char text[2048] = "";
        size_t n = 0;

        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = &plan->steps[i];

                n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%s %s", i > 0 ? ", " : "",
                                       plan_action_to_string(step->action),
                                       step->device[0] ? step->device : "-");
                if (step->action == PLAN_BLOCKED)
                        n += (size_t) snprintf(text + n, sizeof(text) - n, " %s",
                                               outcome_to_string(step->refusal.outcome));
                assert_eq_str(step->target, step->action == PLAN_REBIND ? "vfio-pci" : "");
        }

        assert_eq_str(text, expected);
        assert((plan_refusal(plan) != NULL) == (strstr(text, "blocked") != NULL));
}

/* Makes a plan for ALICE. */
#define assert_plan(scene, expected, ...)                                                                   \
        do {                                                                                                \
                _cleanup_(plan_done) Plan _plan_ = {};                                                      \
                                                                                                            \
                scene_plan(scene, &ALICE, &_plan_, __VA_ARGS__);                                            \
                assert_steps(&_plan_, expected);                                                            \
        } while (false)

static void test_ready(void) {
        _cleanup_scene_ Scene *s = scene_new();

        scene_add(s, "0000:01:00.0", 1, "vfio-pci");
        scene_commit(s);
        assert_plan(s, "open 0000:01:00.0", "01:00.0");
        assert_eq_str(s->kernel->journal, "probe_group 1\n");
        assert_eq_int(s->host.n_calls, 0);
        assert_eq_str(scene_changes(s), "");
}

static void test_rebind(void) {
        _cleanup_(plan_done) Plan plan = {};
        _cleanup_scene_ Scene *s = scene_new();

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_commit(s);
        scene_plan(s, &ALICE, &plan, "01:00.0");
        assert_steps(&plan, "rebind 0000:01:00.0, open 0000:01:00.0");
        assert_eq_str(plan.steps[0].driver, "nvme");
        assert_eq_str(s->kernel->journal, "");       /* the group can't be free before the driver has gone */
        assert_eq_int(s->host.n_calls, 1);
        assert_eq_str(scene_changes(s), "");
}

static void test_unbound(void) {
        _cleanup_scene_ Scene *s = scene_new();

        scene_add(s, "0000:01:00.0", 1, "");
        assert_plan(s, "rebind 0000:01:00.0, open 0000:01:00.0", "01:00.0");
        assert_eq_int(s->host.n_calls, 0);
}

static void test_order(void) {
        _cleanup_(plan_done) Plan plan = {};
        _cleanup_scene_ Scene *s = scene_new();

        scene_add(s, "0000:02:00.1", 2, "vfio-pci");
        scene_add(s, "0000:02:00.0", 2, "vfio-pci");
        scene_add(s, "0000:01:00.0", 1, "vfio-pci");
        scene_add(s, "0000:02:00.2", 2, "pcieport");
        scene_facts(s, "0000:02:00.2")->bridge = true;

        /* each once, in the order in which they were first named; bridges don't come along */
        scene_plan(s, &ALICE, &plan, "02:00.1", "group:2", "01:00.0", "8086:10d3", "02:00.1");
        assert_eq_int(plan.n_devices, 3);
        assert_eq_str(plan.devices[0]->facts.name, "0000:02:00.1");
        assert_eq_str(plan.devices[1]->facts.name, "0000:02:00.0");
        assert_eq_str(plan.devices[2]->facts.name, "0000:01:00.0");
        assert_eq_int(plan.n_groups, 2);
        assert_eq_int(plan.groups[0]->facts.id, 2);
        assert_eq_int(plan.groups[1]->facts.id, 1);
        assert_steps(&plan, "open 0000:02:00.0, open 0000:02:00.1, keep 0000:02:00.2, open 0000:01:00.0");
}

static void test_selectors(void) {
        _cleanup_scene_ Scene *s = scene_new();

        scene_add(s, "0000:01:00.0", 1, "nvme");
        assert_plan(s, "blocked - InvalidSelector", NULL);
        assert_plan(s, "blocked - InvalidSelector", "group:x");
        assert_plan(s, "blocked - NoSuchDevice", "group:7");
        assert_plan(s, "blocked - NoSuchDevice, blocked - InvalidSelector", "02:00.0", "01:00.0", "");
        assert_eq_int(s->kernel->n_calls, 0);
        assert_eq_int(s->manager->accounts.n_items, 0);
}

/* Who may not have a device learns that and nothing else, and causes nothing. */
static void test_denied(void) {
        static const struct {
                const Subject *subject;
                const char *selector, *text;
        } table[] = {
                { &STRANGER, "01:00.0", "no rule of the policy allows it" },
                { &STRANGER, "group:1", "no rule of the policy allows it" },
                { &CONTAINER_ROOT, "01:00.0", "not proved to be this host's root" },
                { &ALICE, FORBIDDEN, "test.json: rules[0] denies it" },
                { &ROOT, FORBIDDEN, "test.json: rules[0] denies it" },
                { &ALICE, "8086:10d3", "test.json: rules[0] denies it" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_(plan_done) Plan plan = {};
                _cleanup_scene_ Scene *s = scene_new();

                scene_add(s, "0000:01:00.0", 1, "nvme");
                scene_add(s, FORBIDDEN, 66, "nvme");
                s->kernel->foreign = 1;
                s->host = (FakeHost) { .device = "0000:01:00.0", .use = "/" };
                scene_commit(s);

                scene_plan(s, table[i].subject, &plan, table[i].selector);
                assert_eq_int(plan_refusal(&plan)->outcome, OUTCOME_DENIED);
                assert_has(plan_refusal(&plan)->text, table[i].text);

                assert_eq_int(scene_acquire(s, table[i].subject, table[i].selector), OUTCOME_DENIED);
                assert_eq_int(s->kernel->n_calls, 0);
                assert_eq_int(s->host.n_calls, 0);
                assert_eq_int(s->manager->accounts.n_items, 0);
                assert_eq_int(s->manager->leases.n_items, 0);
                assert_eq_str(scene_changes(s), "");
        }
}

static void test_no_policy(void) {
        _cleanup_scene_ Scene *s = scene_new();

        scene_add(s, "0000:01:00.0", 1, "nvme");
        manager_set_policy_consume(s->manager, NULL);
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_DENIED);
        assert_eq_int(scene_acquire(s, &CONTAINER_ROOT, "01:00.0"), OUTCOME_DENIED);
        assert_eq_int(scene_acquire(s, &ROOT, "01:00.0"), OUTCOME_GRANTED);
}

static void test_kinds(void) {
        _cleanup_scene_ Scene *s = scene_new();
        DeviceFacts *facts;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        facts = scene_facts(s, "0000:01:00.0");

        facts->bridge = true;
        assert_plan(s, "blocked 0000:01:00.0 NotSupported", "01:00.0");
        facts->bridge = false;

        manager_find_group(s->manager, 1)->facts.direct = true;
        assert_plan(s, "blocked 0000:01:00.0 NotSupported", "01:00.0");
        manager_find_group(s->manager, 1)->facts.direct = false;

        strcpy(facts->subsystem, "mdev");
        assert_plan(s, "blocked 0000:01:00.0 NotSupported", "0000:01:00.0");
        strcpy(facts->cdev, "vfio7");        /* but it is on a VFIO driver already */
        assert_plan(s, "open 0000:01:00.0", "0000:01:00.0");
        strcpy(facts->subsystem, "pci");
        memset(facts->cdev, 0, sizeof(facts->cdev));

        facts->n_vfs = 4;
        assert_plan(s, "blocked 0000:01:00.0 NotSupported", "01:00.0");

        /* all that has to be mended is said, not the first thing alone; that is what Acquire answers with */
        s->host = (FakeHost) { .device = "0000:01:00.0", .use = "/" };
        assert_plan(s, "blocked 0000:01:00.0 NotSupported, blocked 0000:01:00.0 HostInUse", "01:00.0");
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_NOT_SUPPORTED);
}

static void test_host(void) {
        _cleanup_(plan_done) Plan plan = {}, other = {};
        _cleanup_scene_ Scene *s = scene_new();

        scene_add(s, "0000:01:00.0", 1, "nvme");
        s->host = (FakeHost) { .device = "0000:01:00.0", .use = "/ is on nvme0n1p1" };
        scene_plan(s, &ALICE, &plan, "01:00.0");
        assert_steps(&plan, "blocked 0000:01:00.0 HostInUse");
        assert_has(plan_refusal(&plan)->text, "/ is on nvme0n1p1");

        /* not known is not free */
        s->host = (FakeHost) { .device = "0000:01:00.0", .error = -EIO };
        assert_plan(s, "blocked 0000:01:00.0 HostInUse", "01:00.0");
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_HOST_IN_USE);
        assert_has(s->refusal.text, "could not be found out (Input/output error)");

        /* but an administrator may have said that it is to be taken all the same, for this rule only */
        s->manager->policy->rules[1].host_use = true;
        assert_plan(s, "rebind 0000:01:00.0, open 0000:01:00.0", "01:00.0");
        scene_plan(s, &ROOT, &other, "01:00.0");
        assert_steps(&other, "blocked 0000:01:00.0 HostInUse");
        s->manager->policy->rules[1].host_use = false;
        s->host.n_calls = 1;

        /* whatever the driver does not do DMA for, the host does not use */
        scene_add(s, "0000:01:00.0", 1, "vfio-pci");
        assert_plan(s, "open 0000:01:00.0", "01:00.0");
        assert_eq_int(s->host.n_calls, 1);
}

static void test_companions(void) {
        static const struct {
                const char *driver;
                bool bridge, in_use;
                uint16_t n_vfs;
                const char *expected;
        } table[] = {
                { "nvme", .expected = "open 0000:01:00.0, rebind 0000:01:00.1" },
                { "", .expected = "open 0000:01:00.0, keep 0000:01:00.1" },
                { "vfio-pci", .expected = "open 0000:01:00.0, keep 0000:01:00.1" },
                { "pci-stub", .expected = "open 0000:01:00.0, keep 0000:01:00.1" },
                { "pcieport", .bridge = true, .expected = "open 0000:01:00.0, keep 0000:01:00.1" },
                { "shpc", .bridge = true, .expected = "open 0000:01:00.0, blocked 0000:01:00.1 NotViable" },
                { "ixgbe", .n_vfs = 2, .expected = "open 0000:01:00.0, blocked 0000:01:00.1 NotViable" },
                { "nvme", .in_use = true, .expected = "open 0000:01:00.0, blocked 0000:01:00.1 HostInUse" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_scene_ Scene *s = scene_new();

                scene_add(s, "0000:01:00.0", 1, "vfio-pci");
                scene_add(s, "0000:01:00.1", 1, table[i].driver);
                scene_facts(s, "0000:01:00.1")->bridge = table[i].bridge;
                scene_facts(s, "0000:01:00.1")->n_vfs = table[i].n_vfs;
                if (table[i].in_use)
                        s->host = (FakeHost) { .device = "0000:01:00.1", .use = "swap" };

                assert_plan(s, table[i].expected, "01:00.0");
        }
}

static void test_forbidden_companion(void) {
        _cleanup_(plan_done) Plan plan = {};
        _cleanup_scene_ Scene *s = scene_new();

        scene_add(s, "0000:66:00.1", 66, "vfio-pci");
        scene_add(s, FORBIDDEN, 66, "nvme");
        scene_plan(s, &ALICE, &plan, "66:00.1");
        assert_steps(&plan, "blocked " FORBIDDEN " NotViable, open 0000:66:00.1");
        assert_has(plan_refusal(&plan)->text, "bound to nvme");
        assert_has(plan_refusal(&plan)->text, "rules[0] denies it");
        assert_eq_int(scene_acquire(s, &ALICE, "66:00.1"), OUTCOME_NOT_VIABLE);
}

static void test_group_state(void) {
        _cleanup_scene_ Scene *s = scene_new();

        scene_add(s, "0000:01:00.0", 1, "vfio-pci");
        scene_commit(s);

        s->kernel->foreign = 1;
        assert_plan(s, "open 0000:01:00.0, blocked 0000:01:00.0 Taken", "01:00.0");
        assert_eq_str(scene_changes(s), "group-changed 1");
        assert_eq_int(group_dma_owner(manager_find_group(s->manager, 1)), DMA_OWNER_FOREIGN);

        /* that is no news the second time, and is when it is over */
        scene_commit(s);
        assert_plan(s, "open 0000:01:00.0, blocked 0000:01:00.0 Taken", "01:00.0");
        assert_eq_str(scene_changes(s), "");
        s->kernel->foreign = GROUP_NONE;
        s->kernel->not_viable = 1;
        assert_plan(s, "open 0000:01:00.0, blocked 0000:01:00.0 NotViable", "01:00.0");
        assert_eq_str(scene_changes(s), "group-changed 1");

        s->kernel->not_viable = GROUP_NONE;
        s->kernel->fail_call = "probe_group";
        assert_plan(s, "open 0000:01:00.0, blocked 0000:01:00.0 KernelFailed", "01:00.0");
}

/* Each group is asked about unless something has to be done to that very group first. */
static void test_each_group_is_probed(void) {
        _cleanup_scene_ Scene *s = scene_new();

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:02:00.0", 2, "vfio-pci");
        s->kernel->foreign = 2;
        assert_plan(s,
                    "rebind 0000:01:00.0, open 0000:01:00.0, open 0000:02:00.0, blocked 0000:02:00.0 Taken",
                    "01:00.0", "02:00.0");
        assert_eq_str(s->kernel->journal, "probe_group 2\n");
}

static void test_fresh_drivers(void) {
        _cleanup_scene_ Scene *s = scene_new();
        FakeDevice *device;

        device = scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_commit(s);

        /* somebody was faster than the monitor */
        strcpy(device->driver, "vfio-pci");
        strcpy(device->override, "vfio-pci");
        assert_plan(s, "open 0000:01:00.0", "01:00.0");
        assert_eq_str(scene_facts(s, "0000:01:00.0")->driver_override, "vfio-pci");
        assert_eq_str(scene_changes(s), "device-changed 0000:01:00.0, group-changed 1");

        s->kernel->fail_call = "read_driver";
        s->kernel->fail_error = -EPERM;
        assert_plan(s, "blocked 0000:01:00.0 KernelFailed, open 0000:01:00.0", "01:00.0");

        /* it was unplugged, and the monitor has not heard of it yet: not a failure of the kernel */
        s->kernel->fail_call = NULL;
        device->gone = true;
        assert_plan(s, "blocked 0000:01:00.0 NoSuchDevice, open 0000:01:00.0", "01:00.0");
}

/* The plan of one subject for another: what is theirs decides, not who asked. */
static void test_as(void) {
        static const char *const selectors[] = { "01:00.0" };
        Request request = { .selectors = selectors, .n_selectors = 1, .holder = -EBADF, .as = &STRANGER };
        _cleanup_(plan_done) Plan plan = {}, own = {};
        _cleanup_scene_ Scene *s = scene_new();

        scene_add(s, "0000:01:00.0", 1, "vfio-pci");
        assert_ok(plan_make(s->manager, &ROOT, &request, &plan, &s->changes));
        assert_steps(&plan, "blocked 0000:01:00.0 Denied");
        assert(strstr(plan_refusal(&plan)->text, "uid 2000"));

        request.as = NULL;
        assert_ok(plan_make(s->manager, &ROOT, &request, &own, &s->changes));
        assert_steps(&own, "open 0000:01:00.0");
}

static void add_name(Scene *s, const char *name, const char *tag, const DeviceMatch *match) {
        CatalogEntry *entry;

        assert_ok(catalog_append(&s->manager->policy->catalog, &entry));
        strcpy(entry->name, name);
        entry->match = *match;
        if (tag)
                assert_ok(catalog_entry_add_tag(entry, tag));
}

/* Devices are known by the names that the administrator gave them. */
static void test_names(void) {
        const DeviceMatch by_serial = { .keys = 1U << DEVICE_KEY_SERIAL, .serial = "S1" };
        const DeviceMatch by_vendor = { .keys = 1U << DEVICE_KEY_VENDOR, .vendor = 0x8086 };
        const DeviceMatch by_driver = { .keys = 1U << DEVICE_KEY_DRIVER, .driver = "nvme" };
        _cleanup_(plan_done) Plan plan = {};
        _cleanup_scene_ Scene *s = scene_new();

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:02:00.0", 2, "igb");
        strcpy(scene_facts(s, "0000:02:00.0")->serial, "S1");
        add_name(s, "nic0", "lab", &by_serial);
        add_name(s, "card", NULL, &by_vendor);
        add_name(s, "disk", "lab", &by_driver);

        assert_plan(s, "rebind 0000:02:00.0, open 0000:02:00.0", "nic0");
        assert_plan(s, "rebind 0000:01:00.0, open 0000:01:00.0", "disk");
        assert_plan(s, "rebind 0000:01:00.0, open 0000:01:00.0, rebind 0000:02:00.0, open 0000:02:00.0",
                    "tag:lab");
        assert_plan(s, "blocked - NoSuchDevice", "nic1");
        assert_plan(s, "blocked - NoSuchDevice", "tag:fast");

        scene_plan(s, &ALICE, &plan, "card");
        assert_steps(&plan, "blocked - InvalidSelector");
        assert(strstr(plan_refusal(&plan)->text, "0000:01:00.0 and of 0000:02:00.0"));

        /* It is known by the driver that it had before */
        (void) scene_grant(s, &ALICE, "disk");
        assert_eq_str(scene_facts(s, "0000:01:00.0")->driver, "vfio-pci");
        assert_plan(s, "blocked 0000:01:00.0 Taken", "disk");
}

/* Rules speak of what is asked for as a whole, and of the driver of the host. */
static void test_conditions(void) {
        _cleanup_(plan_done) Plan plan = {}, missing = {};
        _cleanup_scene_ Scene *s = scene_new();
        PolicyRule *rule;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:01:00.1", 1, "vfio-pci");
        scene_add(s, "0000:01:1f.0", 1, "pcieport");
        scene_facts(s, "0000:01:1f.0")->bridge = true;
        rule = &s->manager->policy->rules[1];
        rule->whole_group = true;

        scene_plan(s, &ALICE, &plan, "01:00.0");
        assert_steps(&plan, "blocked 0000:01:00.0 Denied");
        assert(strstr(plan_refusal(&plan)->text, "rules[1] allows it, but only together"));
        assert_plan(s, "rebind 0000:01:00.0, open 0000:01:00.0, open 0000:01:00.1, keep 0000:01:1f.0",
                    "01:00.0", "01:00.1");

        rule->needs_reset = true;
        scene_facts(s, "0000:01:00.1")->reset_methods[0] = '\0';
        scene_plan(s, &ALICE, &missing, "01:00.0", "01:00.1");
        assert_steps(&missing, "blocked 0000:01:00.1 Denied");
        assert(strstr(plan_refusal(&missing)->text, "only if it can be reset"));
}

static void assert_acquire(Scene *s, const Permits *permits, Outcome outcome, const char *device) {
        static const char *const selectors[] = { "01:00.0" };
        Request request = {
                .selectors = selectors, .n_selectors = 1, .holder = -EBADF, .permits = permits,
        };
        Refusal refusal = {};
        uint64_t lease;

        assert_eq_int(manager_acquire(s->manager, &ALICE, &request, &lease, &refusal, &s->changes), outcome);
        assert_eq_int(refusal.outcome, outcome);
        assert_eq_str(refusal.device, device);
}

/* What somebody has to be asked for is not given without; nothing is tried with it until then. */
static void test_ask(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Permits permits = {};

        scene_add(s, "0000:01:00.0", 1, "vfio-pci");
        scene_add(s, "0000:01:00.1", 1, "nvme");
        scene_add(s, "0000:02:00.0", 2, "vfio-pci");
        s->manager->policy->rules[1].verdict = VERDICT_ASK;
        assert_plan(s, "blocked 0000:02:00.0 AuthorizationRequired, open 0000:02:00.0", "02:00.0");
        assert_eq_str(s->kernel->journal, "");

        /* companions too, each by itself */
        assert_plan(s, "blocked 0000:01:00.0 AuthorizationRequired, open 0000:01:00.0, "
                       "blocked 0000:01:00.1 AuthorizationRequired, rebind 0000:01:00.1", "01:00.0");
        assert_acquire(s, NULL, OUTCOME_AUTHORIZATION_REQUIRED, "0000:01:00.0");
        assert_acquire(s, &permits, OUTCOME_AUTHORIZATION_REQUIRED, "0000:01:00.0");
        permits.devices[permits.n_devices++] = manager_find_device(s->manager, "0000:01:00.0")->id;
        assert_acquire(s, &permits, OUTCOME_AUTHORIZATION_REQUIRED, "0000:01:00.1");
        permits.devices[permits.n_devices++] = manager_find_device(s->manager, "0000:01:00.1")->id;
        assert_acquire(s, &permits, OUTCOME_GRANTED, "");
}

/* What else stands in the way is told before anybody is asked. */
static void test_ask_last(void) {
        _cleanup_scene_ Scene *s = scene_new();

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, FORBIDDEN, 2, "nvme");
        s->manager->policy->rules[1].verdict = VERDICT_ASK;
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0", FORBIDDEN), OUTCOME_DENIED);
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0", "03:00.0"), OUTCOME_NO_SUCH_DEVICE);

        s->host = (FakeHost) { .device = "0000:01:00.0", .use = "a file system" };
        assert_eq_int(scene_acquire(s, &ALICE, "01:00.0"), OUTCOME_HOST_IN_USE);
}

/* A permit is for one device, and not for what comes to its place. */
static void test_permit_unplugged(void) {
        _cleanup_scene_ Scene *s = scene_new();
        Permits permits = { .n_devices = 1 };

        scene_add(s, "0000:01:00.0", 1, "vfio-pci");
        s->manager->policy->rules[1].verdict = VERDICT_ASK;
        permits.devices[0] = manager_find_device(s->manager, "0000:01:00.0")->id;
        scene_unplug(s, "0000:01:00.0");
        scene_add(s, "0000:01:00.0", 1, "vfio-pci");
        assert_acquire(s, &permits, OUTCOME_AUTHORIZATION_REQUIRED, "0000:01:00.0");

        /* and none where the policy says no by now */
        permits.devices[0] = manager_find_device(s->manager, "0000:01:00.0")->id;
        s->manager->policy->rules[1].verdict = VERDICT_DENY;
        assert_acquire(s, &permits, OUTCOME_DENIED, "");
        s->manager->policy->rules[1].verdict = VERDICT_ASK;
        assert_acquire(s, &permits, OUTCOME_GRANTED, "");
}

int main(void) {
        test_ready();
        test_rebind();
        test_unbound();
        test_order();
        test_selectors();
        test_denied();
        test_no_policy();
        test_kinds();
        test_host();
        test_companions();
        test_forbidden_companion();
        test_group_state();
        test_each_group_is_probed();
        test_fresh_drivers();
        test_as();
        test_names();
        test_conditions();
        test_ask();
        test_ask_last();
        test_permit_unplugged();
        return 0;
}
