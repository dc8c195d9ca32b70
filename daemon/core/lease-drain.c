/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What was handed out and is not any more: waiting until nobody has it open.
 */

#include <stdio.h>
#include <string.h>

#include "core/change.h"
#include "core/device.h"
#include "core/lease-private.h"
#include "core/manager.h"
#include "core/quarantine.h"
#include "core/task.h"

/* Looks whether the device is free: at once the first time, then less and less often. */
static int lease_queue_prove_free(Lease *lease, LeaseDevice *device) {
        Task task = { .kind = TASK_PROVE_FREE, .timeout_usec = LIMIT_PROVE_FREE_USEC };
        const Device *known = manager_find_device(lease->manager, device->name);

        task.probe = known && !device_info_is_complete(known);

        if (device->n_tries > 0) {
                task.delay_usec = LIMIT_DRAIN_FIRST_USEC;
                for (unsigned i = 1; i < device->n_tries && task.delay_usec < LIMIT_DRAIN_LAST_USEC; i++)
                        task.delay_usec *= 2;
                if (task.delay_usec > LIMIT_DRAIN_LAST_USEC)
                        task.delay_usec = LIMIT_DRAIN_LAST_USEC;
        }

        return lease_queue(lease, device, &task);
}

static bool lease_has_task_in_group(const Lease *lease, uint32_t group) {
        for (unsigned i = 0; i < lease->n_devices; i++)
                if (lease->devices[i].group == group && lease->devices[i].task != 0)
                        return true;

        return false;
}

bool lease_drain(Lease *lease, ChangeSet *changes) {
        bool pending = false;

        for (unsigned i = 0; i < lease->n_devices; i++) {
                LeaseDevice *device = &lease->devices[i];

                if (!device->handed)
                        continue;
                pending = true;

                /*
                 * One trial per group at a time: two would have two iommufds, and each find the group owned
                 * by the other.
                 */
                if (!lease_has_task_in_group(lease, device->group) &&
                        lease_queue_prove_free(lease, device) < 0)
                        lease_set_reason(lease, "out of memory; release it to try again", changes);
        }

        return pending;
}

static bool holder_equal(const Holder *a, const Holder *b) {
        return a->pid == b->pid && strcmp(a->comm, b->comm) == 0 && strcmp(a->cgroup, b->cgroup) == 0;
}

void lease_set_holders(
        Lease *lease, LeaseDevice *device, const Holders *holders, ChangeSet *changes) {
        bool equal = device->holders.n_items == holders->n_items;

        for (unsigned i = 0; equal && i < holders->n_items; i++)
                equal = holder_equal(&device->holders.items[i], &holders->items[i]);
        if (equal)
                return;

        device->holders = *holders;
        change_set_lease(changes, CHANGE_LEASE_CHANGED, lease->id);
}

/* "0000:01:00.0 is open in qemu-system-x86 (pid 4711)" */
static void lease_explain_held(
        Lease *lease, const LeaseDevice *device, const Holders *holders, ChangeSet *changes) {
        char text[sizeof(lease->reason)];
        size_t n;

        n = (size_t) snprintf(text, sizeof(text), "%s is still open", device->name);
        if (holders->n_items == 0)
                snprintf(text + n, sizeof(text) - n, ", in a process that could not be found");

        for (unsigned i = 0; i < holders->n_items && i < HOLDERS_MAX && n < sizeof(text); i++)
                n += (size_t) snprintf(text + n, sizeof(text) - n, "%s %.15s (pid %d)", i == 0 ? " in" : ",",
                                       holders->items[i].comm, (int) holders->items[i].pid);

        lease_set_reason(lease, text, changes);
}

/* Whether a device has been found held and not been proved free since. */
static bool lease_has_held_device(const Lease *lease) {
        for (unsigned i = 0; i < lease->n_devices; i++)
                if (lease->devices[i].handed && lease->devices[i].n_tries > 0)
                        return true;

        return false;
}

/* What its last tenant has left in the device is nobody else's: on record before the lease lets go of it. */
static int lease_quarantine(Lease *lease, const LeaseDevice *device, const TaskResult *result,
        KernelFailure *reterr, ChangeSet *changes) {
        QuarantineKind kind;

        if (result->result == PROVE_RESET_FAILED)
                kind = QUARANTINE_RESET_FAILED;
        else if (result->result == PROVE_NO_RESET)
                kind = QUARANTINE_NO_RESET;
        else if (result->result == _PROVE_FREE && lease->mode == MODE_VMM &&
                 !subsystem_rebinds(device->subsystem))
                /* only an unbind finds a descriptor that was never bound and is in no process */
                kind = QUARANTINE_NO_PROOF;
        else
                return 0;

        return manager_quarantine(lease->manager, &lease->subject, device->name, kind, &result->failure,
                reterr, changes);
}

void lease_drain_done(
        Lease *lease, LeaseDevice *device, const TaskResult *result, ChangeSet *changes) {
        static const Holders nobody = {};
        KernelFailure failure;
        Device *known;

        known = manager_find_device(lease->manager, device->name);
        if (known && result->result != PROVE_HELD)
                device_set_info(known, &result->info, changes);

        /* nobody that is known */
        lease_set_holders(lease, device, result->result == PROVE_HELD ? &result->holders : &nobody, changes);

        if (result->result == PROVE_HELD) {
                device->n_tries++;
                lease_explain_held(lease, device, &result->holders, changes);
                if (lease->kill)
                        lease_kill_holders(lease, device, changes);
                return;
        }

        failure = result->failure;
        if (result->result < 0 || lease_quarantine(lease, device, result, &failure, changes) < 0) {
                /* not proved is not free; nor is what nobody would know of after a restart */
                device->n_tries++;
                lease_explain_failure(lease, device->name, &failure, changes);
                return;
        }

        device->handed = false;
        if (result->result == 0)
                change_set_reset(changes, device->name, lease->id);
        if (result->result == PROVE_GONE)
                device->dirty = device->recycle = false;
        if (!lease_has_held_device(lease))
                lease_set_reason(lease, "", changes);
}
