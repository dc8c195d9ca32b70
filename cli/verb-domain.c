/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "domain-text.h"
#include "domain-verb.h"
#include "lease-ids.h"
#include "lease-text.h"
#include "options.h"
#include "table.h"
#include "to-json.h"

/* How much of everything there is in a lease. */
typedef struct Sums {
        uint64_t ioases, domains, attached, pasids, mappings, pinned;
} Sums;

static Sums sum_up(const iommud_dma_state *state) {
        const iommud_attachment *attachment;
        const iommud_ioas *ioas;
        uint64_t a, b;
        uint32_t pasid;
        Sums sums = {};

        for (size_t i = 0; (ioas = iommud_dma_state_ioas(state, i)); i++) {
                sums.ioases++;
                sums.pinned += iommud_ioas_pinned(ioas);
                for (size_t j = 0; iommud_ioas_mapping(ioas, j, &a, &b) == 0; j++)
                        sums.mappings++;
        }

        for (size_t i = 0; iommud_dma_state_domain(state, i); i++)
                sums.domains++;

        for (size_t i = 0; (attachment = iommud_dma_state_attachment(state, i)); i++) {
                sums.attached += iommud_attachment_target(attachment) != 0;
                for (size_t j = 0; iommud_attachment_pasid(attachment, j, &pasid, &a) == 0; j++)
                        sums.pasids++;
        }

        return sums;
}

static void add_number(Table *table, const iommud_dma_state *state, uint64_t number) {
        table_add(table, state ? print_string("%" PRIu64, number) : print_string("?"));
}

/* One line of the list; without @state the lease is not this user's to look into, or has none any more. */
static void list_lease(Table *table, const iommud_lease_info *lease, const iommud_dma_state *state) {
        bool confined = strcmp(iommud_lease_info_mode(lease), "confined") == 0;
        Sums sums = sum_up(state);

        table_add(table, print_string("%" PRIu64, iommud_lease_info_id(lease)));
        table_add(table, need(strdup(iommud_lease_info_mode(lease))));
        table_add(table, user_name(iommud_lease_info_uid(lease)));
        add_number(table, state, sums.attached);
        add_number(table, state, sums.pasids);
        add_number(table, state, sums.domains);
        add_number(table, state, sums.ioases);
        /* in mode "attached" the client maps, and iommud knows nothing of it */
        add_number(table, confined ? state : NULL, sums.mappings);
        table_add(table, state && confined ? print_bytes(sums.pinned) : print_string("?"));
}

static bool binds(const iommud_lease_info *lease) {
        return strcmp(iommud_lease_info_mode(lease), "vmm") != 0;
}

static json_object *json_of_lease(const iommud_lease_info *lease, const iommud_dma_state *state) {
        json_object *o = need(json_object_new_object());

        json_put_lease(o, "lease", iommud_lease_info_id(lease));
        json_put_string(o, "mode", iommud_lease_info_mode(lease));
        json_put_string(o, "state", iommud_lease_info_state(lease));
        json_put(o, "dma", state ? json_from_dma_state(state) : /* null */ NULL);
        return o;
}

/* Of those that are refused, one by one, all that is known is that they are there. */
static Status list(const Options *options, iommud_client *client, iommud_lease_info *const *leases) {
        static const char *const headers[] = {
                ">LEASE", "MODE", "USER", ">ATTACHED", ">PASIDS", ">DOMAINS", ">IOASES", ">MAPPINGS",
                ">PINNED", NULL,
        };
        json_object *array = need(json_object_new_array());
        Table table;
        int r = 0;

        table_init(&table, headers);
        for (; *leases && r >= 0; leases++) {
                _cleanup_(iommud_dma_state_freep) iommud_dma_state *state = NULL;

                if (!binds(*leases))
                        continue;
                r = iommud_get_dma_state(client, iommud_lease_info_id(*leases), &state);
                if (options->json)
                        json_array_put(array, json_of_lease(*leases, state));
                else
                        list_lease(&table, *leases, state);
        }

        if (r >= 0 && options->json)
                json_print(need(json_object_get(array)));
        else if (r >= 0)
                table_print(&table);
        table_done(&table);
        json_object_put(array);
        return r < 0 ? report(client, r, "list the domains") : STATUS_OK;
}

static Status show(
                const Options *options, iommud_client *client, const iommud_lease_info *lease,
                json_object *array) {

        _cleanup_free_ char *what =
                print_string("show the domains of lease %" PRIu64, iommud_lease_info_id(lease));
        _cleanup_(iommud_dma_state_freep) iommud_dma_state *state = NULL;
        int r;

        r = iommud_get_dma_state(client, iommud_lease_info_id(lease), &state);
        if (r != 0)
                return report(client, r, what);

        if (options->json)
                json_array_put(array, json_of_lease(lease, state));
        else
                print_dma_state(lease, state);
        return STATUS_OK;
}

static Status show_all(
                const Options *options, iommud_client *client, iommud_lease_info *const *leases,
                const char *what) {

        _cleanup_(lease_ids_done) LeaseIds ids = {};
        json_object *array = need(json_object_new_array());
        Status status;

        status = lease_ids_find(client, "show the domains of", what, &ids);
        for (size_t i = 0; i < ids.n_items && status == STATUS_OK; i++) {
                const iommud_lease_info *lease = find_lease(leases, ids.items[i]);

                if (!lease) {
                        complain("there is no lease %" PRIu64, ids.items[i]);
                        status = STATUS_REFUSED;
                        break;
                }
                if (i > 0 && !options->json)
                        putchar('\n');
                status = show(options, client, lease, array);
        }

        if (status == STATUS_OK && options->json)
                json_print(need(json_object_get(array)));
        json_object_put(array);
        return status;
}

Status verb_domain(const Options *options, char **arguments) {
        _cleanup_(iommud_lease_infos_freep) iommud_lease_info **leases = NULL;
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        const DomainVerb *verb;
        Status status;

        verb = arguments[0] ? find_domain_verb(arguments[0]) : NULL;
        if (verb)
                return run_domain_verb(verb, options, arguments + 1);
        if (arguments[0] && arguments[1]) {
                complain("domain has no verb '%s', see 'iommuctl --help'", arguments[0]);
                return STATUS_USAGE;
        }
        if (!options_check(options, "domain", OPTION_BIT(JSON)))
                return STATUS_USAGE;

        status = connect_and_list_leases(&client, &leases);
        if (status != STATUS_OK)
                return status;

        return arguments[0] ? show_all(options, client, leases, arguments[0])
                            : list(options, client, leases);
}
