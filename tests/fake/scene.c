/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/account.h"
#include "core/approved.h"
#include "core/claim-record.h"
#include "core/lease-record.h"
#include "core/policy.h"
#include "fake/assert.h"
#include "fake/scene.h"

#define KNOWN (SUBJECT_KNOWS_GIDS | SUBJECT_KNOWS_USERNS)
#define HOST_USER(id, process)                                                                              \
        { .uid = (id), .known = KNOWN, .gids = { (id) }, .n_gids = 1, .pid = (process), .own_userns = true }

const Subject ROOT = HOST_USER(0, 1);
const Subject ALICE = HOST_USER(1000, 4711);
const Subject BOB = HOST_USER(1001, 4712);
const Subject STRANGER = HOST_USER(2000, 4713);
const Subject CONTAINER_ROOT = { .uid = 0, .known = KNOWN, .gids = { 0 }, .n_gids = 1, .pid = 4714 };

static Policy *scene_policy(void) {
        static const uid_t uids[] = { 1000, 1001 };
        PolicyRule *rule;
        Policy *policy;

        assert_ok(policy_new(&policy));

        assert_ok(policy_append(policy, &rule));
        rule->origin = strdup("test.json: rules[0]");
        rule->subject.any = true;
        assert_ok(policy_rule_add_device(
                rule, &(DeviceMatch) { .keys = 1U << DEVICE_KEY_ADDRESS, .address = FORBIDDEN }));

        assert_ok(policy_append(policy, &rule));
        rule->origin = strdup("test.json: rules[1]");
        rule->verdict = VERDICT_ALLOW;
        rule->subject.n_uids = ELEMENTSOF(uids);
        rule->subject.uids = malloc(sizeof(uids));
        assert(rule->subject.uids);
        memcpy(rule->subject.uids, uids, sizeof(uids));
        assert_ok(policy_rule_add_device(rule, &(DeviceMatch) { .any = true }));

        return policy;
}

static void scene_start(Scene *scene) {
        assert_ok(manager_new(&scene->kernel_port, &scene->host_port, &scene->manager));
        manager_set_policy_consume(scene->manager, scene_policy());
        if (scene->fake_store)
                manager_set_store(scene->manager, &scene->store_port);
        scene->tasks.manager = scene->manager;
        while (scene->tasks.n_waiting > 0)
                task_done(&scene->tasks.waiting[--scene->tasks.n_waiting]);
}

Scene *scene_new(void) {
        Scene *scene;

        scene = calloc(1, sizeof(*scene));
        assert(scene);

        scene->kernel = fake_kernel_new();
        scene->kernel_port = fake_kernel_port(scene->kernel);
        scene->host_port = fake_host_port(&scene->host);
        scene->holder = -EBADF;
        scene->tasks.kernel = &scene->kernel_port;
        scene_start(scene);
        return scene;
}

void scene_keep(Scene *scene) {
        scene->fake_store = fake_store_new(scene->kernel);
        scene->store_port = fake_store_port(scene->fake_store);
        manager_set_store(scene->manager, &scene->store_port);
}

Scene *scene_free(Scene *scene) {
        if (!scene)
                return NULL;

        manager_free(scene->manager);
        fake_store_free(scene->fake_store);
        fake_kernel_free(scene->kernel);
        change_set_done(&scene->changes);
        mirror_done(&scene->mirror);
        free(scene);
        return NULL;
}

FakeDevice *scene_add(Scene *scene, const char *name, uint32_t group, const char *driver) {
        DeviceFacts facts = DEVICE_FACTS_INIT;
        GroupFacts group_facts = { .id = group, .type = "DMA-FQ" };
        FakeDevice *device;

        device = fake_kernel_find(scene->kernel, name);
        if (!device)
                device = fake_kernel_add(scene->kernel, name, group, driver);
        device->gone = false;                /* perhaps it is plugged in again */
        device->group = group;
        strcpy(device->driver, driver);

        strcpy(facts.subsystem, "pci");
        strcpy(facts.name, name);
        strcpy(facts.driver, driver);
        strcpy(facts.iommu, "dmar0");
        strcpy(facts.reset_methods, "flr bus");
        facts.group = group;
        facts.bridge = strcmp(driver, "pcieport") == 0;
        facts.class = 0x010802;
        facts.vendor = 0x8086;
        facts.device = 0x10d3;

        if (!manager_find_group(scene->manager, group))
                assert_ok(manager_update_group(scene->manager, &group_facts, &scene->changes));
        assert_ok(manager_update_device(scene->manager, &facts, &scene->changes));
        return device;
}

