/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lease-call.h"
#include "public.h"
#include "record.h"

typedef struct Pair {
        uint64_t first, second;
} Pair;

typedef struct Pairs {
        Pair *items;
        size_t n_items;
} Pairs;

struct iommud_ioas {
        uint64_t handle;
        Pairs mappings;                 /* address and length */
        uint64_t pinned;
        Pairs windows;                  /* first and last address */
        bool huge_pages;
};

struct iommud_domain {
        uint64_t handle;
        char *kind;
        uint64_t ioas;
        uint64_t parent;
        char *iommu;
        bool dirty_tracking;
        bool pasid;
        bool fault_queue;
        bool tracking;
};

struct iommud_virtual {
        uint64_t handle;
        char *kind;
        uint64_t parent;
        char *iommu;
        char *device;
        uint32_t type;
        uint64_t number;
};

struct iommud_attachment {
        char *device;
        uint64_t target;
        Pairs pasids;                   /* PASID and domain */
        uint32_t id;
};

struct iommud_dma_state {
        iommud_ioas **ioases;
        iommud_domain **domains;
        iommud_attachment **attachments;
        iommud_virtual **virtuals;
};

static int pairs_push(Pairs *pairs, uint64_t first, uint64_t second) {
        int r;

        r = array_grow(&pairs->items, pairs->n_items, sizeof(*pairs->items));
        if (r < 0)
                return r;

        pairs->items[pairs->n_items++] = (Pair) { .first = first, .second = second };
        return 0;
}

static int read_pairs(sd_bus_message *m, void *field) {
        uint64_t first, second;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(tt)");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_read(m, "(tt)", &first, &second)) > 0) {
                r = pairs_push(field, first, second);
                if (r < 0)
                        return r;
        }

        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_pasids(sd_bus_message *m, void *field) {
        uint64_t domain;
        uint32_t pasid;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(ut)");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_read(m, "(ut)", &pasid, &domain)) > 0) {
                r = pairs_push(field, pasid, domain);
                if (r < 0)
                        return r;
        }

        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static void done_pairs(void *field) {
        free(((Pairs *) field)->items);
}

static const FieldType field_pairs  = { "a(tt)", read_pairs,  done_pairs };
static const FieldType field_pasids = { "a(ut)", read_pasids, done_pairs };

static const Field ioas_fields[] = {
        { "handle",       &field_u64,   offsetof(iommud_ioas, handle)     },
        { "mappings",     &field_pairs, offsetof(iommud_ioas, mappings)   },
        { "pinned",       &field_u64,   offsetof(iommud_ioas, pinned)     },
        { "iova_windows", &field_pairs, offsetof(iommud_ioas, windows)    },
        { "huge_pages",   &field_bool,  offsetof(iommud_ioas, huge_pages) },
};

static const Field domain_fields[] = {
        { "handle",         &field_u64,  offsetof(iommud_domain, handle)         },
        { "kind",           &field_text, offsetof(iommud_domain, kind)           },
        { "ioas",           &field_u64,  offsetof(iommud_domain, ioas)           },
        { "parent",         &field_u64,  offsetof(iommud_domain, parent)         },
        { "iommu",          &field_text, offsetof(iommud_domain, iommu)          },
        { "dirty_tracking", &field_bool, offsetof(iommud_domain, dirty_tracking) },
        { "pasid",          &field_bool, offsetof(iommud_domain, pasid)          },
        { "fault_queue",    &field_bool, offsetof(iommud_domain, fault_queue)    },
        { "tracking",       &field_bool, offsetof(iommud_domain, tracking)       },
};

static const Field virtual_fields[] = {
        { "handle", &field_u64,  offsetof(iommud_virtual, handle) },
        { "kind",   &field_text, offsetof(iommud_virtual, kind)   },
        { "parent", &field_u64,  offsetof(iommud_virtual, parent) },
        { "iommu",  &field_text, offsetof(iommud_virtual, iommu)  },
        { "device", &field_text, offsetof(iommud_virtual, device) },
        { "type",   &field_u32,  offsetof(iommud_virtual, type)   },
        { "number", &field_u64,  offsetof(iommud_virtual, number) },
};

static const Field attachment_fields[] = {
        { "name",   &field_name,   offsetof(iommud_attachment, device) },
        { "target", &field_u64,    offsetof(iommud_attachment, target) },
        { "pasids", &field_pasids, offsetof(iommud_attachment, pasids) },
        { "id",     &field_u32,    offsetof(iommud_attachment, id)     },
};

static const RecordType ioas_type = { ioas_fields, ELEMENTSOF(ioas_fields), sizeof(iommud_ioas) };
static const RecordType domain_type = { domain_fields, ELEMENTSOF(domain_fields), sizeof(iommud_domain) };
static const RecordType virtual_type = {
        virtual_fields, ELEMENTSOF(virtual_fields), sizeof(iommud_virtual)
};
static const RecordType attachment_type = {
        attachment_fields, ELEMENTSOF(attachment_fields), sizeof(iommud_attachment)
};

_public_ void iommud_dma_state_free(iommud_dma_state *state) {
        if (!state)
                return;

        records_free(&ioas_type, (void **) state->ioases);
        records_free(&domain_type, (void **) state->domains);
        records_free(&attachment_type, (void **) state->attachments);
        records_free(&virtual_type, (void **) state->virtuals);
        free(state);
}

