/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "domain-text.h"
#include "lease-text.h"
#include "table.h"
#include "to-json.h"

static bool is_companion(const iommud_lease_info *lease, const char *device) {
        const char *const *names = iommud_lease_info_companions(lease);

        for (; *names; names++)
                if (strcmp(*names, device) == 0)
                        return true;

        return false;
}

static const iommud_domain *find_domain(const iommud_dma_state *state, uint64_t handle) {
        const iommud_domain *domain;

        for (size_t i = 0; (domain = iommud_dma_state_domain(state, i)); i++)
                if (iommud_domain_handle(domain) == handle)
                        return domain;

        return NULL;
}

static bool is_viommu(const iommud_dma_state *state, uint64_t handle) {
        const iommud_virtual *object;

        for (size_t i = 0; (object = iommud_dma_state_virtual(state, i)); i++)
                if (iommud_virtual_handle(object) == handle)
                        return true;

        return false;
}

static char *parent_text(const iommud_dma_state *state, uint64_t parent) {
        return print_string("%s %" PRIu64, is_viommu(state, parent) ? "viommu" : "domain", parent);
}

/* A device that has no IOMMU of its own is attached to an IOAS. */
static char *target_text(const iommud_dma_state *state, uint64_t target) {
        if (target == 0)
                return print_string("nothing, its DMA is blocked");

        return print_string("%s %" PRIu64, find_domain(state, target) ? "domain" : "IOAS", target);
}

static void add_attachment(
                Table *table, const iommud_lease_info *lease, const iommud_dma_state *state,
                const iommud_attachment *attachment) {

        const char *device = iommud_attachment_device(attachment);
        uint64_t domain;
        uint32_t pasid;

        table_add(table, print_string("%s%s", device, is_companion(lease, device) ? " (held)" : ""));
        table_add(table, print_string("%s", ""));
        table_add(table, target_text(state, iommud_attachment_target(attachment)));
        for (size_t i = 0; iommud_attachment_pasid(attachment, i, &pasid, &domain) == 0; i++) {
                table_add(table, need(strdup(device)));
                table_add(table, print_string("%u", pasid));
                table_add(table, target_text(state, domain));
        }
}

static void print_attachments(const iommud_lease_info *lease, const iommud_dma_state *state) {
        static const char *const headers[] = { "DEVICE", ">PASID", "ATTACHED TO", NULL };
        const iommud_attachment *attachment;
        Table table;

        table_init(&table, headers);
        for (size_t i = 0; (attachment = iommud_dma_state_attachment(state, i)); i++)
                add_attachment(&table, lease, state, attachment);
        table_print(&table);
        table_done(&table);
}

static char *domain_features(const iommud_domain *domain) {
        const struct {
                bool set;
                const char *text;
        } features[] = {
                { iommud_domain_tracking(domain), "dirty tracking (on)" },
                { iommud_domain_dirty_tracking(domain) && !iommud_domain_tracking(domain),
                  "dirty tracking (off)" },
                { iommud_domain_pasid(domain), "PASIDs" },
                { iommud_domain_fault_queue(domain), "fault queue" },
        };
        char *text = print_string("%s", "");

        for (size_t i = 0; i < ELEMENTSOF(features); i++)
                if (features[i].set) {
                        _cleanup_free_ char *before = text;

                        text = print_string("%s%s%s", before, *before ? ", " : "", features[i].text);
                }

        return text;
}

static void print_domains(const iommud_dma_state *state) {
        static const char *const headers[] = { ">DOMAIN", "KIND", "MADE OF", "IOMMU", "CAN", NULL };
        const iommud_domain *domain;
        Table table;

        table_init(&table, headers);
        for (size_t i = 0; (domain = iommud_dma_state_domain(state, i)); i++) {
                uint64_t parent = iommud_domain_parent(domain);

                table_add(&table, print_string("%" PRIu64, iommud_domain_handle(domain)));
                table_add(&table, need(strdup(iommud_domain_kind(domain))));
                table_add(&table, parent > 0 ? parent_text(state, parent)
                                             : print_string("IOAS %" PRIu64, iommud_domain_ioas(domain)));
                table_add(&table, need(strdup(iommud_domain_iommu(domain))));
                table_add(&table, domain_features(domain));
        }
        if (table.n_cells > 0) {
                putchar('\n');
                table_print(&table);
        }
        table_done(&table);
}