static int scene_take_fd(void *userdata, const char *name) {
        return fake_store_take_fd(userdata, name);
}

void scene_restart(Scene *scene) {
        manager_free(scene->manager);
        change_set_done(&scene->changes);
        mirror_done(&scene->mirror);
        scene_start(scene);

        for (unsigned i = 0; i < scene->kernel->n_devices; i++) {
                FakeDevice *device = &scene->kernel->devices[i];
                char driver[KERNEL_NAME_MAX];

                strcpy(driver, device->driver);
                if (!device->gone)
                        scene_add(scene, device->name, device->group, driver);
        }
        scene_monitor(scene);
        scene->manager->last_lease = scene->fake_store->last_lease;

        for (unsigned i = 0; i < scene->fake_store->n_items; i++) {
                const char *record = scene->fake_store->items[i].record;
                Lease *lease;

                /* what was kept for a lease that was never granted */
                if (record)
                        assert_ok(lease_record_read(scene->manager, record, &lease));
        }
        for (unsigned i = 0; i < scene->fake_store->n_claims; i++) {
                Claim *claim;

                assert_ok(claim_record_read(scene->manager, scene->fake_store->claims[i].record, &claim));
        }
        if (scene->fake_store->approved)
                assert_ok(approved_read(scene->manager->approved, scene->fake_store->approved));

        manager_attach_claims(scene->manager, &scene->changes);
        manager_adopt_leases(scene->manager, fake_store_take_lifeline, scene_take_fd, scene->fake_store,
                             &scene->changes);
        manager_adopt_claims(scene->manager, scene_take_fd, scene->fake_store, &scene->changes);
        manager_claim_persistent(scene->manager, &scene->changes);

        scene_commit(scene);
}

DeviceFacts *scene_facts(Scene *scene, const char *name) {
        Device *device;

        device = manager_find_device(scene->manager, name);
        assert(device);
        return &device->facts;
}

void scene_unplug(Scene *scene, const char *name) {
        fake_kernel_find(scene->kernel, name)->gone = true;
        manager_remove_device(scene->manager, "pci", name, &scene->changes);
}

static Request scene_request(const Scene *scene, const char *const *selectors) {
        Request request = {
                .selectors = selectors,
                .holder = scene->holder,
                .now_usec = SCENE_NOW_USEC,
                .mode = scene->mode,
                .ioas = scene->ioas_options,
                .domain = scene->domain_options,
                .boottime_usec = SCENE_BOOTTIME_USEC,
        };

        strcpy(request.client, scene->client);
        while (selectors[request.n_selectors])
                request.n_selectors++;

        return request;
}

int scene_acquire_strv(Scene *scene, const Subject *subject, const char *const *selectors) {
        Request request = scene_request(scene, selectors);

        scene->refusal = (Refusal) {};
        return assert_ok(manager_acquire(scene->manager, subject, &request, &scene->lease, &scene->refusal,
                                         &scene->changes));
}

void scene_plan_strv(Scene *scene, const Subject *subject, Plan *ret, const char *const *selectors) {
        Request request = scene_request(scene, selectors);

        assert_ok(plan_make(scene->manager, subject, &request, ret, &scene->changes));
}

void scene_commit(Scene *scene) {
        for (size_t i = 0; i < scene->changes.n_items; i++)
                if (scene->changes.items[i].kind == CHANGE_CLAIM_ANSWERED) {
                        scene->n_answers++;
                        scene->answer = manager_find_claim(
                                scene->manager, scene->changes.items[i].id)->refusal;
                } else if (scene->changes.items[i].kind == CHANGE_LEASE_ANSWERED) {
                        scene->n_answers++;
                        scene->answer = scene_lease(scene, scene->changes.items[i].id)->refusal;
                }

        mirror_apply(&scene->mirror, scene->manager, &scene->changes);
        change_set_done(&scene->changes);
        manager_reap(scene->manager);
}

bool scene_step(Scene *scene) {
        bool stepped;

        scene_commit(scene);
        stepped = task_runner_step(&scene->tasks, &scene->changes);
        scene_commit(scene);
        return stepped;
}

void scene_run(Scene *scene) {
        while (scene_step(scene))
                ;
}

void scene_monitor(Scene *scene) {
        for (unsigned i = 0; i < scene->kernel->n_devices; i++) {
                const FakeDevice *device = &scene->kernel->devices[i];
                DeviceFacts facts;

                if (device->gone)
                        continue;
                facts = *scene_facts(scene, device->name);
                memset(facts.driver, 0, sizeof(facts.driver));
                strcpy(facts.driver, device->driver);
                memset(facts.driver_override, 0, sizeof(facts.driver_override));
                strcpy(facts.driver_override, device->override);
                assert_ok(manager_update_device(scene->manager, &facts, &scene->changes));
        }
}

