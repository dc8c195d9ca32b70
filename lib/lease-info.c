/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lease-info.h"
#include "names.h"
#include "public.h"

static const Field lease_info_fields[] = {
        { "Id",          &field_u64,     offsetof(iommud_lease_info, id)           },
        { "Uid",         &field_u32,     offsetof(iommud_lease_info, uid)          },
        { "Pid",         &field_u32,     offsetof(iommud_lease_info, pid)          },
        { "Mode",        &field_text,    offsetof(iommud_lease_info, mode)         },
        { "State",       &field_text,    offsetof(iommud_lease_info, state)        },
        { "StateReason", &field_text,    offsetof(iommud_lease_info, state_reason) },
        { "Devices",     &field_names,   offsetof(iommud_lease_info, devices)      },
        { "Companions",  &field_names,   offsetof(iommud_lease_info, companions)   },
        { "Groups",      &field_numbers, offsetof(iommud_lease_info, groups)       },
        { "Since",       &field_u64,     offsetof(iommud_lease_info, since)        },
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
