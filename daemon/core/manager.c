/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/account.h"
#include "core/approved.h"
#include "core/claim.h"
#include "core/device.h"
#include "core/group.h"
#include "core/lease.h"
#include "core/limits.h"
#include "core/manager.h"
#include "core/plan.h"
#include "core/policy.h"
#include "core/quarantine.h"
#include "core/selector.h"
#include "core/store.h"
#include "core/subject.h"
#include "core/task.h"

int manager_new(const Kernel *kernel, const Host *host, Manager **ret) {
        _cleanup_(manager_freep) Manager *manager = NULL;
        int r;

        manager = calloc(1, sizeof(*manager));
        if (!manager)
                return -ENOMEM;

        r = quarantine_new(&manager->quarantine);
        if (r < 0)
                return r;

        r = approved_new(&manager->approved);
        if (r < 0)
                return r;

        manager->kernel = kernel;
        manager->host = host;
        manager->next = (NextLease) NEXT_LEASE_NULL;
        manager->accounts_max = LIMIT_IDLE_ACCOUNTS;
        *ret = TAKE_PTR(manager);
        return 0;
}

Manager *manager_free(Manager *manager) {
        if (!manager)
                return NULL;

        next_lease_done(&manager->next);
        /* first: a lease that goes gives its groups back to their claims */
        while (manager->claims.n_items > 0)
                claim_free(manager->claims.items[0]);
        while (manager->leases.n_items > 0)
                lease_free(manager->leases.items[0]);
        while (manager->groups.n_items > 0)
                group_free(manager->groups.items[0]);
        for (size_t i = 0; i < manager->accounts.n_items; i++)
                account_free(manager->accounts.items[i]);

        ptr_array_done(&manager->claims);
        ptr_array_done(&manager->leases);
        ptr_array_done(&manager->groups);
        ptr_array_done(&manager->devices);
        ptr_array_done(&manager->accounts);
        for (size_t i = 0; i < manager->iommus.n_items; i++)
                free(manager->iommus.items[i]);
        ptr_array_done(&manager->iommus);
        policy_free(manager->policy);
        quarantine_free(manager->quarantine);
        approved_free(manager->approved);
        for (size_t i = 0; i < manager->n_tasks; i++)
                task_done(&manager->tasks[i]);
        free(manager->tasks);
        free(manager);
        return NULL;
}

void manager_set_store(Manager *manager, const Store *store) {
        manager->store = store;
}

void manager_set_policy_consume(Manager *manager, Policy *policy) {
        policy_free(manager->policy);
        manager->policy = policy;
}

bool manager_selects(const Manager *manager, const Selector *selector, const Device *device) {
        DeviceFacts buffer;

        return selector_matches(selector, device_host_facts(device, &buffer),
                                manager->policy ? &manager->policy->catalog : NULL);
}

int manager_update_group(Manager *manager, const GroupFacts *facts, ChangeSet *changes) {
        Group *group;
        int r;

        group = manager_find_group(manager, facts->id);
        if (group) {
                if (memcmp(&group->facts, facts, sizeof(*facts)) != 0) {
                        group->facts = *facts;
                        change_set_group(changes, CHANGE_GROUP_CHANGED, facts->id);
                }
                return 0;
        }

        r = group_new(manager, facts, &group);
        if (r < 0)
                return r;

        change_set_group(changes, CHANGE_GROUP_ADDED, facts->id);
        return 0;
}

static int manager_add_device(Manager *manager, const DeviceFacts *facts, ChangeSet *changes) {
        Device *device;
        Group *group;
        int r;

        group = manager_find_group(manager, facts->group);
        if (!group)
                return -ESTALE;              /* the group comes first */

        r = device_new(group, facts, &device);
        if (r < 0)
                return r;

        change_set_device(changes, CHANGE_DEVICE_ADDED, facts->name);
        change_set_group(changes, CHANGE_GROUP_CHANGED, facts->group);
        if (group->lease)
                change_set_lease_device(changes, CHANGE_LEASE_GROUP_GREW, group->lease->id, facts->name);
        if (group->claim)
                claim_device_added(group->claim, device, changes);
        else
                group_claim_persistent(group, changes);
        return 0;
}

