/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "core/claim.h"
#include "core/device.h"
#include "core/group.h"
#include "core/kernel.h"
#include "core/manager.h"
#include "core/refusal.h"

static const char *const dma_owner_table[] = {
        [DMA_OWNER_NONE] = "none",
        [DMA_OWNER_KERNEL] = "kernel",
        [DMA_OWNER_PARKED] = "parked",
        [DMA_OWNER_LEASED] = "leased",
        [DMA_OWNER_FOREIGN] = "foreign",
};

DEFINE_STRING_TABLE(dma_owner, DmaOwner, _DMA_OWNER_MAX);

static int group_compare(const void *key, const void *item) {
        const uint32_t *id = key;
        const Group *group = item;

        return *id < group->facts.id ? -1 : *id > group->facts.id;
}

int group_new(Manager *manager, const GroupFacts *facts, Group **ret) {
        _cleanup_free_ Group *group = NULL;
        int r;

        group = calloc(1, sizeof(*group));
        if (!group)
                return -ENOMEM;

        group->facts = *facts;
        group->manager = manager;

        r = ptr_array_insert(&manager->groups, &group->facts.id, group, group_compare);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(group);
        return 0;
}

Group *group_free(Group *group) {
        if (!group)
                return NULL;

        while (group->devices)
                device_free(group->devices);

        if (group->claim)
                group->claim->group = GROUP_NONE;
        ptr_array_remove(&group->manager->groups, group);
        free(group);
        return NULL;
}

Group *manager_find_group(const Manager *manager, uint32_t id) {
        return ptr_array_find(&manager->groups, &id, group_compare);
}

bool group_is_viable(const Group *group) {
        for (const Device *device = group->devices; device; device = device->next)
                if (device_facts_own_dma(&device->facts))
                        return false;

        return true;
}

DmaOwner group_dma_owner(const Group *group) {
        if (group->lease)
                return DMA_OWNER_LEASED;
        if (group->claim && group->claim->state == CLAIM_PARKED)
                return DMA_OWNER_PARKED;
        if (!group_is_viable(group))
                return DMA_OWNER_KERNEL;
        if (group->foreign)
                return DMA_OWNER_FOREIGN;

        return DMA_OWNER_NONE;
}

int group_probe(Group *group, Refusal *reterr, ChangeSet *changes) {
        const Kernel *kernel = group->manager->kernel;
        KernelFailure failure;
        int r;

        r = kernel->ops->probe_group(kernel->userdata, group->facts.id, &failure);
        if (r < 0)
                return refuse_kernel(reterr, &failure);

        if (group->foreign != (r == GROUP_PROBE_FOREIGN)) {
                group->foreign = r == GROUP_PROBE_FOREIGN;
                change_set_group(changes, CHANGE_GROUP_CHANGED, group->facts.id);
        }

        switch (r) {

        case GROUP_PROBE_FOREIGN:
                return refuse(reterr, OUTCOME_TAKEN,
                              "Group %u is in use by another program that iommud did not give it to: "
                              "\"fuser -v /dev/vfio/%u /dev/vfio/devices/*\" finds it",
                        group->facts.id, group->facts.id);

        case GROUP_PROBE_NOT_VIABLE:
                return refuse(reterr, OUTCOME_NOT_VIABLE,
                        "The kernel says that group %u is not viable: a device of it is bound to a driver "
                        "that does DMA for the host; \"iommuctl show group:%u\" lists them",
                        group->facts.id, group->facts.id);
        }

        return 0;
}
