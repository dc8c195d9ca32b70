/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bus/audit.h"
#include "bus/denial.h"
#include "bus/error.h"
#include "bus/path.h"
#include "bus/request.h"
#include "core/group.h"
#include "core/lease-charge.h"
#include "core/lease.h"
#include "core/refusal.h"

static void tell(BusServer *server, sd_bus_message *call, const Subject *subject, const Refusal *refusal) {
        const char *path = sd_bus_message_get_path(call);
        uint64_t now = bus_boottime_usec(), n_untold = 0;
        const Group *group;
        const Lease *lease;
        Refusal too_many;

        if (manager_admit(server->manager, subject, now, &too_many) != 0 &&
            !manager_tell_refusal(server->manager, subject, now, &n_untold))
                return;

        lease = path_to_lease(server->manager, path);
        group = path_to_group(server->manager, path);
        audit_denied(subject, sd_bus_message_get_member(call), lease, group ? &group->facts.id : NULL,
                     refusal, n_untold);
}

int reply_denial(BusServer *server, sd_bus_message *call, const Subject *subject, const Refusal *refusal) {
        if (refusal->outcome == OUTCOME_DENIED)
                tell(server, call, subject, refusal);

        return reply_refusal(call, refusal);
}
