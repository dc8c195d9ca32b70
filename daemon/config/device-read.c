/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <json-c/json.h>
#include <string.h>

#include "base/parse.h"
#include "config/device-match.h"
#include "config/suggest.h"
#include "core/catalog.h"

/* How much of a string that is wrong is shown */
#define SHOWN_MAX 64

#define FORMS                                                                                               \
        "write an address (\"0000:01:00.0\"), vendor and device id (\"8086:10d3\"), a class "               \
        "(\"class:0108\", with 2, 4 or 6 digits), \"group:12\", \"pf=0000:01:00.0,vf=3\", \"serial=ABC\""

typedef struct DeviceReader {
        const Catalog *catalog;              /* NULL: there are no names and tags here */
        DeviceMatch match;
} DeviceReader;

/* The entry that was most likely meant by a name (@tags: a tag) that there is none of; or NULL. */
static const char *suggest_name(const Catalog *catalog, const char *word, bool tags) {
        const char *best = NULL;

        for (size_t i = 0; !best && i < catalog->n_entries; i++) {
                const CatalogEntry *entry = &catalog->entries[i];
                const char *name = entry->name;

                if (!tags && name[0])
                        best = suggest(word, &name, 1, sizeof(name));
                for (size_t j = 0; tags && !best && j < entry->n_tags; j++) {
                        name = entry->tags[j];
                        best = suggest(word, &name, 1, sizeof(name));
                }
        }

        return best;
}

static int fail_unknown(const JsonNode *node, const Catalog *catalog, const char *word, bool tag) {
        const char *what = tag ? "device has the tag" : "device is called";
        const char *meant;

        meant = suggest_name(catalog, word, tag);
        if (meant)
                return json_node_fail(node, "no %s \"%s\", did you mean \"%s\"?", what, word, meant);

        return json_node_fail(node, "no %s \"%s\" in iommud.json; add it to \"devices\" there", what, word);
}

/* Whether the names in it are in the catalog. */
static int check_names(const JsonNode *node, const DeviceReader *reader) {
        const DeviceMatch *match = &reader->match;

        if (match->keys & (1U << DEVICE_KEY_NAME) && !catalog_find(reader->catalog, match->name))
                return fail_unknown(node, reader->catalog, match->name, /* tag= */ false);
        if (match->keys & (1U << DEVICE_KEY_TAG) && !catalog_knows_tag(reader->catalog, match->tag))
                return fail_unknown(node, reader->catalog, match->tag, /* tag= */ true);

        return 0;
}

static int read_string_form(const JsonNode *node, DeviceReader *reader) {
        const unsigned names = 1U << DEVICE_KEY_NAME | 1U << DEVICE_KEY_TAG;
        const char *s;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        r = device_match_parse(s, &reader->match);
        if (r >= 0 && !reader->catalog && reader->match.keys & names)
                r = -EINVAL;
        if (r >= 0)
                return reader->catalog ? check_names(node, reader) : 0;

        if (reader->catalog)
                return json_node_fail(node, "\"%.*s\" names no device; " FORMS ", \"tag:TAG\", a name from "
                                      "iommud.json, or \"any\"", SHOWN_MAX, s);

        return json_node_fail(node, "\"%.*s\" names no device; " FORMS, SHOWN_MAX, s);
}

static int read_text(const JsonNode *node, char *buffer, size_t size, const char *what) {
        const char *s;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        if (!s[0] || s[strcspn(s, " /\n")] || copy_string(buffer, size, s) < 0)
                return json_node_fail(node, "\"%.*s\" is no %s", SHOWN_MAX, s, what);

        return 0;
}

static int read_id(const JsonNode *node, uint16_t *ret) {
        uint32_t id;
        const char *s;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        if (parse_hex_u32(s, &id) < 0 || id > UINT16_MAX)
                return json_node_fail(node, "\"%.*s\" is no id; write it as \"8086\", in hexadecimal",
                                      SHOWN_MAX, s);

        *ret = (uint16_t) id;
        return 0;
}

static int read_class(const JsonNode *node, DeviceMatch *match) {
        const char *s;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        if (device_class_parse(s, match) < 0)
                return json_node_fail(node, "\"%.*s\" is no class; write 2, 4 or 6 digits, as in \"0108\"",
                                      SHOWN_MAX, s);

        return 0;
}