static void print_virtuals(const iommud_dma_state *state) {
        static const char *const headers[] = {
                ">VIRTUAL", "KIND", "ON", "IOMMU", "DEVICE", "TYPE", "NUMBER", NULL,
        };
        const iommud_virtual *object;
        Table table;

        table_init(&table, headers);
        for (size_t i = 0; (object = iommud_dma_state_virtual(state, i)); i++) {
                bool device = strcmp(iommud_virtual_kind(object), "vdevice") == 0;

                table_add(&table, print_string("%" PRIu64, iommud_virtual_handle(object)));
                table_add(&table, need(strdup(iommud_virtual_kind(object))));
                table_add(&table, parent_text(state, iommud_virtual_parent(object)));
                table_add(&table, need(strdup(iommud_virtual_iommu(object))));
                table_add(&table, need(strdup(iommud_virtual_device(object))));
                table_add(&table, device ? print_string("%s", "")
                                         : print_string("0x%x", iommud_virtual_type(object)));
                table_add(&table, device ? print_string("0x%" PRIx64, iommud_virtual_number(object))
                                         : print_string("%s", ""));
        }
        if (table.n_cells > 0) {
                putchar('\n');
                table_print(&table);
        }
        table_done(&table);
}

static char *windows_text(const iommud_ioas *ioas) {
        char *text = print_string("%s", "");
        uint64_t first, last;

        for (size_t i = 0; iommud_ioas_window(ioas, i, &first, &last) == 0; i++) {
                _cleanup_free_ char *before = text;

                text = print_string("%s%s0x%" PRIx64 " to 0x%" PRIx64, before, i > 0 ? ", " : "", first,
                                    last);
        }

        return *text ? text : (free(text), need(strdup("all that the IOMMU has")));
}

static void print_ioases(const iommud_dma_state *state, bool maps) {
        static const char *const headers[] = { ">IOAS", ">MAPPINGS", ">PINNED", "PAGES", "WINDOWS", NULL };
        const iommud_ioas *ioas;
        uint64_t iova, length;
        Table table;

        table_init(&table, headers);
        for (size_t i = 0; (ioas = iommud_dma_state_ioas(state, i)); i++) {
                size_t n = 0;

                while (iommud_ioas_mapping(ioas, n, &iova, &length) == 0)
                        n++;
                table_add(&table, print_string("%" PRIu64, iommud_ioas_handle(ioas)));
                table_add(&table, maps ? print_string("%zu", n) : print_string("?"));
                table_add(&table, maps ? print_bytes(iommud_ioas_pinned(ioas)) : print_string("?"));
                table_add(&table, need(strdup(iommud_ioas_huge_pages(ioas) ? "any" : "small")));
                table_add(&table, windows_text(ioas));
        }
        if (table.n_cells > 0) {
                putchar('\n');
                table_print(&table);
        }
        table_done(&table);
}

static void print_mappings(const iommud_dma_state *state) {
        static const char *const headers[] = { ">IOAS", ">ADDRESS", ">BYTES", NULL };
        const iommud_ioas *ioas;
        uint64_t iova, length;
        Table table;

        table_init(&table, headers);
        for (size_t i = 0; (ioas = iommud_dma_state_ioas(state, i)); i++)
                for (size_t j = 0; iommud_ioas_mapping(ioas, j, &iova, &length) == 0; j++) {
                        table_add(&table, print_string("%" PRIu64, iommud_ioas_handle(ioas)));
                        table_add(&table, print_string("0x%" PRIx64, iova));
                        table_add(&table, print_string("0x%" PRIx64, length));
                }
        if (table.n_cells > 0) {
                putchar('\n');
                table_print(&table);
        }
        table_done(&table);
}

void print_dma_state(const iommud_lease_info *lease, const iommud_dma_state *state) {
        bool maps = strcmp(iommud_lease_info_mode(lease), "confined") == 0;
        _cleanup_free_ char *user = user_name(iommud_lease_info_uid(lease));

        printf("Lease %" PRIu64 " of %s, mode %s%s\n\n", iommud_lease_info_id(lease), user,
               iommud_lease_info_mode(lease),
               maps ? "" : ": what its client has mapped or made by itself is not known");
        print_attachments(lease, state);
        print_domains(state);
        print_virtuals(state);
        print_ioases(state, maps);
        print_mappings(state);
}

/* ---- as JSON */

static void put_flag(json_object *o, const char *key, bool value) {
        json_put(o, key, need(json_object_new_boolean(value)));
}

