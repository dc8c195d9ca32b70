/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Names and tags that the administrator has given to devices. A name is meant for one device, a tag for
 * many; what they stand for is found out anew each time, so that it follows the device to another slot.
 */

#include "core/device-match.h"
#include "core/forward.h"

typedef struct CatalogEntry {
        /* where it stands: "/etc/iommud/iommud.json: devices[0]"; owned */
        char *origin;
        char name[STABLE_NAME_MAX];          /* "": only tags are given */
        char (*tags)[STABLE_NAME_MAX];       /* owned */
        size_t n_tags;
        DeviceMatch match;                   /* in which there are neither names nor tags */
} CatalogEntry;

struct Catalog {
        CatalogEntry *entries;               /* in the order of the file; owned */
        size_t n_entries;
};

void catalog_done(Catalog *catalog);

/* Appends an entry that stands for no device, to be filled in. *ret is borrowed until the next call. */
int catalog_append(Catalog *catalog, CatalogEntry **ret) _must_check_;

int catalog_entry_add_tag(CatalogEntry *entry, const char *tag) _must_check_;

/*
 * Whether @s can be a name or tag: a letter, then letters, digits, "-" and "_". No name of the kernel's for
 * a device that is in an IOMMU group looks so: those have a "." or ":", or are UUIDs, which are none here.
 */
bool stable_name_is_valid(const char *s);

/* The entry of that name, and whether any has that tag. A catalog of NULL has nothing. */
const CatalogEntry *catalog_find(const Catalog *catalog, const char *name);
bool catalog_knows_tag(const Catalog *catalog, const char *tag);

/* Whether @device has that name or tag. */
Match catalog_has_name(const Catalog *catalog, const DeviceFacts *device, const char *name);
Match catalog_has_tag(const Catalog *catalog, const DeviceFacts *device, const char *tag);

bool catalog_entry_has_tag(const CatalogEntry *entry, const char *tag);
