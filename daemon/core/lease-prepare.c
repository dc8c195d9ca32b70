/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The way to an active lease: the drivers, the group, the descriptors, the record.
 */

#include "core/change.h"
#include "core/claim.h"
#include "core/device.h"
#include "core/group.h"
#include "core/lease-context.h"
#include "core/lease-private.h"
#include "core/manager.h"
#include "core/store.h"

/*
 * Whether its groups and devices are still there, and can be owned by userspace now. Returns 0, or a
 * positive Outcome with the refusal set.
 */
static int lease_check(Lease *lease, ChangeSet *changes) {
        int r;

        for (unsigned i = 0; i < lease->n_groups; i++) {
                Group *group;

                group = manager_find_group(lease->manager, lease->groups[i]);
                if (!group || group->lease != lease)
                        return refuse(&lease->refusal, OUTCOME_NO_SUCH_DEVICE, "Group %u is gone",
                                lease->groups[i]);

                /* the plan has asked for those that nothing had to be done to */
                for (unsigned j = 0; j < lease->n_devices; j++)
                        if (lease->devices[j].group == group->facts.id && lease->devices[j].dirty) {
                                r = group_probe(group, &lease->refusal, changes);
                                if (r > 0)
                                        return r;
                                break;
                        }
        }

        for (unsigned i = 0; i < lease->n_given; i++)
                if (lease->devices[i].gone)
                        return refuse(&lease->refusal, OUTCOME_NO_SUCH_DEVICE, "%s was unplugged",
                                      lease->devices[i].name);

        return 0;
}

/* Opens what is to be handed over. Returns 0, or a positive Outcome with the refusal set. */
static int lease_open(Lease *lease) {
        const Kernel *kernel = lease->manager->kernel;
        KernelFailure failure;
        int r;

        r = kernel->ops->open_context(kernel->userdata, lease->accounting, &lease->iommufd, &failure);
        if (r < 0)
                return refuse_kernel(&lease->refusal, &failure);

        for (unsigned i = 0; i < lease->n_given; i++) {
                LeaseDevice *device = &lease->devices[i];

                r = kernel->ops->open_device(kernel->userdata, device->subsystem, device->name,
                                             lease_device_syspath(lease, device), &device->fd, &failure);
                if (r < 0) {
                        lease_fail_device(lease, device, &failure);
                        return lease->refusal.outcome;
                }
        }

        return 0;
}

/* Puts on record that it is active, and everything that has to survive us into safety. */
static int lease_keep(Lease *lease, KernelFailure *reterr) {
        const Store *store = lease->manager->store;
        int r;

        r = lease_open_lifeline(lease);
        if (r < 0)
                return kernel_failure(reterr, r, "pipe2");

        r = lease_save(lease, reterr);
        if (r < 0)
                return r;

        r = lease_keep_fds(lease, reterr);
        if (r < 0)
                return r;

        if (!store || lease->lifeline_kept)
                return 0;

        return store->ops->keep_lifeline(store->userdata, lease->id, lease->lifeline, reterr);
}

/*
 * It is active from here on, and all of that is kept before anybody is told; and where the client binds,
 * before we open what it gets: the service manager has the lifeline to work on meanwhile.
 */
static int lease_activate(Lease *lease, ChangeSet *changes) {
        KernelFailure failure;
        int r;

        for (unsigned i = 0; i < lease->n_given; i++) {
                LeaseDevice *device = &lease->devices[i];

                device->handed = device->dirty = true;
                device->recycle = subsystem_rebinds(device->subsystem);
        }
        lease_set_state(lease, LEASE_ACTIVE, changes);

        r = lease_keep(lease, &failure);
        if (r < 0)
                r = refuse_kernel(&lease->refusal, &failure);
        else if (!lease_binds(lease))
                r = lease_open(lease);
        if (r == 0)
                return 0;

        /*
         * Nothing went out, but where iommud has bound the devices the service manager may have copies, and
         * is not done with closing them when it has been told to: whether they are free is to be proved.
         */
        for (unsigned i = 0; i < lease->n_given; i++) {
                LeaseDevice *device = &lease->devices[i];

                device->handed = lease_binds(lease);
                device->recycle = false;
                device->dirty = device->target[0] != '\0';
        }
        return r;
}

