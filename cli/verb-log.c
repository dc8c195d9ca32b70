/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "journal.h"
#include "lease-text.h"
#include "to-json.h"

static void print_entry(const JournalEntry *entry, void *userdata) {
        _cleanup_free_ char *time = local_time(entry->time_usec);

        printf("%s  %-10s  %s\n", time, entry->event, entry->message);
}

/* A number, or null for what the entry has not */
static json_object *number(const char *text) {
        uint64_t value;

        return parse_u64(text, &value) < 0 ? NULL : need(json_object_new_uint64(value));
}

static void add_entry(const JournalEntry *entry, void *userdata) {
        json_object *o = need(json_object_new_object()), *groups = need(json_object_new_array());

        json_put_number(o, "time_usec", entry->time_usec);
        json_put_string(o, "event", entry->event);
        json_put_strings(o, "devices", (const char *const *) entry->devices);
        for (char **group = entry->groups; *group; group++)
                json_array_put(groups, number(*group));
        json_put(o, "groups", groups);
        json_put(o, "lease", number(entry->lease));
        json_put_string(o, "mode", entry->mode);
        json_put(o, "uid", number(entry->uid));
        json_put(o, "pid", number(entry->pid));
        json_put(o, "by_uid", number(entry->by_uid));
        json_put_string(o, "refusal", entry->refusal);
        json_put_string(o, "text", entry->message);
        json_array_put(userdata, o);
}

/*
 * The names that the journal knows the devices by. An address needs nobody to be asked: what is not there
 * any more has been.
 */
static Status find_names(const char *selector, char ***ret_names) {
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        _cleanup_free_ char *what = NULL;
        char address[PCI_ADDRESS_MAX];
        Status status;
        int r;

        if (parse_pci_address(selector, address) == 0 || !strpbrk(selector, ":=")) {
                char **names = need(calloc(2, sizeof(*names)));

                names[0] = need(strdup(strpbrk(selector, ":") ? address : selector));
                *ret_names = names;
                return STATUS_OK;
        }

        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;

        what = print_string("find %s", selector);
        r = iommud_find(client, selector, ret_names);
        return r == 0 ? STATUS_OK : report(client, r, what);
}

static Status show(const JournalFilter *filter, bool json) {
        json_object *array = json ? need(json_object_new_array()) : NULL;
        int r;

        r = journal_visit(filter, json ? add_entry : print_entry, array);
        if (r == -EACCES)
                complain("the journal cannot be read: root may, and the members of the groups "
                         "systemd-journal and adm");
        else if (r < 0)
                complain("the journal cannot be read: %s", strerror(-r));
        else if (json)
                json_print(json_object_get(array));

        json_object_put(array);
        return r < 0 ? STATUS_BROKEN : STATUS_OK;
}

Status verb_log(const Options *options, char **arguments) {
        _cleanup_(iommud_strings_freep) char **names = NULL;
        _cleanup_free_ char *uid = NULL, *lease = NULL;
        JournalFilter filter = { .since_usec = options->since_usec };
        Status status;

        if (arguments[0]) {
                status = find_names(arguments[0], &names);
                if (status != STATUS_OK)
                        return status;
                filter.devices = (const char *const *) names;
        }

        if (options->has_uid)
                filter.uid = uid = print_string("%u", options->uid);
        if (options->lease > 0)
                filter.lease = lease = print_string("%llu", (unsigned long long) options->lease);

        return show(&filter, options->json);
}
