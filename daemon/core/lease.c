/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "core/change.h"
#include "core/claim.h"
#include "core/device.h"
#include "core/domain.h"
#include "core/explain.h"
#include "core/group.h"
#include "core/lease-charge.h"
#include "core/lease-context.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/operation.h"
#include "core/plan.h"
#include "core/policy.h"

static const char *const lease_state_table[] = {
        [LEASE_PREPARING] = "preparing",
        [LEASE_ACTIVE] = "active",
        [LEASE_DRAINING] = "draining",
        [LEASE_RESTORING] = "restoring",
        [LEASE_STUCK] = "stuck",
        [LEASE_ENDED] = "ended",
};

DEFINE_STRING_TABLE(lease_state, LeaseState, _LEASE_STATE_MAX);

static int lease_compare(const void *key, const void *item) {
        const uint64_t *id = key;
        const Lease *lease = item;

        return *id < lease->id ? -1 : *id > lease->id;
}

Lease *manager_find_lease(const Manager *manager, uint64_t id) {
        return ptr_array_find(&manager->leases, &id, lease_compare);
}

LeaseDevice *lease_find_device(const Lease *lease, const char *name) {
        for (unsigned i = 0; i < lease->n_devices; i++)
                if (strcmp(lease->devices[i].name, name) == 0)
                        return &lease->devices[i];

        return NULL;
}

LeaseDevice *lease_find_task(const Lease *lease, uint64_t task) {
        for (unsigned i = 0; i < lease->n_devices; i++)
                if (task != 0 && lease->devices[i].task == task)
                        return &lease->devices[i];

        return NULL;
}

bool lease_has_task(const Lease *lease) {
        if (lease->job_task != 0)
                return true;

        for (unsigned i = 0; i < lease->n_devices; i++)
                if (lease->devices[i].task != 0)
                        return true;

        return false;
}

static void lease_close_fds(Lease *lease) {
        lease->iommufd = close_fd(lease->iommufd);

        for (unsigned i = 0; i < lease->n_devices; i++)
                lease->devices[i].fd = close_fd(lease->devices[i].fd);
}

void lease_close(Lease *lease) {
        lease->lifeline_client = close_fd(lease->lifeline_client);

        if (!lease_binds(lease)) {
                lease_close_fds(lease);
                return;
        }

        for (size_t i = 0; lease->context && i < lease->context->domains.n_items; i++) {
                Domain *domain = lease->context->domains.items[i];

                domain->fault_fd = close_fd(domain->fault_fd);
        }
}

void lease_unreserve(Lease *lease, ChangeSet *changes) {
        for (unsigned i = 0; i < lease->n_groups; i++) {
                Group *group;

                group = manager_find_group(lease->manager, lease->groups[i]);
                if (!group || group->lease != lease)
                        continue;

                group->lease = NULL;
                change_set_group(changes, CHANGE_GROUP_CHANGED, group->facts.id);
                for (Device *device = group->devices; device; device = device->next)
                        change_set_device(changes, CHANGE_DEVICE_CHANGED, device->facts.name);
                if (group->claim)
                        claim_resume(group->claim, changes);
        }

        lease_refund_all(lease);
}

Lease *lease_free(Lease *lease) {
        if (!lease)
                return NULL;

        lease_close(lease);
        /* what is bound is not closed for the last time by this: the service manager has it too */
        lease_close_fds(lease);
        lease_forget_context(lease);
        context_free(lease->context);
        while (lease->operations) {
                Operation *operation = lease->operations;

                lease->operations = operation->next;
                operation_free(operation);
        }
        dma_job_done(&lease->job);
        close_fd(lease->lifeline);
        lease_unreserve(lease, /* changes= */ NULL);
        ptr_array_remove(&lease->manager->leases, lease);
        free(lease->devices);
        free(lease);
        return NULL;
}

