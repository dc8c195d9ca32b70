/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "to-json.h"

/* The groups of the devices that a selector names, each once. The caller frees them. */
static Status find_groups(iommud_client *client, const char *selector, const char *what,
                          uint32_t **ret_groups, size_t *ret_n) {
        _cleanup_(iommud_devices_freep) iommud_device **devices = NULL;
        _cleanup_(iommud_strings_freep) char **names = NULL;
        uint32_t *groups = NULL;
        size_t n = 0;
        int r;

        r = iommud_find(client, selector, &names);
        if (r == 0)
                r = iommud_list_devices(client, &devices);
        if (r != 0)
                return report(client, r, what);

        for (size_t i = 0; names[i]; i++) {
                const iommud_device *device = find_device(devices, names[i]);
                bool known = false;

                if (!device)
                        continue;               /* unplugged between two questions */
                for (size_t j = 0; j < n; j++)
                        known = known || groups[j] == iommud_device_group(device);
                if (known)
                        continue;
                groups = need(reallocarray(groups, n + 1, sizeof(*groups)));
                groups[n++] = iommud_device_group(device);
        }

        *ret_groups = groups;
        *ret_n = n;
        return STATUS_OK;
}

static Status print_groups_json(
                iommud_client *client, const char *what, const uint32_t *ids, size_t n_ids) {

        _cleanup_(iommud_groups_freep) iommud_group **groups = NULL;
        json_object *array;
        int r;

        r = iommud_list_groups(client, &groups);
        if (r != 0)
                return report(client, r, what);

        array = need(json_object_new_array());
        for (size_t i = 0; i < n_ids; i++) {
                const iommud_group *group = find_group(groups, ids[i]);

                if (group)
                        json_array_put(array, json_from_group(group));
        }
        json_print(array);
        return STATUS_OK;
}

static Status for_groups(
                const Options *options, const char *selector, const char *what,
                int (*function)(const Options *options, iommud_client *client, uint32_t group)) {

        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        _cleanup_free_ uint32_t *groups = NULL;
        size_t n_groups = 0;
        Status status;
        int r;

        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;

        status = find_groups(client, selector, what, &groups, &n_groups);
        if (status != STATUS_OK)
                return status;

        for (size_t i = 0; i < n_groups; i++) {
                r = function(options, client, groups[i]);
                if (r != 0)
                        return report(client, r, what);
        }

        return options->json ? print_groups_json(client, what, groups, n_groups) : STATUS_OK;
}

static int claim(const Options *options, iommud_client *client, uint32_t group) {
        return iommud_group_claim(
                        client, group,
                        (options->persistent ? IOMMUD_CLAIM_PERSISTENT : 0) |
                                        (options->accept ? IOMMUD_CLAIM_ACCEPT : 0));
}

static int unclaim(const Options *options, iommud_client *client, uint32_t group) {
        return iommud_group_release(client, group);
}

Status verb_claim(const Options *options, char **arguments) {
        _cleanup_free_ char *what = print_string("claim the group of %s", arguments[0]);

        return for_groups(options, arguments[0], what, claim);
}

Status verb_unclaim(const Options *options, char **arguments) {
        _cleanup_free_ char *what = print_string("release the claim on the group of %s", arguments[0]);

        return for_groups(options, arguments[0], what, unclaim);
}