/* The kernel's name of any device; of PCI in any spelling. */
static int read_address(const JsonNode *node, char *buffer) {
        const char *s;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        if (parse_pci_address(s, buffer) >= 0)
                return 0;

        return read_text(node, buffer, KERNEL_NAME_MAX, "address and no name of the kernel's");
}

static int read_pf(const JsonNode *node, char *buffer) {
        const char *s;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        if (parse_pci_address(s, buffer) < 0)
                return json_node_fail(node, "\"%.*s\" is no PCI address; write it as \"0000:01:00.0\"",
                                      SHOWN_MAX, s);

        return 0;
}

static int read_function(const JsonNode *node, DeviceFunction *ret) {
        DeviceFunction function;
        const char *s;
        int r;

        r = json_node_read_string(node, &s);
        if (r < 0)
                return r;

        function = device_function_from_string(s);
        if (function < 0)
                return json_node_fail(node, "\"%.*s\" is no function; it is \"pf\" or \"vf\"", SHOWN_MAX, s);

        *ret = function;
        return 0;
}

static int read_key(const JsonNode *node, void *userdata) {
        DeviceReader *reader = userdata;
        DeviceMatch *match = &reader->match;
        DeviceKey key = device_key_from_string(node->key);

        assert(key >= 0);
        match->keys |= 1U << key;

        switch (key) {

        case DEVICE_KEY_ADDRESS:
                return read_address(node, match->address);
        case DEVICE_KEY_VENDOR:
                return read_id(node, &match->vendor);
        case DEVICE_KEY_DEVICE:
                return read_id(node, &match->device);
        case DEVICE_KEY_SUBSYSTEM_VENDOR:
                return read_id(node, &match->subsystem_vendor);
        case DEVICE_KEY_SUBSYSTEM_DEVICE:
                return read_id(node, &match->subsystem_device);
        case DEVICE_KEY_CLASS:
                return read_class(node, match);
        case DEVICE_KEY_DRIVER:
                return read_text(node, match->driver, sizeof(match->driver), "driver");
        case DEVICE_KEY_SERIAL:
                return read_text(node, match->serial, sizeof(match->serial), "serial number");
        case DEVICE_KEY_NUMA_NODE:
                return json_node_read_u32(node, INT16_MAX, &match->numa_node);
        case DEVICE_KEY_IOMMU_GROUP:
                return json_node_read_u32(node, UINT32_MAX - 1, &match->group);
        case DEVICE_KEY_FUNCTION:
                return read_function(node, &match->function);
        case DEVICE_KEY_PF:
                return read_pf(node, match->pf);
        case DEVICE_KEY_VF:
                return json_node_read_u32(node, INT16_MAX, &match->vf);
        case DEVICE_KEY_NAME:
                return read_text(node, match->name, sizeof(match->name), "name");
        case DEVICE_KEY_TAG:
                return read_text(node, match->tag, sizeof(match->tag), "tag");
        case _DEVICE_KEY_MAX:
        case _DEVICE_KEY_INVALID:
                break;
        }

        return -EINVAL;
}

static int read_object_form(const JsonNode *node, DeviceReader *reader) {
        /* the names of the DeviceKeys, of which the last two are not for the catalog itself */
        static const JsonField fields[] = {
                { "address", read_key },
                { "vendor", read_key },
                { "device", read_key },
                { "subsystem_vendor", read_key },
                { "subsystem_device", read_key },
                { "class", read_key },
                { "driver", read_key },
                { "serial", read_key },
                { "numa_node", read_key },
                { "iommu_group", read_key },
                { "function", read_key },
                { "pf", read_key },
                { "vf", read_key },
                { "name", read_key },
                { "tag", read_key },
        };
        size_t n_fields = reader->catalog ? ELEMENTSOF(fields) : ELEMENTSOF(fields) - 2;
        int r;

        static_assert(ELEMENTSOF(fields) == _DEVICE_KEY_MAX, "there is a field for every key");

        r = json_node_read_object(node, fields, n_fields, reader);
        if (r < 0)
                return r;

        if (reader->match.keys == 0)
                return json_node_fail(node, "an empty object matches nothing; say what it is known by");

        return reader->catalog ? check_names(node, reader) : 0;
}

int device_match_read(const JsonNode *node, const Catalog *catalog, DeviceMatch *ret) {
        DeviceReader reader = { .catalog = catalog };
        int r;

        if (json_object_is_type(node->value, json_type_object))
                r = read_object_form(node, &reader);
        else
                r = read_string_form(node, &reader);
        if (r < 0)
                return r;

        *ret = reader.match;
        return 0;
}
