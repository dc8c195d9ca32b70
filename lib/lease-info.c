/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lease-info.h"
#include "names.h"
#include "public.h"

static int read_holders(sd_bus_message *m, void *field) {
        LeaseHolders *to = field;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(usss)");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(m, 'r', "usss")) > 0) {
                LeaseHolder *holder;

                r = array_grow(&to->items, to->n_items, sizeof(*to->items));
                if (r < 0)
                        return r;
                holder = &to->items[to->n_items++];

                r = field_u32.read(m, &holder->pid);
                if (r >= 0)
                        r = field_text.read(m, &holder->command);
                if (r >= 0)
                        r = field_text.read(m, &holder->unit);
                if (r >= 0)
                        r = field_text.read(m, &holder->cgroup);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(m);
}

static void done_holders(void *field) {
        LeaseHolders *holders = field;

        for (size_t i = 0; i < holders->n_items; i++) {
                free(holders->items[i].command);
                free(holders->items[i].unit);
                free(holders->items[i].cgroup);
        }
        free(holders->items);
}

static const FieldType field_holders = { "a(usss)", read_holders, done_holders };

static const Field lease_info_fields[] = {
        { "Id",          &field_u64,     offsetof(iommud_lease_info, id)           },
        { "Uid",         &field_u32,     offsetof(iommud_lease_info, uid)          },
        { "Pid",         &field_u32,     offsetof(iommud_lease_info, pid)          },
        { "Mode",        &field_text,    offsetof(iommud_lease_info, mode)         },
        { "State",       &field_text,    offsetof(iommud_lease_info, state)        },
        { "StateReason", &field_text,    offsetof(iommud_lease_info, state_reason) },
        { "Holders",     &field_holders, offsetof(iommud_lease_info, holders)      },
        { "Devices",     &field_names,   offsetof(iommud_lease_info, devices)      },
        { "Companions",  &field_names,   offsetof(iommud_lease_info, companions)   },
        { "Groups",      &field_numbers, offsetof(iommud_lease_info, groups)       },
        { "Since",       &field_u64,     offsetof(iommud_lease_info, since)        },
        { "Until",       &field_u64,     offsetof(iommud_lease_info, until), .optional = true },
};

static const RecordType lease_info_type = {
        lease_info_fields, ELEMENTSOF(lease_info_fields), sizeof(iommud_lease_info),
};

_public_ int iommud_list_leases(iommud_client *client, iommud_lease_info ***ret_leases) {
        if (!ret_leases)
                return -EINVAL;

        return records_list(client, "ListLeases", &lease_info_type, (void ***) ret_leases);
}

_public_ void iommud_lease_infos_free(iommud_lease_info **leases) {
        records_free(&lease_info_type, (void **) leases);
}

DEFINE_GETTER(lease_info, uint64_t, id, 0);
DEFINE_GETTER(lease_info, uid_t, uid, (uid_t) -1);
DEFINE_GETTER(lease_info, pid_t, pid, 0);
DEFINE_GETTER_TEXT(lease_info, mode);
DEFINE_GETTER_TEXT(lease_info, state);
DEFINE_GETTER_TEXT(lease_info, state_reason);
DEFINE_GETTER_LIST(lease_info, devices);
DEFINE_GETTER_LIST(lease_info, companions);
DEFINE_GETTER_NUMBERS(lease_info, groups);
DEFINE_GETTER(lease_info, uint64_t, since, 0);
DEFINE_GETTER(lease_info, uint64_t, until, 0);

_public_ int iommud_lease_info_holder(
                const iommud_lease_info *info, size_t index,
                pid_t *ret_pid, const char **ret_command, const char **ret_unit, const char **ret_cgroup) {

        const LeaseHolder *holder;

        if (!ret_pid || !ret_command || !ret_unit || !ret_cgroup)
                return -EINVAL;
        if (!info || index >= info->holders.n_items)
                return -ENOENT;

        holder = &info->holders.items[index];
        *ret_pid = (pid_t) holder->pid;
        *ret_command = holder->command;
        *ret_unit = holder->unit;
        *ret_cgroup = holder->cgroup;
        return 0;
}