static json_object *json_from_ioas(const iommud_ioas *ioas) {
        json_object *o = need(json_object_new_object()), *mappings = need(json_object_new_array()),
                    *windows = need(json_object_new_array());
        uint64_t a, b;

        json_put_number(o, "handle", iommud_ioas_handle(ioas));
        json_put_number(o, "pinned", iommud_ioas_pinned(ioas));
        put_flag(o, "huge_pages", iommud_ioas_huge_pages(ioas));
        for (size_t i = 0; iommud_ioas_mapping(ioas, i, &a, &b) == 0; i++) {
                json_object *mapping = need(json_object_new_object());

                json_put_number(mapping, "iova", a);
                json_put_number(mapping, "length", b);
                json_array_put(mappings, mapping);
        }
        json_put(o, "mappings", mappings);
        for (size_t i = 0; iommud_ioas_window(ioas, i, &a, &b) == 0; i++) {
                json_object *window = need(json_object_new_object());

                json_put_number(window, "first", a);
                json_put_number(window, "last", b);
                json_array_put(windows, window);
        }
        json_put(o, "iova_windows", windows);
        return o;
}

static json_object *json_from_domain(const iommud_domain *domain) {
        json_object *o = need(json_object_new_object());

        json_put_number(o, "handle", iommud_domain_handle(domain));
        json_put_string(o, "kind", iommud_domain_kind(domain));
        json_put_number(o, "ioas", iommud_domain_ioas(domain));
        json_put_number(o, "parent", iommud_domain_parent(domain));
        json_put_string(o, "iommu", iommud_domain_iommu(domain));
        put_flag(o, "dirty_tracking", iommud_domain_dirty_tracking(domain));
        put_flag(o, "tracking", iommud_domain_tracking(domain));
        put_flag(o, "pasid", iommud_domain_pasid(domain));
        put_flag(o, "fault_queue", iommud_domain_fault_queue(domain));
        return o;
}

static json_object *json_from_attachment(const iommud_attachment *attachment) {
        json_object *o = need(json_object_new_object()), *pasids = need(json_object_new_array());
        uint64_t domain;
        uint32_t pasid;

        json_put_string(o, "device", iommud_attachment_device(attachment));
        json_put_number(o, "target", iommud_attachment_target(attachment));
        for (size_t i = 0; iommud_attachment_pasid(attachment, i, &pasid, &domain) == 0; i++) {
                json_object *entry = need(json_object_new_object());

                json_put_number(entry, "pasid", pasid);
                json_put_number(entry, "domain", domain);
                json_array_put(pasids, entry);
        }
        json_put(o, "pasids", pasids);
        return o;
}

static json_object *json_from_virtual(const iommud_virtual *object) {
        json_object *o = need(json_object_new_object());

        json_put_number(o, "handle", iommud_virtual_handle(object));
        json_put_string(o, "kind", iommud_virtual_kind(object));
        json_put_number(o, "parent", iommud_virtual_parent(object));
        json_put_string(o, "iommu", iommud_virtual_iommu(object));
        json_put_string(o, "device", iommud_virtual_device(object));
        json_put_number(o, "type", iommud_virtual_type(object));
        json_put_number(o, "number", iommud_virtual_number(object));
        return o;
}

json_object *json_from_dma_state(const iommud_dma_state *state) {
        json_object *o = need(json_object_new_object()), *ioases = need(json_object_new_array()),
                    *domains = need(json_object_new_array()), *devices = need(json_object_new_array()),
                    *virtuals = need(json_object_new_array());
        const iommud_attachment *attachment;
        const iommud_virtual *object;
        const iommud_domain *domain;
        const iommud_ioas *ioas;

        for (size_t i = 0; (ioas = iommud_dma_state_ioas(state, i)); i++)
                json_array_put(ioases, json_from_ioas(ioas));
        for (size_t i = 0; (domain = iommud_dma_state_domain(state, i)); i++)
                json_array_put(domains, json_from_domain(domain));
        for (size_t i = 0; (attachment = iommud_dma_state_attachment(state, i)); i++)
                json_array_put(devices, json_from_attachment(attachment));

        for (size_t i = 0; (object = iommud_dma_state_virtual(state, i)); i++)
                json_array_put(virtuals, json_from_virtual(object));

        json_put(o, "ioases", ioases);
        json_put(o, "domains", domains);
        json_put(o, "devices", devices);
        json_put(o, "virtuals", virtuals);
        return o;
}
