/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>

#include "base/parse.h"
#include "lease-ids.h"

void lease_ids_done(LeaseIds *ids) {
        free(ids->items);
}

static void ids_add(LeaseIds *ids, uint64_t id) {
        for (size_t i = 0; i < ids->n_items; i++)
                if (ids->items[i] == id)
                        return;

        ids->items = need(reallocarray(ids->items, ids->n_items + 1, sizeof(*ids->items)));
        ids->items[ids->n_items++] = id;
}

Status lease_ids_find(iommud_client *client, const char *what, const char *lease, LeaseIds *ret) {
        _cleanup_(iommud_devices_freep) iommud_device **devices = NULL;
        _cleanup_(iommud_strings_freep) char **names = NULL;
        uint64_t id;
        int r;

        /* no selector is a bare number */
        if (parse_u64(lease, &id) >= 0 && id > 0) {
                ids_add(ret, id);
                return STATUS_OK;
        }

        r = iommud_find(client, lease, &names);
        if (r == 0)
                r = iommud_list_devices(client, &devices);
        if (r != 0) {
                _cleanup_free_ char *all = print_string("%s %s", what, lease);

                return report(client, r, all);
        }

        for (size_t i = 0; names[i]; i++) {
                id = iommud_device_lease(find_device(devices, names[i]));
                if (id > 0)
                        ids_add(ret, id);
        }

        if (ret->n_items == 0) {
                complain("cannot %s %s: it is in no lease", what, lease);
                return STATUS_REFUSED;
        }

        return STATUS_OK;
}