Lease *scene_grant_strv(Scene *scene, const Subject *subject, const char *const *selectors) {
        Lease *lease;

        if (scene_acquire_strv(scene, subject, selectors) > 0)
                assert_failed(__FILE__, __LINE__, selectors[0], "refused: %s", scene->refusal.text);
        scene_run(scene);

        lease = scene_lease(scene, scene->lease);
        assert(lease);
        assert_eq_str(lease_state_to_string(lease->state), "active");
        assert(lease->answered);
        return lease;
}

Operation *scene_operate(Scene *scene, const Subject *subject, Operation *operation) {
        Refusal refusal;
        uint64_t id;

        if (manager_operate_take(
                    scene->manager, subject, scene->lease, operation, &refusal, &scene->changes) > 0) {
                operation->refusal = refusal;
                return operation;
        }

        id = operation->id;
        scene_run(scene);
        operation = manager_take_operation(scene->manager, id);
        assert(operation && operation->done);
        return operation;
}

int scene_claim(Scene *scene, uint32_t group, const ClaimRequest *request) {
        uint64_t id;
        int r;

        scene->refusal = (Refusal) {};
        scene->answer = (Refusal) {};
        r = assert_ok(manager_claim(scene->manager, &ROOT, group, request, &id, &scene->refusal,
                                    &scene->changes));
        if (r > 0)
                return r;

        scene_run(scene);
        scene->refusal = scene->answer;
        return scene->answer.outcome;
}

int scene_unclaim(Scene *scene, uint32_t group) {
        uint64_t id;
        int r;

        scene->refusal = (Refusal) {};
        scene->answer = (Refusal) {};
        r = assert_ok(manager_unclaim(
                scene->manager, &ROOT, group, &id, &scene->refusal, &scene->changes));
        if (r > 0)
                return r;

        scene_run(scene);
        scene->refusal = scene->answer;
        return scene->answer.outcome;
}

const char *scene_claim_state(const Scene *scene, uint32_t group) {
        const Group *found = manager_find_group(scene->manager, group);

        return found && found->claim ? claim_state_to_string(found->claim->state) : "none";
}

void scene_watch(Scene *scene) {
        for (size_t i = 0; i < scene->manager->leases.n_items; i++) {
                const Lease *lease = scene->manager->leases.items[i];
                struct pollfd fd = {
                        .fd = lease->lifeline,
                        .events = lease->lifeline_is_pidfd ? POLLIN : 0,
                };

                if (lease->state == LEASE_ACTIVE && poll(&fd, 1, 0) > 0)
                        manager_hangup(scene->manager, lease->id, "its lifeline was closed",
                                       &scene->changes);
        }
}

void scene_overdue(Scene *scene, const char *device) {
        const Task *task;

        task = task_runner_find(&scene->tasks, device);
        assert(task);
        manager_task_overdue(scene->manager, task, &scene->changes);
}

Lease *scene_lease(Scene *scene, uint64_t id) {
        return manager_find_lease(scene->manager, id);
}

const char *scene_changes(const Scene *scene) {
        static const char *const names[] = {
                [CHANGE_DEVICE_ADDED] = "device-added",
                [CHANGE_DEVICE_CHANGED] = "device-changed",
                [CHANGE_DEVICE_QUARANTINED] = "device-quarantined",
                [CHANGE_DEVICE_CLEARED] = "device-cleared",
                [CHANGE_DEVICE_RESET] = "device-reset",
                [CHANGE_DEVICE_REMOVED] = "device-removed",
                [CHANGE_GROUP_ADDED] = "group-added",
                [CHANGE_GROUP_CHANGED] = "group-changed",
                [CHANGE_GROUP_REMOVED] = "group-removed",
                [CHANGE_LEASE_ADDED] = "lease-added",
                [CHANGE_LEASE_CHANGED] = "lease-changed",
                [CHANGE_LEASE_ANSWERED] = "lease-answered",
                [CHANGE_LEASE_ENDING] = "lease-ending",
                [CHANGE_LEASE_ENDED] = "lease-ended",
                [CHANGE_LEASE_STALE] = "lease-stale",
                [CHANGE_OPERATION_DONE] = "operation-done",
                [CHANGE_LEASE_REQUESTED] = "lease-requested",
                [CHANGE_LEASE_EXPIRES] = "lease-expires",
                [CHANGE_LEASE_DEVICE_GONE] = "lease-device-gone",
                [CHANGE_LEASE_GROUP_GREW] = "lease-group-grew",
                [CHANGE_LEASE_KILL] = "lease-kill",
                [CHANGE_CLAIM_CHANGED] = "claim-changed",
                [CHANGE_CLAIM_ANSWERED] = "claim-answered",
                [CHANGE_CLAIM_ENDED] = "claim-ended",
        };
        static char text[8192];
        size_t n = 0;

        static_assert(ELEMENTSOF(names) == _CHANGE_KIND_MAX, "a kind of change has no name");

        text[0] = '\0';
        for (size_t i = 0; i < scene->changes.n_items; i++) {
                const Change *change = &scene->changes.items[i];

                n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%s ", n > 0 ? ", " : "",
                                       names[change->kind]);
                if (change->name[0] && change->id > 0)
                        n += (size_t) snprintf(text + n, sizeof(text) - n, "%llu %s",
                                               (unsigned long long) change->id, change->name);
                else if (change->name[0])
                        n += (size_t) snprintf(text + n, sizeof(text) - n, "%s", change->name);
                else
                        n += (size_t) snprintf(text + n, sizeof(text) - n, "%llu",
                                               (unsigned long long) change->id);
                if (change->pid > 0)
                        n += (size_t) snprintf(text + n, sizeof(text) - n, " %d", (int) change->pid);
                assert(n < sizeof(text));
        }

        return text;
}