/* The node of a device goes, for which the kernel waits until nobody has it open. */
static void group_device_leaves(Group *group, const char *name, ChangeSet *changes) {
        LeaseDevice *leased = group->lease ? lease_find_device(group->lease, name) : NULL;
        ClaimDevice *claimed = group->claim ? claim_find_device(group->claim, name) : NULL;

        if (leased)
                lease_device_leaves(group->lease, leased, changes);
        if (claimed)
                claim_device_leaves(group->claim, claimed, changes);
}

int manager_update_device(Manager *manager, const DeviceFacts *facts, ChangeSet *changes) {
        DeviceFacts known;
        Device *device;

        device = manager_find_device(manager, facts->name);
        /* Everybody calls devices by their names alone. Two buses have one of this: the first is it. */
        if (device && strcmp(device->facts.subsystem, facts->subsystem) != 0)
                return 0;
        if (device) {
                known = *facts;
                /* Only its own driver can ask it. It has not lost its number with that. */
                if (!known.serial[0])
                        memcpy(known.serial, device->facts.serial, sizeof(known.serial));
                /* The link to it goes some time before a virtual function does. */
                if (!known.physfn[0]) {
                        memcpy(known.physfn, device->facts.physfn, sizeof(known.physfn));
                        known.vf_index = device->facts.vf_index;
                }
                facts = &known;
        }
        if (device && device->facts.group != facts->group) {
                manager_remove_device(manager, facts->subsystem, facts->name, changes);
                device = NULL;
        }
        if (!device)
                return manager_add_device(manager, facts, changes);

        if (memcmp(&device->facts, facts, sizeof(*facts)) == 0)
                return 0;

        if (device->facts.cdev[0] && !facts->cdev[0])
                group_device_leaves(device->group, facts->name, changes);

        device->facts = *facts;
        change_set_device(changes, CHANGE_DEVICE_CHANGED, facts->name);
        change_set_group(changes, CHANGE_GROUP_CHANGED, facts->group);
        return 0;
}

void manager_remove_device(
        Manager *manager, const char *subsystem, const char *name, ChangeSet *changes) {
        LeaseDevice *leased = NULL;
        Device *device;
        Group *group;

        device = manager_find_device(manager, name);
        if (!device || strcmp(device->facts.subsystem, subsystem) != 0)
                return;

        group = device->group;
        if (group->lease)
                leased = lease_find_device(group->lease, device->facts.name);
        change_set_device(changes, CHANGE_DEVICE_REMOVED, device->facts.name);
        device_free(device);
        if (leased)
                lease_device_gone(group->lease, leased, changes);
        if (group->claim)
                claim_device_gone(group->claim, name, changes);

        if (group->devices)
                change_set_group(changes, CHANGE_GROUP_CHANGED, group->facts.id);
        else {
                change_set_group(changes, CHANGE_GROUP_REMOVED, group->facts.id);
                group_free(group);
        }
}

int manager_acquire(Manager *manager, const Subject *subject, const Request *request, uint64_t *ret_lease,
                    Refusal *reterr, ChangeSet *changes) {
        _cleanup_(plan_done) Plan plan = {};
        const Refusal *refusal;
        KernelFailure failure;
        Lease *lease;
        uint64_t id;
        int r;

        assert(!request->as);

        r = plan_make(manager, subject, request, &plan, changes);
        if (r < 0)
                return r;

        refusal = plan_refusal(&plan);
        if (refusal) {
                *reterr = *refusal;
                return refusal->outcome;
        }

        r = manager_take_lease_id(manager, &id, &failure);
        if (r < 0)
                return refuse_kernel(reterr, &failure);

        r = lease_new(manager, id, &plan, subject, request, &lease);
        if (r < 0) {
                manager_drop_next_lease(manager);
                return r;
        }

        lease_take_next_lifeline(lease);
        *ret_lease = id;
        lease_start(lease, changes);
        return 0;
}

