/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How a lease goes from state to state: which tasks it asks for, and what their results mean.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pidfd.h"
#include "core/change.h"
#include "core/device.h"
#include "core/group.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/quarantine.h"
#include "core/store.h"
#include "core/task.h"

static void lease_set_state(Lease *lease, LeaseState state, ChangeSet *changes) {
        if (lease->state == state)
                return;

        lease->state = state;
        change_set_lease(changes, CHANGE_LEASE_CHANGED, lease->id);
}

static void lease_set_reason(Lease *lease, const char *reason, ChangeSet *changes) {
        char text[sizeof(lease->reason)];

        /* processes name themselves as they like */
        snprintf(text, sizeof(text), "%s", reason);
        make_printable(text);
        if (strcmp(lease->reason, text) == 0)
                return;

        strcpy(lease->reason, text);
        change_set_lease(changes, CHANGE_LEASE_CHANGED, lease->id);
}

static void lease_answer(Lease *lease, ChangeSet *changes) {
        if (lease->answered)
                return;

        lease->answered = true;
        change_set_lease(changes, CHANGE_LEASE_ANSWERED, lease->id);
}

/* Remembers the first thing that went wrong: it is what the caller is told. */
static void lease_fail(Lease *lease, const KernelFailure *failure) {
        if (lease->refusal.outcome == OUTCOME_GRANTED)
                refuse_kernel(&lease->refusal, failure);
}

/*
 * Writes the lease down before the host is changed. Returns 0, or a negative errno and then nothing may be
 * changed.
 */
static int lease_save(const Lease *lease, KernelFailure *reterr) {
        const Store *store = lease->manager->store;

        return store ? store->ops->save(store->userdata, lease, reterr) : 0;
}

/*
 * The same for what need not be known to go on: an older record makes us do something again that is done
 * already.
 */
static void lease_save_progress(Lease *lease, ChangeSet *changes) {
        KernelFailure failure;

        if (lease_save(lease, &failure) < 0)
                lease_set_reason(lease, failure.call, changes);
}

static int lease_queue(Lease *lease, LeaseDevice *device, Task *task) {
        int r;

        strcpy(task->subsystem, device->subsystem);
        strcpy(task->name, device->name);

        r = manager_queue_task(lease->manager, task);
        if (r < 0)
                return r;

        device->task = task->id;
        return 0;
}

static int lease_queue_set_driver(
        Lease *lease, LeaseDevice *device, const char *driver, const char *override) {
        Task task = { .kind = TASK_SET_DRIVER, .timeout_usec = LIMIT_SET_DRIVER_USEC };

        strcpy(task.driver, driver);
        strcpy(task.driver_override, override);
        return lease_queue(lease, device, &task);
}

