/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The questions that are asked of whoever takes a group from the host.
 */

#include <inttypes.h>
#include <string.h>

#include "core/device.h"
#include "core/group.h"
#include "core/host.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/plan.h"

int plan_check_host(const Manager *manager, const Device *device, Refusal *reterr) {
        const Host *host = manager->host;
        HostUse use = HOST_USE_UNKNOWN;
        char text[128] = "";
        int r;

        if (!device_facts_own_dma(&device->facts))
                return 0;

        r = host->ops->in_use(
                host->userdata, device->facts.subsystem, device->facts.name, &use, text, sizeof(text));
        if (r == -ENODEV)
                return refuse(reterr, OUTCOME_NO_SUCH_DEVICE, "%s was unplugged", device->facts.name);
        if (r < 0)
                return refuse(reterr, OUTCOME_HOST_IN_USE,
                        "Whether the host uses %s could not be found out (%s), so it stays with the host",
                        device->facts.name, strerrordesc_np(-r) ?: "unknown error");
        if (r == _HOST_USE_NONE)
                return 0;

        refuse(reterr, OUTCOME_HOST_IN_USE, "The host uses %s: %s", device->facts.name, text);
        reterr->use = use;
        return reterr->outcome;
}

int plan_check_kind(const Device *device, Refusal *reterr) {
        if (device->facts.bridge)
                return refuse(reterr, OUTCOME_NOT_SUPPORTED, "%s is a bridge: it can't be handed out",
                              device->facts.name);

        if (device->group->facts.direct)
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                        "The firmware wants memory of its own mapped for group %u at all times (a "
                        "\"direct\" region): the kernel never gives %s to userspace. Some firmware can be "
                        "told to do without, for each slot",
                        device->group->facts.id, device->facts.name);

        if (device_facts_on_vfio(&device->facts))
                return 0;

        if (!device_facts_vfio_driver(&device->facts))
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                        "Which VFIO driver %s needs is not known: of the drivers of the bus \"%s\" that are "
                        "loaded none, or more than one, is called vfio-…. Bind the device to the right one, "
                        "then ask again",
                        device->facts.name, device->facts.subsystem);

        if (device->facts.n_vfs > 0)
                return refuse(reterr, OUTCOME_NOT_SUPPORTED,
                        "%s has %u virtual functions: it can be handed out when they are switched off "
                        "(write 0 to its sriov_numvfs)",
                        device->facts.name, device->facts.n_vfs);

        return 0;
}

int plan_check_free(const Group *group, Refusal *reterr) {
        const Lease *lease = group->lease;

        if (!lease)
                return 0;

        if (lease->state <= LEASE_ACTIVE)
                return refuse(reterr, OUTCOME_TAKEN, "Group %u is with lease %" PRIu64 " of uid %u",
                        group->facts.id, lease->id, lease->subject.uid);

        return refuse(reterr, OUTCOME_DRAINING,
                "Group %u is not free yet, lease %" PRIu64 " of uid %u is %s%s%s", group->facts.id,
                lease->id, lease->subject.uid, lease_state_to_string(lease->state),
                lease->reason[0] ? ": " : "", lease->reason);
}
