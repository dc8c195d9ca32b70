/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "core/context-record.h"
#include "core/context.h"
#include "core/domain.h"
#include "core/ioas.h"
#include "core/virtual.h"

/* Everything that any of the lines says. */
typedef struct Line {
        uint64_t context, ioas, mapping, domain, parent, length, id, queue, to;
        uint64_t revoked, small_pages, dirty, pasids, faults, tracking, emulated;
        uint64_t pasid, virtual, type, number;
        bool has_pasid;
        const char *bound, *attached, *switching, *iommu, *kind, *windows, *device;
} Line;

/* ---- writing */

static void write_ioas(const Ioas *ioas, FILE *f) {
        fprintf(f, "ioas=%" PRIu64 " id=%u small-pages=%u windows=", ioas->handle, ioas->id,
                ioas->options.small_pages);
        for (unsigned i = 0; i < ioas->options.n_windows; i++)
                fprintf(f, "%s%" PRIu64 "-%" PRIu64, i > 0 ? "," : "", ioas->options.windows[i].first,
                        ioas->options.windows[i].last);
        fputc('\n', f);

        for (size_t i = 0; i < ioas->n_mappings; i++)
                fprintf(f, "mapping=%" PRIu64 " length=%" PRIu64 " to=%" PRIu64 "\n",
                        ioas->mappings[i].iova, ioas->mappings[i].length, ioas->handle);
}

static void write_domain(const Domain *domain, FILE *f) {
        fprintf(f, "domain=%" PRIu64 " id=%u kind=%s iommu=%s to=%" PRIu64 " parent=%" PRIu64,
                domain->handle, domain->id, domain_kind_to_string(domain->options.kind), domain->iommu,
                domain->ioas->handle,
                domain->viommu   ? domain->viommu->handle
                : domain->parent ? domain->parent->handle
                                 : 0);
        fprintf(f, " dirty=%u pasids=%u faults=%u queue=%u tracking=%u\n", domain->options.dirty_tracking,
                domain->options.pasid, domain->options.fault_queue, domain->fault_queue, domain->tracking);
}

static void write_virtual(const Virtual *virtual, FILE *f) {
        fprintf(f, "virtual=%" PRIu64 " id=%u kind=%s iommu=%s to=%" PRIu64, virtual->handle, virtual->id,
                virtual_kind_to_string(virtual->kind), virtual->iommu,
                virtual->domain ? virtual->domain->handle : virtual->viommu->handle);
        fprintf(f, " device=%s type=%u number=%" PRIu64 "\n", virtual->device, virtual->type,
                virtual->virt_id);
}

/* In the order in which they were made, so that what a thing is made of is read before it. */
static void write_domains(const Context *context, FILE *f) {
        size_t i = 0, j = 0;

        while (i < context->domains.n_items || j < context->virtuals.n_items) {
                const Domain *domain = i < context->domains.n_items ? context->domains.items[i] : NULL;
                const Virtual *virtual = j < context->virtuals.n_items ? context->virtuals.items[j] : NULL;

                if (domain && (!virtual || domain->handle < virtual->handle)) {
                        write_domain(domain, f);
                        i++;
                } else if (virtual) {
                        write_virtual(virtual, f);
                        j++;
                }
        }
}

static void write_device(const LeaseDevice *device, FILE *f) {
        const Attachments *dma = &device->dma;

        if (!dma->bound)
                return;

        fprintf(f, "bound=%s id=%u iommu=%s emulated=%u\n", device->name, dma->id, dma->iommu,
                dma->info.emulated);
        if (dma->domain || dma->ioas)
                fprintf(f, "attached=%s to=%" PRIu64 "\n", device->name,
                        dma->domain ? dma->domain->handle : dma->ioas->handle);
        for (size_t i = 0; i < dma->n_pasids; i++)
                fprintf(f, "attached=%s to=%" PRIu64 " pasid=%u\n", device->name,
                        dma->pasids[i].domain->handle, dma->pasids[i].pasid);
}

static void write_switching(const Switching *switching, FILE *f) {
        if (!switching->device[0])
                return;

        fprintf(f, "switching=%s", switching->device);
        if (switching->pasid != PASID_NONE)
                fprintf(f, " pasid=%u", switching->pasid);
        fputc('\n', f);
}

