/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>

#include "base/cgroup-unit.h"
#include "base/process.h"
#include "bus/audit.h"
#include "bus/holder-end.h"
#include "bus/unit-end.h"
#include "core/change.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/task.h"

/* A unit that is being stopped, until the service manager has said that it will be. */
typedef struct Stop {
        BusServer *server;                   /* it has the connection, and so it is there as long as that */
        uint64_t lease;
        char device[KERNEL_NAME_MAX];
        pid_t pid;
        char unit[];
} Stop;

/* The process alone, when there is no unit to be ended, or the service manager doesn't know it. */
static int end_process(BusServer *server, const Lease *lease, const LeaseDevice *device, pid_t pid) {
        return manager_kill_process(server->manager, lease, device, pid);
}

static int on_stopped(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        _cleanup_(change_set_done) ChangeSet changes = {};
        const LeaseDevice *device;
        const Stop *stop = userdata;
        const Lease *lease;

        if (!sd_bus_message_is_method_error(reply, NULL))
                return 1;

        audit_unit_not_stopped(stop->device, stop->lease, stop->unit,
                               sd_bus_message_get_error(reply)->message);
        lease = manager_find_lease(stop->server->manager, stop->lease);
        device = lease ? lease_find_device(lease, stop->device) : NULL;
        if (device && end_process(stop->server, lease, device, stop->pid) >= 0)
                stop->server->funcs->commit(stop->server->userdata, &changes);
        return 1;
}

static int end_unit(BusServer *server, const Lease *lease, const LeaseDevice *device, pid_t pid,
                    const char *unit) {
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        _cleanup_free_ Stop *stop = NULL;
        int r;

        stop = calloc(1, sizeof(*stop) + strlen(unit) + 1);
        if (!stop)
                return -ENOMEM;

        *stop = (Stop) { .server = server, .lease = lease->id, .pid = pid };
        strcpy(stop->device, device->name);
        strcpy(stop->unit, unit);

        r = sd_bus_call_method_async(server->bus, &slot, "org.freedesktop.systemd1",
                "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "StopUnit", on_stopped,
                stop, "ss", unit, "replace");
        if (r < 0)
                return r;

        r = sd_bus_slot_set_destroy_callback(slot, free);
        if (r < 0)
                return r;

        TAKE_PTR(stop);
        return sd_bus_slot_set_floating(slot, true);
}

static const Holder *find_holder(const LeaseDevice *device, pid_t pid) {
        for (unsigned i = 0; i < device->holders.n_items; i++)
                if (device->holders.items[i].pid == pid)
                        return &device->holders.items[i];

        return NULL;
}

int holder_end(BusServer *server, const Lease *lease, const LeaseDevice *device, pid_t pid) {
        const Process self = { .proc = AT_FDCWD, .name = "/proc/self" };
        char own[PROCESS_CGROUP_MAX], unit[PROCESS_CGROUP_MAX];
        const Holder *holder;

        holder = device ? find_holder(device, pid) : NULL;
        if (!holder)
                return 0;                    /* it has let go meanwhile */

        process_read_cgroup(&self, own);
        cgroup_get_unit(holder->cgroup, unit, sizeof(unit));

        switch (cgroup_get_end(holder->cgroup, own)) {

        case UNIT_END_NOT:
                audit_holder_spared(lease, device->name, holder, unit);
                return 0;

        case UNIT_END_PROCESS:
                audit_holder_ended(lease, device->name, holder, /* unit= */ NULL);
                return end_process(server, lease, device, pid);

        case UNIT_END_UNIT:
                audit_holder_ended(lease, device->name, holder, unit);
                return end_unit(server, lease, device, pid, unit);
        }

        return 0;
}

void holder_end_done(const Task *task, const TaskResult *result) {
        if (result->result < 0)
                audit_process_not_ended(task->name, task->pid, &result->failure);
}
