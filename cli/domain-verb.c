/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "bytes.h"
#include "domain-verb.h"
#include "lease-ids.h"
#include "options.h"
#include "to-json.h"

struct DomainVerb {
        const char *name;
        int min_arguments;              /* behind the lease */
        int max_arguments;
        uint64_t options;               /* beside --json */
        Status (*function)(const DomainCall *call);
        const char *what;               /* it does in a lease */
        const char *usage;
        const char *help;
};

static const DomainVerb verb_table[] = {
        { "alloc-ioas",    0, 0, OPTION_BIT(WINDOW) | OPTION_BIT(SMALL_PAGES), domain_alloc_ioas,
          "make an IOAS",
          "",                           "Make an address space (IOAS)" },
        { "alloc",         2, 2,
          OPTION_BIT(KIND) | OPTION_BIT(DIRTY_TRACKING) | OPTION_BIT(PASID_CAPABLE) | OPTION_BIT(DATA),
          domain_alloc,
          "make a domain",
          " DEVICE PARENT",             "Make a domain of an IOAS, or on a domain" },
        { "faults",        2, 2,
          OPTION_BIT(KIND) | OPTION_BIT(DIRTY_TRACKING) | OPTION_BIT(PASID_CAPABLE) | OPTION_BIT(DATA) |
                  OPTION_BIT(ANSWER),
          domain_faults,
          "make a domain with a queue of page faults",
          " DEVICE PARENT",             "The same; show and answer its page faults" },
        { "alloc-viommu",  2, 2, OPTION_BIT(DATA), domain_alloc_viommu,
          "make a virtual IOMMU",
          " DEVICE DOMAIN",             "Make a virtual IOMMU on a domain" },
        { "alloc-vdevice", 3, 3, 0, domain_alloc_vdevice,
          "put a device on a virtual IOMMU",
          " DEVICE VIOMMU NUMBER",      "Put a device on a virtual IOMMU" },
        { "events",        2, 2, OPTION_BIT(DEPTH), domain_events,
          "make a queue of events",
          " VIOMMU TYPE",               "Show the events of a virtual IOMMU" },
        { "attach",        2, 2, OPTION_BIT(PASID), domain_attach,
          "attach a device",
          " DEVICE DOMAIN",             "Attach a device, or move it" },
        { "detach",        1, 1, OPTION_BIT(PASID), domain_detach,
          "detach a device",
          " DEVICE",                    "Detach a device: its DMA is blocked" },
        { "destroy",       1, 1, 0, domain_destroy,
          "destroy anything",
          " HANDLE",                    "Destroy a domain, an IOAS, a virtual IOMMU" },
        { "map",           2, 2,
          OPTION_BIT(OFFSET) | OPTION_BIT(LENGTH) | OPTION_BIT(IOVA) | OPTION_BIT(READ_ONLY) |
                  OPTION_BIT(COPY),
          domain_map,
          "map memory",
          " IOAS FILE",                 "Map memory" },
        { "unmap",         2, 3, 0, domain_unmap,
          "unmap memory",
          " IOAS ADDRESS BYTES|all",    "Unmap memory" },
        { "ranges",        1, 1, 0, domain_ranges,
          "see what can be mapped",
          " IOAS",                      "Show which addresses can be mapped" },
        { "dirty",         2, 2, 0, domain_dirty,
          "switch dirty tracking",
          " DOMAIN on|off",             "Switch dirty tracking" },
        { "bitmap",        3, 3, OPTION_BIT(PAGE_SIZE) | OPTION_BIT(KEEP), domain_bitmap,
          "read what is dirty",
          " DOMAIN ADDRESS BYTES",      "Show what devices have written to" },
        { "hw-info",       1, 1, 0, domain_hw_info,
          "ask the IOMMU",
          " DEVICE",                    "Show what its IOMMU can do" },
        { "revoke",        0, 0, 0, domain_revoke,
          "take the memory back",
          "",                           "Take all memory back, for good" },
};

const DomainVerb *find_domain_verb(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(verb_table); i++)
                if (strcmp(verb_table[i].name, name) == 0)
                        return &verb_table[i];

        return NULL;
}

void print_domain_verbs(void) {
        for (size_t i = 0; i < ELEMENTSOF(verb_table); i++) {
                _cleanup_free_ char *left =
                        print_string("%s LEASE%s", verb_table[i].name, verb_table[i].usage);

                printf("  %-41s %s\n", left, verb_table[i].help);
        }
}

Status domain_failed(const DomainCall *call, int r) {
        return report(call->client, r, call->what);
}

Status domain_handle(const char *what, const char *text, uint64_t *ret) {
        if (parse_u64(text, ret) < 0 || *ret == 0) {
                complain("%s is a number, which '%s' is not; see 'iommuctl domain LEASE'", what, text);
                return STATUS_USAGE;
        }

        return STATUS_OK;
}

Status domain_address(const char *text, uint64_t *ret) {
        if (parse_address(text, ret) < 0) {
                complain("'%s' is no number, such as 0x100000, 4096 or 2M", text);
                return STATUS_USAGE;
        }

        return STATUS_OK;
}

Status domain_device(const DomainCall *call, const char *selector, char **ret) {
        _cleanup_(iommud_strings_freep) char **names = NULL;
        int r;

        r = iommud_find(call->client, selector, &names);
        if (r != 0)
                return domain_failed(call, r);
        if (!names[0] || names[1]) {
                complain("%s is not one device; 'iommuctl find %s' lists them", selector, selector);
                return STATUS_REFUSED;
        }

        *ret = need(strdup(names[0]));
        return STATUS_OK;
}

Status domain_answer(const DomainCall *call, json_object *object, char *text) {
        if (call->options->json)
                json_print(need(json_object_get(object)));
        else if (text)
                puts(text);

        json_object_put(object);
        free(text);
        return STATUS_OK;
}

void json_put_iommufd_id(json_object *object, uint32_t id) {
        json_put(object, "id", id > 0 ? need(json_object_new_uint64(id)) : /* null */ NULL);
}

static Status find_lease_id(iommud_client *client, const char *what, const char *text, uint64_t *ret) {
        _cleanup_(lease_ids_done) LeaseIds ids = {};
        Status status;

        status = lease_ids_find(client, what, text, &ids);
        if (status != STATUS_OK)
                return status;
        if (ids.n_items > 1) {
                complain("%s is in %zu leases: name one", text, ids.n_items);
                return STATUS_REFUSED;
        }

        *ret = ids.items[0];
        return STATUS_OK;
}

Status run_domain_verb(const DomainVerb *verb, const Options *options, char **arguments) {
        _cleanup_free_ char *name = print_string("domain %s", verb->name), *what = NULL;
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        DomainCall call = { .options = options };
        int n_arguments = 0;
        Status status;

        while (arguments[n_arguments])
                n_arguments++;

        if (!options_check(options, name, verb->options | OPTION_BIT(JSON)))
                return STATUS_USAGE;
        if (n_arguments - 1 < verb->min_arguments || n_arguments - 1 > verb->max_arguments) {
                complain("it is 'iommuctl domain %s LEASE%s'", verb->name, verb->usage);
                return STATUS_USAGE;
        }

        status = connect_client(&client);
        if (status != STATUS_OK)
                return status;

        status = find_lease_id(client, "find the lease of", arguments[0], &call.lease);
        if (status != STATUS_OK)
                return status;

        what = print_string("%s in lease %" PRIu64, verb->what, call.lease);
        call.client = client;
        call.arguments = arguments + 1;
        call.what = what;
        return verb->function(&call);
}