void manager_hangup(Manager *manager, uint64_t id, const char *cause, ChangeSet *changes) {
        Lease *lease;

        lease = manager_find_lease(manager, id);
        if (lease)
                lease_end(lease, cause, changes);
}

int manager_queue_task(Manager *manager, Task *task) {
        Task *tasks;

        tasks = reallocarray(manager->tasks, manager->n_tasks + 1, sizeof(*tasks));
        if (!tasks)
                return -ENOMEM;

        task->id = ++manager->last_task;
        manager->tasks = tasks;
        tasks[manager->n_tasks++] = *task;
        task->n_fds = 0;
        return 0;
}

void manager_close_stray_consume(Manager *manager, const char *name, int fd) {
        Task task = { .kind = TASK_CLOSE, .timeout_usec = LIMIT_CLOSE_USEC };

        snprintf(task.name, sizeof(task.name), "%s", name);
        task_add_fd_consume(&task, fd);
        if (manager_queue_task(manager, &task) < 0)
                return;                      /* and left open */
}

bool manager_next_task(Manager *manager, Task *ret) {
        if (manager->n_tasks == 0)
                return false;

        *ret = manager->tasks[0];
        manager->n_tasks--;
        memmove(manager->tasks, manager->tasks + 1, manager->n_tasks * sizeof(*manager->tasks));
        return true;
}

/*
 * The lease that a task was made for, and its device there, NULL when it is about all of them. NULL: it has
 * no say in any lease any more.
 */
static Lease *manager_find_task(const Manager *manager, const Task *task, LeaseDevice **ret_device) {
        for (size_t i = 0; i < manager->leases.n_items; i++) {
                Lease *lease = manager->leases.items[i];
                LeaseDevice *device;

                device = lease_find_task(lease, task->id);
                if (device || (task->id != 0 && lease->job_task == task->id)) {
                        *ret_device = device;
                        return lease;
                }
        }

        return NULL;
}

/* Likewise of a claim. */
static Claim *manager_find_claim_task(const Manager *manager, const Task *task, ClaimDevice **ret_device) {
        for (size_t i = 0; i < manager->claims.n_items; i++) {
                Claim *claim = manager->claims.items[i];
                ClaimDevice *device;

                device = claim_find_task(claim, task->id);
                if (device) {
                        *ret_device = device;
                        return claim;
                }
        }

        return NULL;
}

void manager_task_done(Manager *manager, const Task *task, const TaskResult *result, ChangeSet *changes) {
        ClaimDevice *claimed;
        LeaseDevice *device;
        Lease *lease;
        Claim *claim;

        lease = manager_find_task(manager, task, &device);
        if (lease)
                lease_task_done(lease, device, task, result, changes);

        claim = lease ? NULL : manager_find_claim_task(manager, task, &claimed);
        if (claim)
                claim_task_done(claim, claimed, task, result, changes);
}

void manager_task_overdue(Manager *manager, const Task *task, ChangeSet *changes) {
        ClaimDevice *claimed;
        LeaseDevice *device;
        Lease *lease;
        Claim *claim;

        lease = manager_find_task(manager, task, &device);
        if (lease)
                lease_task_overdue(lease, device, task, changes);

        claim = lease ? NULL : manager_find_claim_task(manager, task, &claimed);
        if (claim)
                claim_task_overdue(claim, claimed, task, changes);
}

void manager_reap(Manager *manager) {
        for (size_t i = manager->leases.n_items; i > 0; i--) {
                Lease *lease = manager->leases.items[i - 1];

                if (lease->state == LEASE_ENDED)
                        lease_free(lease);
        }

        for (size_t i = manager->claims.n_items; i > 0; i--) {
                Claim *claim = manager->claims.items[i - 1];

                if (claim->state == CLAIM_ENDED)
                        claim_free(claim);
        }
}