/* Where iommud binds: the next thing to be done. Returns 0, or an Outcome with the refusal set. */
static int lease_step(Lease *lease, ChangeSet *changes) {
        KernelFailure failure;
        int r;

        switch (lease->step) {

        case LEASE_STEP_DRIVERS:
                r = lease_check(lease, changes);
                if (r > 0)
                        return r;
                if (!lease_binds(lease)) {
                        lease->step = LEASE_STEP_DONE;
                        return 0;
                }

                r = lease_open(lease);
                if (r > 0)
                        return r;

                lease->step = LEASE_STEP_BIND;
                r = lease_bind(lease, &failure);
                return r < 0 ? refuse_kernel(&lease->refusal, &failure) : 0;

        case LEASE_STEP_BIND:
                lease->step = LEASE_STEP_ATTACH;
                return lease_make_domains(lease, &lease->refusal, changes);

        case LEASE_STEP_ATTACH:
                r = lease_attach_next(lease, &lease->refusal);
                if (r != LEASE_ALL_ATTACHED)
                        return r;
                lease->step = LEASE_STEP_DONE;
                return 0;

        case LEASE_STEP_DONE:
                break;
        }

        return 0;
}

/* The groups of it that are claimed have to be let go of first. */
static bool lease_waits_for_claim(const Lease *lease) {
        for (unsigned i = 0; i < lease->n_groups; i++) {
                const Group *group;

                group = manager_find_group(lease->manager, lease->groups[i]);
                if (group && group->lease == lease && group->claim && group->claim->state != CLAIM_LENT)
                        return true;
        }

        return false;
}

void lease_prepared(Lease *lease, ChangeSet *changes) {
        if (lease_waits_for_claim(lease))
                return;

        while (lease->refusal.outcome == OUTCOME_GRANTED && lease->step != LEASE_STEP_DONE &&
               !lease_has_task(lease))
                if (lease_step(lease, changes) > 0)
                        break;

        /* also what was begun before something failed */
        if (lease_has_task(lease))
                return;

        if (lease->refusal.outcome != OUTCOME_GRANTED || lease_activate(lease, changes) > 0) {
                lease_wind_down(lease, changes);
                return;
        }

        lease_answer(lease, changes);
}

/* A driver that is bound or unbound, be it the same one again, sets it. */
static int lease_read_power(Lease *lease) {
        const Kernel *kernel = lease->manager->kernel;
        KernelFailure failure;

        for (unsigned i = 0; i < lease->n_devices; i++) {
                LeaseDevice *device = &lease->devices[i];

                if (kernel->ops->read_power(kernel->userdata, device->subsystem, device->name,
                                            lease_device_syspath(lease, device), &device->power,
                                            &failure) < 0) {
                        lease_fail_device(lease, device, &failure);
                        return lease->refusal.outcome;
                }
        }

        return 0;
}

/* Has the devices that need it given to the VFIO driver, once it is on record what they had. */
static int lease_rebind(Lease *lease, KernelFailure *reterr) {
        bool any = false;
        int r;

        for (unsigned i = 0; i < lease->n_devices; i++)
                if (lease->devices[i].target[0])
                        any = lease->devices[i].dirty = true;
        if (!any)
                return 0;

        r = lease_save(lease, reterr);
        if (r < 0)
                return r;

        for (unsigned i = 0; i < lease->n_devices; i++) {
                LeaseDevice *device = &lease->devices[i];

                if (!device->target[0])
                        continue;
                r = lease_queue_set_driver(
                        lease, device, device->target, device->target, POWER_CONTROL_NONE);
                if (r < 0)
                        return kernel_failure(reterr, r, "queueing the change of a driver");
        }

        return 0;
}

void lease_start(Lease *lease, ChangeSet *changes) {
        KernelFailure failure;

        change_set_lease(changes, CHANGE_LEASE_ADDED, lease->id);
        for (unsigned i = 0; i < lease->n_groups; i++) {
                const Group *group;

                group = manager_find_group(lease->manager, lease->groups[i]);
                change_set_group(changes, CHANGE_GROUP_CHANGED, group->facts.id);
                for (Device *device = group->devices; device; device = device->next)
                        change_set_device(changes, CHANGE_DEVICE_CHANGED, device->facts.name);
        }

        if (lease_read_power(lease) == 0 && lease_rebind(lease, &failure) < 0)
                lease_fail(lease, &failure);

        for (unsigned i = 0; i < lease->n_groups; i++) {
                const Group *group;

                group = manager_find_group(lease->manager, lease->groups[i]);
                if (group && group->claim)
                        claim_lend(group->claim, changes);
        }

        lease_claim_lent(lease, changes);
}

void lease_claim_lent(Lease *lease, ChangeSet *changes) {
        if (lease->state == LEASE_PREPARING && !lease_has_task(lease))
                lease_prepared(lease, changes);
}

void lease_give_up(Lease *lease, const KernelFailure *failure, ChangeSet *changes) {
        if (lease->state != LEASE_PREPARING)
                return;

        lease_fail(lease, failure);
        lease_answer(lease, changes);
}