unsigned scene_count_changes(const Scene *scene, ChangeKind kind) {
        unsigned n = 0;

        for (size_t i = 0; i < scene->changes.n_items; i++)
                if (scene->changes.items[i].kind == kind)
                        n++;

        return n;
}

void scene_hand_over(Scene *scene, uint64_t id, Client *ret) {
        Lease *lease;

        lease = scene_lease(scene, id);
        assert(lease && lease->state == LEASE_ACTIVE);

        *ret = (Client) { .lifeline = TAKE_FD(lease->lifeline_client), .iommufd = -EBADF };
        if (lease->mode != MODE_CONFINED)
                ret->iommufd = assert_ok(fd_dup(lease->iommufd));
        for (unsigned i = 0; i < lease->n_given; i++)
                ret->devices[ret->n_devices++] = assert_ok(fd_dup(lease->devices[i].fd));
        lease_close(lease);
}

void client_close(Client *client) {
        client->lifeline = close_fd(client->lifeline);
        client->iommufd = close_fd(client->iommufd);
        for (unsigned i = 0; i < client->n_devices; i++)
                close_fd(client->devices[i]);
        client->n_devices = 0;
}

void scene_remember(const Scene *scene, Before *ret) {
        const char *drivers = fake_kernel_drivers(scene->kernel);

        assert(strlen(drivers) < sizeof(ret->drivers));
        strcpy(ret->drivers, drivers);
        for (unsigned i = 0; i < scene->kernel->n_devices; i++)
                ret->power[i] = scene->kernel->devices[i].power;
        ret->n_fds = count_fds();
}

void scene_assert_as_before(Scene *scene, const Before *before) {
        const Manager *manager = scene->manager;

        scene_commit(scene);
        assert_eq_int(manager->leases.n_items, 0);
        assert_eq_int(scene->fake_store ? scene->fake_store->n_items : 0, 0);
        assert_eq_int(scene->fake_store ? scene->fake_store->n_claims + scene->fake_store->n_fds : 0, 0);
        assert_eq_int(manager->claims.n_items, 0);
        for (unsigned i = 0; i < scene->kernel->n_devices; i++)
                assert(!fake_device_is_bound(&scene->kernel->devices[i]));
        assert_eq_int(task_runner_take(&scene->tasks), 0);
        assert_eq_str(fake_kernel_drivers(scene->kernel), before->drivers);
        for (unsigned i = 0; i < scene->kernel->n_devices; i++)
                assert_eq_int(scene->kernel->devices[i].power, before->power[i]);
        assert_eq_int(count_fds(), before->n_fds);

        for (size_t i = 0; i < manager->groups.n_items; i++)
                assert(!((const Group *) manager->groups.items[i])->lease);

        for (size_t i = 0; i < manager->accounts.n_items; i++) {
                const Account *account = manager->accounts.items[i];

                assert_eq_int(account->used[ACCOUNT_LEASES], 0);
                assert_eq_int(account->used[ACCOUNT_DEVICES], 0);
        }

        for (size_t i = 0; i < manager->devices.n_items; i++) {
                const Device *device = manager->devices.items[i];

                assert_eq_str(device->facts.driver,
                              fake_kernel_find(scene->kernel, device->facts.name)->driver);
        }
}