void context_record_write(const Lease *lease, FILE *f) {
        const Context *context = lease->context;

        if (!context)
                return;

        fprintf(f, "context=%" PRIu64 " revoked=%u\n", context->last_handle, context->revoked);
        for (size_t i = 0; i < context->ioases.n_items; i++)
                write_ioas(context->ioases.items[i], f);
        write_domains(context, f);
        for (unsigned i = 0; i < lease->n_devices; i++)
                write_device(&lease->devices[i], f);
        write_switching(&context->switching, f);
}

/* ---- reading */

static int read_windows(const char *value, IoasOptions *options) {
        char copy[IOVA_WINDOWS_MAX * 48], *rest = copy, *word;

        if (copy_string(copy, sizeof(copy), value) < 0)
                return -EBADMSG;

        while (copy[0] && (word = strsep(&rest, ","))) {
                IovaRange *window = &options->windows[options->n_windows];
                char *last;

                last = strchr(word, '-');
                if (!last || options->n_windows == IOVA_WINDOWS_MAX)
                        return -EBADMSG;
                *last++ = '\0';
                if (parse_u64(word, &window->first) < 0 || parse_u64(last, &window->last) < 0)
                        return -EBADMSG;
                options->n_windows++;
        }

        return 0;
}

static int read_ioas(Lease *lease, const Line *line) {
        IoasOptions options = { .small_pages = line->small_pages };
        Ioas *ioas;

        if (!line->windows || read_windows(line->windows, &options) < 0)
                return -EBADMSG;

        return context_add_ioas(lease->context, line->ioas, (uint32_t) line->id, &options, &ioas);
}

static int read_mapping(Lease *lease, const Line *line) {
        Ioas *ioas;

        ioas = context_find_ioas(lease->context, line->to);
        return ioas ? ioas_add_mapping(ioas, line->mapping, line->length) : -EBADMSG;
}

static int read_domain(Lease *lease, const Line *line) {
        DomainOptions options = {
                .kind = line->kind ? domain_kind_from_string(line->kind) : _DOMAIN_KIND_INVALID,
                .dirty_tracking = line->dirty,
                .pasid = line->pasids,
                .fault_queue = line->faults,
        };
        Domain *domain, *parent;
        Virtual *viommu;
        Ioas *ioas;
        int r;

        ioas = context_find_ioas(lease->context, line->to);
        parent = context_find_domain(lease->context, line->parent);
        viommu = context_find_virtual(lease->context, line->parent);
        if (!ioas || !line->iommu || (int) options.kind < 0 || (line->parent != 0 && !parent && !viommu))
                return -EBADMSG;

        r = context_add_domain(lease->context, line->domain, (uint32_t) line->id, &options, line->iommu,
                ioas, parent, &domain);
        if (r < 0)
                return r;

        if (viommu)
                domain_set_viommu(domain, viommu);
        domain->fault_queue = (uint32_t) line->queue;
        domain->tracking = line->tracking;
        return 0;
}

static int read_virtual(Lease *lease, const Line *line) {
        Virtual from = { .type = (uint32_t) line->type, .virt_id = line->number }, *virtual;
        int r;

        r = line->kind ? virtual_kind_from_string(line->kind) : -EBADMSG;
        if (r < 0 || !line->device || !line->iommu)
                return -EBADMSG;

        from.kind = r;
        if (from.kind == VIRTUAL_IOMMU)
                from.domain = context_find_domain(lease->context, line->to);
        else
                from.viommu = context_find_virtual(lease->context, line->to);
        if ((!from.domain && !from.viommu) || (from.viommu && from.viommu->kind != VIRTUAL_IOMMU) ||
            copy_string(from.device, sizeof(from.device), line->device) < 0 ||
            copy_string(from.iommu, sizeof(from.iommu), line->iommu) < 0)
                return -EBADMSG;

        return context_add_virtual(lease->context, line->virtual, (uint32_t) line->id, &from, &virtual);
}

static int read_bound(Lease *lease, const Line *line) {
        LeaseDevice *device;

        device = lease_find_device(lease, line->bound);
        if (!device || !line->iommu)
                return -EBADMSG;

        device->dma.bound = true;
        device->dma.id = (uint32_t) line->id;
        device->dma.info.emulated = line->emulated;
        return copy_string(device->dma.iommu, sizeof(device->dma.iommu), line->iommu);
}