DEFINE_CLEANUP_FUNC(iommud_dma_state, iommud_dma_state_free);

static int read_state(sd_bus_message *m, iommud_dma_state *state) {
        int r;

        r = records_read(m, "a{sv}", &ioas_type, (void ***) &state->ioases);
        if (r < 0)
                return r;
        r = records_read(m, "a{sv}", &domain_type, (void ***) &state->domains);
        if (r < 0)
                return r;

        r = records_read(m, "a{sv}", &attachment_type, (void ***) &state->attachments);
        if (r < 0)
                return r;

        return records_read(m, "a{sv}", &virtual_type, (void ***) &state->virtuals);
}

_public_ int iommud_get_dma_state(iommud_client *client, uint64_t lease, iommud_dma_state **ret_state) {
        _cleanup_(iommud_dma_state_freep) iommud_dma_state *state = NULL;
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r;

        if (!ret_state)
                return -EINVAL;

        state = calloc(1, sizeof(*state));
        if (!state)
                return -ENOMEM;

        r = lease_prepare(client, lease, "DmaState", &m);
        if (r < 0)
                return r;
        r = lease_call(client, lease, 0, m, "aa{sv}aa{sv}aa{sv}aa{sv}", &reply);
        if (r != 0)
                return r;

        r = client_reply_read(client, "DmaState", read_state(reply, state));
        if (r < 0)
                return r;

        *ret_state = TAKE_PTR(state);
        return 0;
}

_public_ const iommud_ioas *iommud_dma_state_ioas(const iommud_dma_state *state, size_t index) {
        for (size_t i = 0; state && state->ioases[i]; i++)
                if (i == index)
                        return state->ioases[i];

        return NULL;
}

_public_ const iommud_domain *iommud_dma_state_domain(const iommud_dma_state *state, size_t index) {
        for (size_t i = 0; state && state->domains[i]; i++)
                if (i == index)
                        return state->domains[i];

        return NULL;
}

_public_ const iommud_attachment *iommud_dma_state_attachment(const iommud_dma_state *state, size_t index) {
        for (size_t i = 0; state && state->attachments[i]; i++)
                if (i == index)
                        return state->attachments[i];

        return NULL;
}

_public_ const iommud_virtual *iommud_dma_state_virtual(const iommud_dma_state *state, size_t index) {
        for (size_t i = 0; state && state->virtuals[i]; i++)
                if (i == index)
                        return state->virtuals[i];

        return NULL;
}

DEFINE_GETTER(ioas, uint64_t, handle, 0);
DEFINE_GETTER(ioas, uint64_t, pinned, 0);
DEFINE_GETTER(ioas, bool, huge_pages, false);
DEFINE_GETTER(domain, uint64_t, handle, 0);
DEFINE_GETTER_TEXT(domain, kind);
DEFINE_GETTER(domain, uint64_t, ioas, 0);
DEFINE_GETTER(domain, uint64_t, parent, 0);
DEFINE_GETTER_TEXT(domain, iommu);
DEFINE_GETTER(domain, bool, dirty_tracking, false);
DEFINE_GETTER(domain, bool, pasid, false);
DEFINE_GETTER(domain, bool, fault_queue, false);
DEFINE_GETTER(domain, bool, tracking, false);
DEFINE_GETTER(virtual, uint64_t, handle, 0);
DEFINE_GETTER_TEXT(virtual, kind);
DEFINE_GETTER(virtual, uint64_t, parent, 0);
DEFINE_GETTER_TEXT(virtual, iommu);
DEFINE_GETTER_TEXT(virtual, device);
DEFINE_GETTER(virtual, uint32_t, type, 0);
DEFINE_GETTER(virtual, uint64_t, number, 0);
DEFINE_GETTER_TEXT(attachment, device);
DEFINE_GETTER(attachment, uint64_t, target, 0);
DEFINE_GETTER(attachment, uint32_t, id, 0);

static int pairs_get(const Pairs *pairs, size_t index, uint64_t *ret_first, uint64_t *ret_second) {
        if (!ret_first || !ret_second)
                return -EINVAL;
        if (!pairs || index >= pairs->n_items)
                return -ENOENT;

        *ret_first = pairs->items[index].first;
        *ret_second = pairs->items[index].second;
        return 0;
}

_public_ int iommud_ioas_mapping(
                const iommud_ioas *ioas, size_t index, uint64_t *ret_iova, uint64_t *ret_length) {
        return pairs_get(ioas ? &ioas->mappings : NULL, index, ret_iova, ret_length);
}

_public_ int iommud_ioas_window(
                const iommud_ioas *ioas, size_t index, uint64_t *ret_first, uint64_t *ret_last) {
        return pairs_get(ioas ? &ioas->windows : NULL, index, ret_first, ret_last);
}

_public_ int iommud_attachment_pasid(
                const iommud_attachment *attachment, size_t index, uint32_t *ret_pasid,
                uint64_t *ret_domain) {

        uint64_t pasid;
        int r;

        if (!ret_pasid)
                return -EINVAL;

        r = pairs_get(attachment ? &attachment->pasids : NULL, index, &pasid, ret_domain);
        if (r >= 0)
                *ret_pasid = (uint32_t) pasid;
        return r;
}
