/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "config/catalog-file.h"
#include "config/device-match.h"
#include "config/file.h"
#include "config/json.h"

#define FORMAT_VERSION 1U

/* How much of a string that is wrong is shown */
#define SHOWN_MAX 64

typedef struct CatalogReader {
        const char *origin;
        Catalog *catalog;
        CatalogEntry *entry;                 /* that is being read, the catalog's last */
} CatalogReader;

static int read_stable_name(const JsonNode *node, const char *what, const char **ret) {
        const char *s;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        if (!stable_name_is_valid(s))
                return json_node_fail(node,
                                      "\"%.*s\" can be no %s: it is a letter, then letters, "
                                      "digits, \"-\" and "
                                      "\"_\", %d at most, so that the kernel calls no device so",
                                      SHOWN_MAX, s, what, STABLE_NAME_MAX - 1);

        *ret = s;
        return 0;
}

static int read_name(const JsonNode *node, void *userdata) {
        CatalogReader *reader = userdata;
        const CatalogEntry *other;
        const char *name;
        int r;

        r = read_stable_name(node, "name", &name);
        if (r < 0)
                return r;

        other = catalog_find(reader->catalog, name);
        if (other)
                return json_node_fail(node, "%s is called \"%s\" already; a name is for one device",
                                      other->origin, name);

        strcpy(reader->entry->name, name);   /* it was measured above */
        return 0;
}

static int read_tag(const JsonNode *node, void *userdata) {
        CatalogReader *reader = userdata;
        const char *tag;
        int r;

        r = read_stable_name(node, "tag", &tag);
        if (r < 0)
                return r;

        return catalog_entry_add_tag(reader->entry, tag);
}

static int read_tags(const JsonNode *node, void *userdata) {
        return json_node_read_list(node, read_tag, userdata);
}

static int read_match(const JsonNode *node, void *userdata) {
        CatalogReader *reader = userdata;

        return device_match_read(node, /* catalog= */ NULL, &reader->entry->match);
}

static int read_comment(const JsonNode *node, void *userdata) {
        const char *s;

        return json_node_read_string(node, &s);
}

static int read_entry(const JsonNode *node, void *userdata) {
        static const JsonField fields[] = {
                { "comment", read_comment },
                { "name", read_name },
                { "tags", read_tags },
                { "match", read_match, "the device has no \"match\"; say what it is known by" },
        };
        CatalogReader *reader = userdata;
        int r;

        r = catalog_append(reader->catalog, &reader->entry);
        if (r < 0)
                return r;

        if (asprintf(&reader->entry->origin, "%s: devices[%zu]", reader->origin, node->index) < 0) {
                reader->entry->origin = NULL;                  /* undefined after a failure */
                return -ENOMEM;
        }

        r = json_node_read_object(node, fields, ELEMENTSOF(fields), reader);
        if (r < 0)
                return r;

        if (!reader->entry->name[0] && reader->entry->n_tags == 0)
                return json_node_fail(node, "the device gets no \"name\" and no \"tags\"; add one of them");
        if (reader->entry->name[0] && reader->entry->match.any)
                return json_node_fail(node, "\"any\" device can't have one name; give tags only");

        return 0;
}

static int read_devices(const JsonNode *node, void *userdata) {
        return json_node_read_array(node, read_entry, userdata);
}

static int read_version(const JsonNode *node, void *userdata) {
        uint32_t version;
        int r;

        r = json_node_read_u32(node, UINT32_MAX, &version);
        if (r < 0)
                return r;

        if (version != FORMAT_VERSION)
                return json_node_fail(node,
                                      "version %u of the format is not known; this iommud reads version %u",
                                      version, FORMAT_VERSION);

        return 0;
}

int catalog_parse(const char *origin, const void *data, size_t size, Catalog *catalog,
                  ConfigError *reterr) {
        static const JsonField fields[] = {
                { "version", read_version },
                { "devices", read_devices },
        };
        _cleanup_(json_document_freep) JsonDocument *document = NULL;
        CatalogReader reader = { .origin = origin, .catalog = catalog };
        JsonNode root;
        int r;

        if (size == 0)
                return 0;

        r = json_document_new(origin, data, size, &document, reterr);
        if (r < 0)
                return r;

        root = json_document_root(document);
        return json_node_read_object(&root, fields, ELEMENTSOF(fields), &reader);
}

int catalog_load(const char *path, Catalog *catalog, ConfigError *reterr) {
        _cleanup_free_ char *data = NULL, *copy = NULL;
        _cleanup_close_ int dir = -EBADF;
        size_t size;
        int r;

        copy = strdup(path);
        if (!copy)
                return -ENOMEM;

        dir = config_dir_open(dirname(copy), reterr);
        if (dir == -ENOENT)
                return 0;
        if (dir < 0)
                return dir;

        r = config_file_read(dir, path, JSON_SIZE_MAX, &data, &size, reterr);
        if (r == -ENOENT) {
                config_error_done(reterr);
                return 0;
        }
        if (r < 0)
                return r;

        return catalog_parse(path, data, size, catalog, reterr);
}