static int read_attached(Lease *lease, const Line *line) {
        LeaseDevice *device;
        Domain *domain;
        Ioas *ioas;
        int r;

        device = lease_find_device(lease, line->attached);
        domain = context_find_domain(lease->context, line->to);
        ioas = context_find_ioas(lease->context, line->to);
        if (!device || (!domain && !ioas) || (line->has_pasid && !domain))
                return -EBADMSG;

        r = attachments_make_room(&device->dma);
        if (r < 0)
                return r;

        attachments_set(
                &device->dma, line->has_pasid ? (uint32_t) line->pasid : PASID_NONE, domain, ioas);
        return 0;
}

static int read_switching(Lease *lease, const Line *line) {
        Switching *switching = &lease->context->switching;
        const LeaseDevice *device;

        device = lease_find_device(lease, line->switching);
        if (!device)
                return -EBADMSG;

        strcpy(switching->device, device->name);
        switching->pasid = line->has_pasid ? (uint32_t) line->pasid : PASID_NONE;
        return 0;
}

static int line_read_word(Line *line, const char *key, const char *value) {
        const struct {
                const char *key;
                uint64_t *number;
        } numbers[] = {
                { "context", &line->context },
                { "revoked", &line->revoked },
                { "ioas", &line->ioas },
                { "mapping", &line->mapping },
                { "domain", &line->domain },
                { "parent", &line->parent },
                { "length", &line->length },
                { "id", &line->id },
                { "queue", &line->queue },
                { "to", &line->to },
                { "small-pages", &line->small_pages },
                { "dirty", &line->dirty },
                { "pasids", &line->pasids },
                { "faults", &line->faults },
                { "tracking", &line->tracking },
                { "emulated", &line->emulated },
                { "pasid", &line->pasid },
                { "virtual", &line->virtual },
                { "type", &line->type },
                { "number", &line->number },
        };
        const struct {
                const char *key;
                const char **string;
        } strings[] = {
                { "bound", &line->bound },
                { "attached", &line->attached },
                { "switching", &line->switching },
                { "iommu", &line->iommu },
                { "kind", &line->kind },
                { "windows", &line->windows },
                { "device", &line->device },
        };

        if (strcmp(key, "pasid") == 0)
                line->has_pasid = true;

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (strcmp(numbers[i].key, key) == 0)
                        return parse_u64(value, numbers[i].number);

        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                if (strcmp(strings[i].key, key) == 0) {
                        *strings[i].string = value;
                        return 0;
                }

        return -EBADMSG;
}

static int read_context(Lease *lease, const Line *line) {
        int r;

        if (lease->context)
                return -EBADMSG;

        r = context_new(&lease->context);
        if (r < 0)
                return r;

        lease->context->last_handle = line->context;
        lease->context->revoked = line->revoked;
        return 0;
}

/* By the first word. */
static const struct {
        const char *begin;
        int (*read)(Lease *lease, const Line *line);
} lines[] = {
        { "context=", read_context },
        { "ioas=", read_ioas },
        { "mapping=", read_mapping },
        { "domain=", read_domain },
        { "virtual=", read_virtual },
        { "bound=", read_bound },
        { "attached=", read_attached },
        { "switching=", read_switching },
};

bool context_record_has(const char *line) {
        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                if (strncmp(line, lines[i].begin, strlen(lines[i].begin)) == 0)
                        return true;

        return false;
}

int context_record_read(Lease *lease, char *text) {
        int (*read)(Lease *lease, const Line *line) = NULL;
        Line line = {};
        char *word;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                if (strncmp(text, lines[i].begin, strlen(lines[i].begin)) == 0)
                        read = lines[i].read;

        assert(read);
        if (!lease->context && read != read_context)
                return -EBADMSG;

        while ((word = strsep(&text, " "))) {
                char *value;

                value = strchr(word, '=');
                if (!value)
                        return -EBADMSG;
                *value++ = '\0';
                if (line_read_word(&line, word, value) < 0)
                        return -EBADMSG;
        }

        r = read(lease, &line);
        return r < 0 && r != -ENOMEM ? -EBADMSG : r;
}
