/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What somebody may ask of a lease: that it ends, that its holder lets go, that its holder is ended.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/change.h"
#include "core/lease-private.h"
#include "core/manager.h"
#include "core/subject.h"
#include "core/task.h"

/* Finds it, if it is this subject's to decide about. Returns 0 and *ret, or an Outcome with *reterr. */
static int find_lease(
        const Manager *manager, const Subject *subject, uint64_t id, Lease **ret, Refusal *reterr) {
        Lease *lease;

        lease = manager_find_lease(manager, id);
        if (!lease)
                return refuse(reterr, OUTCOME_NO_SUCH_DEVICE, "There is no lease %" PRIu64, id);

        /*
         * The uid that acquired it; a container's root shares its number with the host's, but not its
         * leases.
         */
        if (!subject_is_root(subject) &&
            (lease->subject.uid != subject->uid || lease->subject.own_userns != subject->own_userns))
                return refuse(reterr, OUTCOME_DENIED,
                        "Lease %" PRIu64 " belongs to uid %u: only that user and root can end it%s", id,
                        lease->subject.uid, subject_root_doubt(subject));

        *ret = lease;
        return 0;
}

int manager_release(
        Manager *manager, const Subject *subject, uint64_t id, Refusal *reterr, ChangeSet *changes) {
        char cause[64];
        Lease *lease;
        int r;

        r = find_lease(manager, subject, id, &lease, reterr);
        if (r > 0)
                return r;

        snprintf(cause, sizeof(cause), "uid %u released it", subject->uid);
        if (lease->state == LEASE_ACTIVE)
                lease->ended_by = subject->uid;
        lease_end(lease, cause, changes);
        return 0;
}

void lease_explain_request(Lease *lease, ChangeSet *changes) {
        char text[sizeof(lease->reason)];

        if (!lease->request_reason[0])
                return;

        snprintf(text, sizeof(text), "it is wanted back: %s", lease->request_reason);
        lease_set_reason(lease, text, changes);
}

/* On record before anybody hears of it. Returns 0 or a negative errno, and then nothing is changed. */
static int lease_set_request(
        Lease *lease, const char *reason, uint64_t deadline_usec, KernelFailure *reterr) {
        uint64_t before_usec = lease->request_deadline_usec;
        char before[sizeof(lease->request_reason)];
        int r;

        strcpy(before, lease->request_reason);
        snprintf(lease->request_reason, sizeof(lease->request_reason), "%s", reason);
        make_printable(lease->request_reason);
        lease->request_deadline_usec = deadline_usec;

        r = lease_save(lease, reterr);
        if (r < 0) {
                strcpy(lease->request_reason, before);
                lease->request_deadline_usec = before_usec;
        }

        return r;
}

int manager_check_request(Manager *manager, const Subject *subject, uint64_t id, Refusal *reterr) {
        Lease *lease;
        int r;

        r = find_lease(manager, subject, id, &lease, reterr);
        if (r > 0)
                return r;

        if (lease->state != LEASE_ACTIVE)
                return refuse(reterr, OUTCOME_DRAINING,
                        "Lease %" PRIu64 " is %s: it has no holder that could be asked", id,
                        lease_state_to_string(lease->state));
        if (!lease->client[0])
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                        "Lease %" PRIu64 " was not acquired over the bus: its holder can't be asked", id);

        return 0;
}

int manager_request_release(Manager *manager, const Subject *subject, uint64_t id, const char *reason,
        uint64_t deadline_usec, Refusal *reterr, ChangeSet *changes) {
        KernelFailure failure;
        char nobody_says[48];
        Lease *lease;
        int r;

        r = manager_check_request(manager, subject, id, reterr);
        if (r > 0)
                return r;

        lease = manager_find_lease(manager, id);
        snprintf(nobody_says, sizeof(nobody_says), "uid %u asks for it", subject->uid);
        r = lease_set_request(lease, reason[0] ? reason : nobody_says, deadline_usec, &failure);
        if (r < 0)
                return refuse_kernel(reterr, &failure);

        lease_explain_request(lease, changes);
        change_set_lease(changes, CHANGE_LEASE_REQUESTED, lease->id);
        return 0;
}

int manager_kill_holders(
        Manager *manager, const Subject *subject, uint64_t id, Refusal *reterr, ChangeSet *changes) {
        Lease *lease;
        int r;

        r = find_lease(manager, subject, id, &lease, reterr);
        if (r > 0)
                return r;

        if (!subject_is_root(subject))
                return refuse(reterr, OUTCOME_DENIED, "Only root can have the holders of a lease ended%s",
                              subject_root_doubt(subject));

        lease->kill = true;
        if (lease->state == LEASE_ACTIVE)
                lease->ended_by = subject->uid;
        lease_end(lease, "root has its holders ended", changes);
        /* of one that has ended before, nothing else writes that down */
        if (lease->state != LEASE_ENDED)
                lease_save_progress(lease, changes);
        return 0;
}

/*
 * Each process once: whoever does not die of it would not of the second time. That it was found again is no
 * other process, a number is not used again while it is in use.
 */
void lease_kill_holders(Lease *lease, LeaseDevice *device, ChangeSet *changes) {
        pid_t told[HOLDERS_MAX];

        for (unsigned i = 0; i < device->holders.n_items; i++) {
                bool known = false;

                told[i] = device->holders.items[i].pid;
                for (unsigned j = 0; j < device->n_told; j++)
                        known = known || device->told[j] == told[i];
                if (known)
                        continue;

                change_set_kill(changes, lease->id, device->name, told[i]);
                device->n_tries = 1;         /* it is looked at again soon */
        }

        /* who has gone from the list may come back under the same number, as somebody else */
        device->n_told = device->holders.n_items;
        memcpy(device->told, told, device->n_told * sizeof(told[0]));
}

int manager_kill_process(Manager *manager, const Lease *lease, const LeaseDevice *device, pid_t pid) {
        Task task = { .kind = TASK_KILL_HOLDER, .pid = pid, .timeout_usec = LIMIT_KILL_USEC };

        strcpy(task.subsystem, device->subsystem);
        strcpy(task.name, device->name);
        return manager_queue_task(manager, &task);
}