static void lease_add_device(Lease *lease, const Device *device, bool given) {
        LeaseDevice *d = &lease->devices[lease->n_devices++];

        *d = (LeaseDevice) { .given = given, .group = device->group->facts.id, .fd = -EBADF };
        strcpy(d->subsystem, device->facts.subsystem);
        strcpy(d->name, device->facts.name);
        strcpy(d->driver, device->facts.driver);
        strcpy(d->driver_override, device->facts.driver_override);
        if (!device_facts_on_vfio(&device->facts))
                strcpy(d->target, device_facts_vfio_driver(&device->facts));
}

/* The devices that were asked for, and of their groups those that have to leave their drivers. */
static int lease_add_devices(Lease *lease, const Plan *plan) {
        lease->devices = calloc(plan->n_devices + plan->n_steps, sizeof(*lease->devices));
        if (!lease->devices)
                return -ENOMEM;

        for (unsigned i = 0; i < plan->n_devices; i++)
                lease_add_device(lease, plan->devices[i], /* given= */ true);
        lease->n_given = lease->n_devices;

        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = &plan->steps[i];

                if (step->action == PLAN_REBIND && !lease_find_device(lease, step->device))
                        lease_add_device(lease, manager_find_device(lease->manager, step->device),
                                /* given= */ false);
        }

        return 0;
}

/*
 * Where iommud binds, companions that could be bound by somebody else are as well: they are part of the
 * context, and held.
 */
static int lease_add_companions(Lease *lease, const Plan *plan) {
        for (unsigned i = 0; i < plan->n_groups; i++)
                for (const Device *device = plan->groups[i]->devices; device; device = device->next) {
                        LeaseDevice *devices;

                        if (!device_facts_on_vfio(&device->facts) ||
                            lease_find_device(lease, device->facts.name))
                                continue;

                        devices = reallocarray(lease->devices, lease->n_devices + 1, sizeof(*devices));
                        if (!devices)
                                return -ENOMEM;
                        lease->devices = devices;
                        lease_add_device(lease, device, /* given= */ false);
                }

        assert(lease->n_devices <= LIMIT_CONTEXT_DEVICES);             /* the plan has looked */
        return 0;
}

/* What the rules give with the devices: of several the least. */
static void lease_set_terms(Lease *lease, const Plan *plan, const Request *request) {
        for (unsigned i = 0; i < plan->n_devices; i++) {
                const PolicyRule *rule = plan->rules[i];

                if (!rule)
                        continue;
                lease->features &= rule->features;
                if (rule->max_lease_usec > 0 &&
                    (lease->max_usec == 0 || rule->max_lease_usec < lease->max_usec))
                        lease->max_usec = rule->max_lease_usec;
        }

        lease->memlock = plan_memlock(plan, request);
        if (lease->max_usec > 0)
                lease->until_usec = request->boottime_usec + lease->max_usec;
}

/* The plan has found that there is room, and nothing came between. */
static int lease_charge_all(Lease *lease, const Plan *plan) {
        int r;

        r = lease_charge_lease(lease);
        if (r < 0)
                return r;

        for (unsigned i = 0; i < plan->n_devices; i++) {
                const PolicyRule *rule = plan->rules[i];

                r = lease_charge_device(lease, &lease->devices[i],
                                        rule && rule->limits.set != 0 ? rule->origin : NULL);
                if (r < 0)
                        return r;
        }

        return 0;
}

int lease_alloc(Manager *manager, Lease **ret) {
        Lease *lease;

        lease = calloc(1, sizeof(*lease));
        if (!lease)
                return -ENOMEM;

        *lease = (Lease) {
                .manager = manager,
                .subject = SUBJECT_INIT,
                .ended_by = (uid_t) -1,
                .features = (1U << _DOMAIN_FEATURE_MAX) - 1,
                .lifeline = -EBADF,
                .lifeline_client = -EBADF,
                .iommufd = -EBADF,
        };

        *ret = lease;
        return 0;
}

