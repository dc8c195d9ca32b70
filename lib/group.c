/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "names.h"
#include "public.h"
#include "record.h"
#include "text.h"

typedef struct Blocker {
        char *device;
        char *driver;
} Blocker;

typedef struct Blockers {
        Blocker *items;
        size_t n_items;
} Blockers;

typedef struct Region {
        uint64_t first;
        uint64_t last;
        char *kind;
} Region;

typedef struct Regions {
        Region *items;
        size_t n_items;
} Regions;

struct iommud_group {
        uint32_t id;
        char *type;
        char *dma_owner;
        bool viable;
        Blockers blockers;
        char **devices;
        uint64_t lease;
        char *claim_state;
        bool claim_persistent;
        char *claim_reason;
        Regions reserved_regions;
};

static int read_blockers(sd_bus_message *m, void *field) {
        Blockers *to = field;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(ss)");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(m, 'r', "ss")) > 0) {
                Blocker *blocker;

                r = array_grow(&to->items, to->n_items, sizeof(*to->items));
                if (r < 0)
                        return r;
                blocker = &to->items[to->n_items++];

                r = field_name.read(m, &blocker->device);
                if (r < 0)
                        return r;
                r = field_text.read(m, &blocker->driver);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(m);
}

static void done_blockers(void *field) {
        Blockers *blockers = field;

        for (size_t i = 0; i < blockers->n_items; i++) {
                free(blockers->items[i].device);
                free(blockers->items[i].driver);
        }
        free(blockers->items);
}

static int read_regions(sd_bus_message *m, void *field) {
        Regions *to = field;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(tts)");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(m, 'r', "tts")) > 0) {
                Region *region;

                r = array_grow(&to->items, to->n_items, sizeof(*to->items));
                if (r < 0)
                        return r;
                region = &to->items[to->n_items++];

                r = sd_bus_message_read(m, "tt", &region->first, &region->last);
                if (r < 0)
                        return r;
                r = field_text.read(m, &region->kind);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(m);
}

static void done_regions(void *field) {
        Regions *regions = field;

        for (size_t i = 0; i < regions->n_items; i++)
                free(regions->items[i].kind);
        free(regions->items);
}

static const FieldType field_blockers = { "a(ss)",  read_blockers, done_blockers };
static const FieldType field_regions  = { "a(tts)", read_regions,  done_regions  };

static const Field group_fields[] = {
        { "Id",              &field_u32,      offsetof(iommud_group, id)               },
        { "Type",            &field_text,     offsetof(iommud_group, type)             },
        { "DmaOwner",        &field_text,     offsetof(iommud_group, dma_owner)        },
        { "Viable",          &field_bool,     offsetof(iommud_group, viable)           },
        { "Blockers",        &field_blockers, offsetof(iommud_group, blockers)         },
        { "Devices",         &field_devices,  offsetof(iommud_group, devices)          },
        { "Lease",           &field_lease,    offsetof(iommud_group, lease)            },
        { "Claim",           &field_text,     offsetof(iommud_group, claim_state)      },
        { "ClaimPersistent", &field_bool,     offsetof(iommud_group, claim_persistent) },
        { "ClaimReason",     &field_text,     offsetof(iommud_group, claim_reason)     },
        { "ReservedRegions", &field_regions,  offsetof(iommud_group, reserved_regions) },
};

static const RecordType group_type = { group_fields, ELEMENTSOF(group_fields), sizeof(iommud_group) };

_public_ int iommud_list_groups(iommud_client *client, iommud_group ***ret_groups) {
        if (!ret_groups)
                return -EINVAL;

        return records_list(client, "ListGroups", &group_type, (void ***) ret_groups);
}

_public_ void iommud_groups_free(iommud_group **groups) {
        records_free(&group_type, (void **) groups);
}

DEFINE_GETTER(group, uint32_t, id, 0);
DEFINE_GETTER_TEXT(group, type);
DEFINE_GETTER_TEXT(group, dma_owner);
DEFINE_GETTER(group, bool, viable, false);
DEFINE_GETTER_LIST(group, devices);
DEFINE_GETTER(group, uint64_t, lease, 0);
DEFINE_GETTER_TEXT(group, claim_state);
DEFINE_GETTER(group, bool, claim_persistent, false);
DEFINE_GETTER_TEXT(group, claim_reason);

_public_ int iommud_group_blocker(
                const iommud_group *group, size_t index, const char **ret_device, const char **ret_driver) {

        if (!ret_device || !ret_driver)
                return -EINVAL;
        if (!group || index >= group->blockers.n_items)
                return -ENOENT;

        *ret_device = group->blockers.items[index].device;
        *ret_driver = group->blockers.items[index].driver;
        return 0;
}

_public_ int iommud_group_reserved_region(
                const iommud_group *group, size_t index,
                uint64_t *ret_first, uint64_t *ret_last, const char **ret_kind) {

        if (!ret_first || !ret_last || !ret_kind)
                return -EINVAL;
        if (!group || index >= group->reserved_regions.n_items)
                return -ENOENT;

        *ret_first = group->reserved_regions.items[index].first;
        *ret_last = group->reserved_regions.items[index].last;
        *ret_kind = group->reserved_regions.items[index].kind;
        return 0;
}
