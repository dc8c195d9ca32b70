/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/parse.h"
#include "core/catalog.h"

void catalog_done(Catalog *catalog) {
        for (size_t i = 0; i < catalog->n_entries; i++) {
                free(catalog->entries[i].origin);
                free(catalog->entries[i].tags);
        }

        free(catalog->entries);
        *catalog = (Catalog) {};
}

int catalog_append(Catalog *catalog, CatalogEntry **ret) {
        CatalogEntry *entries;

        entries = reallocarray(catalog->entries, catalog->n_entries + 1, sizeof(*entries));
        if (!entries)
                return -ENOMEM;

        catalog->entries = entries;
        entries[catalog->n_entries] = (CatalogEntry) {};
        *ret = &entries[catalog->n_entries++];
        return 0;
}

int catalog_entry_add_tag(CatalogEntry *entry, const char *tag) {
        char (*tags)[STABLE_NAME_MAX];
        int r;

        tags = reallocarray(entry->tags, entry->n_tags + 1, sizeof(*tags));
        if (!tags)
                return -ENOMEM;
        entry->tags = tags;

        r = copy_string(tags[entry->n_tags], sizeof(*tags), tag);
        if (r < 0)
                return r;

        entry->n_tags++;
        return 0;
}

static bool is_letter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001": what the kernel calls a mediated device */
static bool looks_like_uuid(const char *s) {
        return strlen(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-';
}

bool stable_name_is_valid(const char *s) {
        if (!is_letter(s[0]) || strlen(s) >= STABLE_NAME_MAX || looks_like_uuid(s) || strcmp(s, "any") == 0)
                return false;

        for (; *s; s++)
                if (!is_letter(*s) && !(*s >= '0' && *s <= '9') && *s != '-' && *s != '_')
                        return false;

        return true;
}

const CatalogEntry *catalog_find(const Catalog *catalog, const char *name) {
        for (size_t i = 0; catalog && name[0] && i < catalog->n_entries; i++)
                if (strcmp(catalog->entries[i].name, name) == 0)
                        return &catalog->entries[i];

        return NULL;
}

bool catalog_entry_has_tag(const CatalogEntry *entry, const char *tag) {
        for (size_t i = 0; i < entry->n_tags; i++)
                if (strcmp(entry->tags[i], tag) == 0)
                        return true;

        return false;
}

bool catalog_knows_tag(const Catalog *catalog, const char *tag) {
        for (size_t i = 0; catalog && i < catalog->n_entries; i++)
                if (catalog_entry_has_tag(&catalog->entries[i], tag))
                        return true;

        return false;
}

Match catalog_has_name(const Catalog *catalog, const DeviceFacts *device, const char *name) {
        const CatalogEntry *entry = catalog_find(catalog, name);

        return entry ? device_match(&entry->match, device, /* catalog= */ NULL) : MATCH_NO;
}

Match catalog_has_tag(const Catalog *catalog, const DeviceFacts *device, const char *tag) {
        Match result = MATCH_NO;

        for (size_t i = 0; catalog && i < catalog->n_entries; i++)
                if (catalog_entry_has_tag(&catalog->entries[i], tag))
                        result = match_greatest(result, device_match(&catalog->entries[i].match, device,
                                                                     /* catalog= */ NULL));

        return result;
}