int manager_add_lease(Manager *manager, Lease *lease) {
        int r;

        r = ptr_array_insert(&manager->leases, &lease->id, lease, lease_compare);
        if (r < 0)
                return r;

        if (manager->last_lease < lease->id)
                manager->last_lease = lease->id;
        return 0;
}

/* The holder that the caller has named, instead of a pipe. */
static int lease_set_holder(Lease *lease, int pidfd) {
        pid_t pid;
        int r;

        r = pidfd_get_pid(pidfd, &pid);
        if (r < 0)
                return r;

        lease->lifeline = fd_dup(pidfd);
        if (lease->lifeline < 0)
                return lease->lifeline;

        lease->lifeline_is_pidfd = true;
        lease->lifeline_id = (uint64_t) pid;
        return 0;
}

static void lease_add_group(Lease *lease, Group *group) {
        if (group->lease == lease)
                return;

        assert(!group->lease && lease->n_groups < ELEMENTSOF(lease->groups));
        lease->groups[lease->n_groups++] = group->facts.id;
        group->lease = lease;
}

int lease_new(Manager *manager, uint64_t id, const Plan *plan, const Subject *subject,
        const Request *request, Lease **ret) {
        _cleanup_(lease_freep) Lease *lease = NULL;
        int r;

        assert(!plan_refusal(plan));

        r = lease_alloc(manager, &lease);
        if (r < 0)
                return r;

        lease->id = id;
        lease->mode = request->mode;
        /* iommud maps for a confined client, from children that come and go: the kernel charges root then */
        lease->accounting = request->mode == MODE_CONFINED ? ACCOUNTING_USER : request->accounting;
        lease->ioas_options = request->ioas;
        lease->domain_options = request->domain;
        lease->subject = *subject;
        strcpy(lease->client, request->client);
        lease->since_usec = request->now_usec;

        r = lease_add_devices(lease, plan);
        if (r < 0)
                return r;

        if (lease_binds(lease)) {
                r = lease_add_companions(lease, plan);
                if (r < 0)
                        return r;
                r = context_new(&lease->context);
                if (r < 0)
                        return r;
        }

        lease_set_terms(lease, plan, request);
        r = lease_charge_all(lease, plan);
        if (r < 0)
                return r;

        if (request->holder >= 0) {
                r = lease_set_holder(lease, request->holder);
                if (r < 0)
                        return r;
        }

        r = manager_add_lease(manager, lease);
        if (r < 0)
                return r;

        for (unsigned i = 0; i < plan->n_groups; i++)
                lease_add_group(lease, plan->groups[i]);

        *ret = TAKE_PTR(lease);
        return 0;
}

void lease_reserve(Lease *lease, ChangeSet *changes) {
        int r;

        /*
         * It had all this before: a limit that was lowered since takes nothing away. What a rule counts is
         * charged when the record is read. Without memory it is not counted.
         */
        r = lease_charge_lease(lease);
        for (unsigned i = 0; i < lease->n_given; i++) {
                LeaseDevice *d = &lease->devices[i];
                const Account *rule = TAKE_PTR(d->rule);     /* nothing keeps it that is not charged */

                if (r >= 0)
                        r = lease_charge_device(lease, d, rule ? rule->rule : NULL);
        }
        lease_charge_context(lease);

        for (unsigned i = 0; i < lease->n_devices; i++) {
                LeaseDevice *d = &lease->devices[i];
                Device *device;

                device = manager_find_device(lease->manager, d->name);
                if (!device)
                        continue;            /* unplugged meanwhile */

                d->group = device->group->facts.id;
                /* no lease that was granted has devices of more groups */
                if (!device->group->lease && lease->n_groups < ELEMENTSOF(lease->groups))
                        lease_add_group(lease, device->group);
                change_set_group(changes, CHANGE_GROUP_CHANGED, d->group);
                change_set_device(changes, CHANGE_DEVICE_CHANGED, d->name);
        }
}