/* Looks whether the device is free: at once the first time, then less and less often. */
static int lease_queue_prove_free(Lease *lease, LeaseDevice *device) {
        Task task = { .kind = TASK_PROVE_FREE, .timeout_usec = LIMIT_PROVE_FREE_USEC };

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

/* True: there are devices that still have to be proved free. */
static bool lease_drain(Lease *lease, ChangeSet *changes) {
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

/*
 * Whether the device is as it was before, so that giving it back would only take it from its driver once
 * more.
 */
static bool lease_device_is_back(const Lease *lease, const LeaseDevice *device) {
        const Kernel *kernel = lease->manager->kernel;
        char driver[KERNEL_NAME_MAX], override[KERNEL_NAME_MAX];
        KernelFailure failure;

        return !device->recycle &&
               kernel->ops->read_driver(kernel->userdata, device->subsystem, device->name, driver, override,
                                        &failure) >= 0 &&
               strcmp(driver, device->driver) == 0 && strcmp(override, device->driver_override) == 0;
}

/* ENODEV alone does not say that: a driver that does not want a device answers with it too. */
static bool lease_device_exists(const Lease *lease, const LeaseDevice *device) {
        const Kernel *kernel = lease->manager->kernel;
        char driver[KERNEL_NAME_MAX], override[KERNEL_NAME_MAX];
        KernelFailure failure;

        return kernel->ops->read_driver(kernel->userdata, device->subsystem, device->name, driver, override,
                                        &failure) != -ENODEV;
}

/*
 * Gives the device back. Where it had the VFIO driver already, that alone would not take it from anybody who
 * has a fd of it left: it is unbound first, which the kernel lets happen only when nobody has.
 */
static int lease_queue_restore(Lease *lease, LeaseDevice *device) {
        if (device->recycle && !device->target[0])
                return lease_queue_set_driver(
                        lease, device, /* driver= */ "", /* override= */ device->driver);

        return lease_queue_set_driver(lease, device, device->driver, device->driver_override);
}

/* True: there are devices that still have to be given back, or that could not be. */
static bool lease_restore(Lease *lease, ChangeSet *changes) {
        bool pending = false;

        for (unsigned i = 0; i < lease->n_devices; i++) {
                LeaseDevice *device = &lease->devices[i];

                if (!device->dirty) {
                        if (device->task != 0)
                                /* it was unplugged, and the task has not noticed yet */
                                pending = true;
                        continue;
                }

                if (device->task == 0 && lease_device_is_back(lease, device)) {
                        device->dirty = false;
                        continue;
                }
                pending = true;

                if (device->task != 0 || device->failed)
                        continue;
                device->restoring = true;
                if (lease_queue_restore(lease, device) < 0) {
                        device->failed = true;
                        lease_set_reason(lease, "out of memory; release it to try again", changes);
                }
        }

        return pending;
}

/*
 * What a lease that has work left is in while tasks for it are under way: @state, unless one of them hangs.
 */
static LeaseState lease_state_at_work(const Lease *lease, LeaseState state) {
        for (unsigned i = 0; i < lease->n_devices; i++)
                if (lease->devices[i].overdue)
                        return LEASE_STUCK;

        return lease_has_task(lease) ? state : LEASE_STUCK;
}

/*
 * One step closer to the end, whatever the state was before: nothing is left of a lease that has neither
 * kind of work.
 */
static void lease_wind_down(Lease *lease, ChangeSet *changes) {
        lease_close(lease);

        if (lease_drain(lease, changes)) {
                lease_set_state(lease, lease_state_at_work(lease, LEASE_DRAINING), changes);
                lease_save_progress(lease, changes);
                return;
        }

        if (lease_restore(lease, changes)) {
                lease_set_state(lease, lease_state_at_work(lease, LEASE_RESTORING), changes);
                lease_save_progress(lease, changes);
                if (lease->state == LEASE_STUCK && lease->refusal.outcome != OUTCOME_GRANTED)
                        lease_answer(lease, changes);
                return;
        }

        if (lease->manager->store)
                lease->manager->store->ops->forget(lease->manager->store->userdata, lease);
        lease_unreserve(lease, changes);
        lease_set_state(lease, LEASE_ENDED, changes);
        if (lease->refusal.outcome != OUTCOME_GRANTED)
                lease_answer(lease, changes);
        change_set_lease(changes, CHANGE_LEASE_ENDED, lease->id);
}

static int lease_open_lifeline(Lease *lease) {
        struct stat st;
        int fds[2];

        if (lease->lifeline_is_pidfd)
                return 0;

        if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;

        lease->lifeline = fds[0];
        lease->lifeline_client = fds[1];

        if (fstat(lease->lifeline, &st) < 0)
                return -errno;
        lease->lifeline_id = st.st_ino;
        return 0;
}

/* Opens everything that is to be handed over. Returns 0, or a positive Outcome with the refusal set. */
static int lease_open(Lease *lease, ChangeSet *changes) {
        const Kernel *kernel = lease->manager->kernel;
        KernelFailure failure;
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

        r = kernel->ops->open_context(kernel->userdata, lease->accounting, &lease->iommufd, &failure);
        if (r < 0)
                return refuse_kernel(&lease->refusal, &failure);

        for (unsigned i = 0; i < lease->n_given; i++) {
                LeaseDevice *device = &lease->devices[i];

                r = kernel->ops->open_device(
                        kernel->userdata, device->subsystem, device->name, &device->fd, &failure);
                if (r < 0)
                        return refuse_kernel(&lease->refusal, &failure);
        }

        r = lease_open_lifeline(lease);
        if (r < 0) {
                kernel_failure(&failure, r, "pipe2");
                return refuse_kernel(&lease->refusal, &failure);
        }

        return 0;
}

/* It is active from here on, and that is on record, with the lifeline in safety, before anybody is told. */
static int lease_activate(Lease *lease, ChangeSet *changes) {
        const Store *store = lease->manager->store;
        KernelFailure failure;
        int r;

        for (unsigned i = 0; i < lease->n_given; i++) {
                LeaseDevice *device = &lease->devices[i];

                device->handed = device->recycle = device->dirty = true;
        }
        lease_set_state(lease, LEASE_ACTIVE, changes);

        r = lease_save(lease, &failure);
        if (r >= 0 && store)
                r = store->ops->keep_lifeline(store->userdata, lease, &failure);
        if (r >= 0)
                return 0;

        /* nothing went out */
        for (unsigned i = 0; i < lease->n_given; i++) {
                LeaseDevice *device = &lease->devices[i];

                device->handed = device->recycle = false;
                device->dirty = device->target[0] != '\0';
        }
        return refuse_kernel(&lease->refusal, &failure);
}

/* All drivers are as they should be, or one could not be made so. */
static void lease_prepared(Lease *lease, ChangeSet *changes) {
        if (lease->refusal.outcome != OUTCOME_GRANTED || lease_open(lease, changes) > 0 ||
            lease_activate(lease, changes) > 0) {
                lease_wind_down(lease, changes);
                return;
        }

        lease_answer(lease, changes);
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
                r = lease_queue_set_driver(lease, device, device->target, device->target);
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

        if (lease_rebind(lease, &failure) < 0)
                lease_fail(lease, &failure);

        if (!lease_has_task(lease))
                lease_prepared(lease, changes);
}

/*
 * Whether @fd is what was kept for this lease: proved, since names and numbers of kept descriptors are only
 * words.
 */
static bool lease_knows_lifeline(const Lease *lease, int fd) {
        struct stat st;
        pid_t pid;

        if (fd < 0)
                return false;

        if (lease->lifeline_is_pidfd)
                return pidfd_get_pid(fd, &pid) >= 0 && (uint64_t) pid == lease->lifeline_id;

        return fstat(fd, &st) >= 0 && S_ISFIFO(st.st_mode) && st.st_ino == lease->lifeline_id &&
               (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY;
}

void lease_adopt(Lease *lease, int lifeline, ChangeSet *changes) {
        bool active = lease->state == LEASE_ACTIVE && lease_knows_lifeline(lease, lifeline);

        lease->lifeline = lifeline;
        lease->answered = true;              /* or its caller has seen us go */
        lease_reserve(lease, changes);
        change_set_lease(changes, CHANGE_LEASE_ADDED, lease->id);
        if (active) {
                change_set_lease(changes, CHANGE_LEASE_CHANGED, lease->id);
                return;
        }

        snprintf(lease->end_cause, sizeof(lease->end_cause), "%s",
                 lease->state == LEASE_PREPARING ? "iommud ended while it was prepared" :
                 lease->state == LEASE_ACTIVE    ? "its holder ended while iommud was away" :
                                                   "it had been ended before iommud was");
        lease_wind_down(lease, changes);
}

void lease_end(Lease *lease, const char *cause, ChangeSet *changes) {
        switch (lease->state) {

        case LEASE_PREPARING:
                if (lease->refusal.outcome == OUTCOME_GRANTED)
                        refuse(&lease->refusal, OUTCOME_DRAINING,
                                "The lease was ended while it was prepared: %s", cause);
                return;

        case LEASE_ACTIVE:
                snprintf(lease->end_cause, sizeof(lease->end_cause), "%s", cause);
                lease_wind_down(lease, changes);
                return;

        case LEASE_STUCK:
                /* what hangs can't be hurried, but may be no reason for another device to wait */
                for (unsigned i = 0; i < lease->n_devices; i++)
                        lease->devices[i].failed = false;
                lease_wind_down(lease, changes);
                return;

        case LEASE_DRAINING:
        case LEASE_RESTORING:
        case LEASE_ENDED:
        case _LEASE_STATE_MAX:
        case _LEASE_STATE_INVALID:
                return;
        }
}

/* The device may have another driver now. What the kernel can't tell, the monitor will. */
static void lease_refresh_device(Lease *lease, const LeaseDevice *d, ChangeSet *changes) {
        const Kernel *kernel = lease->manager->kernel;
        char driver[KERNEL_NAME_MAX] = "", override[KERNEL_NAME_MAX] = "";
        KernelFailure failure;
        Device *device;

        device = manager_find_device(lease->manager, d->name);
        if (device && kernel->ops->read_driver(
                              kernel->userdata, d->subsystem, d->name, driver, override, &failure) >= 0)
                device_set_driver(device, driver, override, changes);
}

static bool holder_equal(const Holder *a, const Holder *b) {
        return a->pid == b->pid && strcmp(a->comm, b->comm) == 0 && strcmp(a->cgroup, b->cgroup) == 0;
}

static void lease_set_holders(
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

static void lease_explain_failure(Lease *lease, const LeaseDevice *device, const KernelFailure *failure,
                                  ChangeSet *changes) {
        char text[sizeof(lease->reason)];

        snprintf(text, sizeof(text), "%s: %s: %s", device->name, failure->call,
                 strerrordesc_np(-failure->error) ?: "unknown error");
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
        else
                return 0;

        return manager_quarantine(lease->manager, &lease->subject, device->name, kind, &result->failure,
                reterr, changes);
}

static void lease_drain_done(
        Lease *lease, LeaseDevice *device, const TaskResult *result, ChangeSet *changes) {
        static const Holders nobody = {};
        KernelFailure failure;

        /* nobody that is known */
        lease_set_holders(lease, device, result->result == PROVE_HELD ? &result->holders : &nobody, changes);

        if (result->result == PROVE_HELD) {
                device->n_tries++;
                lease_explain_held(lease, device, &result->holders, changes);
                return;
        }

        failure = result->failure;
        if (result->result < 0 || lease_quarantine(lease, device, result, &failure, changes) < 0) {
                /* not proved is not free; nor is what nobody would know of after a restart */
                device->n_tries++;
                lease_explain_failure(lease, device, &failure, changes);
                return;
        }

        device->handed = false;
        if (result->result == PROVE_GONE)
                device->dirty = device->recycle = false;
        if (!lease_has_held_device(lease))
                lease_set_reason(lease, "", changes);
}

static void lease_restore_done(Lease *lease, LeaseDevice *device, bool overdue, const Task *task,
                               const TaskResult *result, ChangeSet *changes) {
        if (result->result >= 0) {
                device->recycle = false;     /* it was unbound, one way or the other */
                if (strcmp(task->driver, device->driver) == 0)
                        device->dirty = false;
                return;
        }

        if (result->failure.error == -ENODEV && !lease_device_exists(lease, device)) {
                device->dirty = device->recycle = false;               /* unplugged */
                return;
        }

        /* It hung until it was stopped: whoever it waited for is gone now, and it can be done. */
        if (overdue) {
                lease_set_reason(lease, "", changes);
                return;
        }

        device->failed = true;
        lease_explain_failure(lease, device, &result->failure, changes);
}

void lease_task_done(Lease *lease, LeaseDevice *device, const Task *task, const TaskResult *result,
                     ChangeSet *changes) {
        bool overdue = device->overdue;

        device->task = 0;
        device->overdue = false;
        lease_refresh_device(lease, device, changes);

        if (device->gone)
                ;                            /* whatever it was, it was not done to what the lease had */
        else if (task->kind == TASK_PROVE_FREE)
                lease_drain_done(lease, device, result, changes);
        else if (device->restoring)
                lease_restore_done(lease, device, overdue, task, result, changes);
        else if (result->result < 0)
                lease_fail(lease, &result->failure);

        if (lease->state != LEASE_PREPARING)
                lease_wind_down(lease, changes);
        else if (!lease_has_task(lease))
                lease_prepared(lease, changes);
}

void lease_task_overdue(Lease *lease, LeaseDevice *device, const Task *task, ChangeSet *changes) {
        KernelFailure failure;

        kernel_failure(&failure, -ETIMEDOUT,
                "%s of %s has not returned after %u s, the kernel waits for somebody who has it open",
                task_kind_to_string(task->kind), device->name, (unsigned) (task->timeout_usec / 1000000));
        lease_explain_failure(lease, device, &failure, changes);

        /*
         * The caller need not wait any longer, for the lease or for what was refused to be undone; the group
         * stays reserved until the kernel has come back.
         */
        if (lease->state == LEASE_PREPARING)
                lease_fail(lease, &failure);
        if (lease->refusal.outcome != OUTCOME_GRANTED)
                lease_answer(lease, changes);

        device->overdue = true;
        lease_set_state(lease, LEASE_STUCK, changes);
}

static bool lease_has_lost_all(const Lease *lease) {
        for (unsigned i = 0; i < lease->n_given; i++)
                if (!lease->devices[i].gone)
                        return false;

        return true;
}

void lease_device_gone(Lease *lease, LeaseDevice *device, ChangeSet *changes) {
        static const Holders nobody = {};

        device->gone = true;
        device->handed = device->recycle = device->dirty = false;
        lease_set_holders(lease, device, &nobody, changes);

        switch (lease->state) {

        case LEASE_ACTIVE:
                if (lease_has_lost_all(lease))
                        lease_end(lease, "its devices were unplugged", changes);
                else
                        lease_save_progress(lease, changes);
                return;

        case LEASE_DRAINING:
        case LEASE_RESTORING:
        case LEASE_STUCK:
                lease_wind_down(lease, changes);
                return;

        case LEASE_PREPARING:                /* its caller is told when the other devices are done */
        case LEASE_ENDED:
        case _LEASE_STATE_MAX:
        case _LEASE_STATE_INVALID:
                return;
        }
}
