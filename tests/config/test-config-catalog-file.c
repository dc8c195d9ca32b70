/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The names and tags of devices in iommud.json. */

#include <stdio.h>
#include <string.h>

#include "config/catalog-file.h"

static int parse(const char *s, Catalog *catalog, ConfigError *reterr) {
        return catalog_parse("iommud.json", s, strlen(s), catalog, reterr);
}

static void test_good(void) {
        static const char text[] =
                "// names\n{ \"version\": 1, \"devices\": [\n"
                "{ \"comment\": \"left\", \"name\": \"gpu0\", \"match\": { \"vendor\": \"10de\", "
                "\"vf\": 3 } },\n"
                "{ \"tags\": [ \"lab\", \"fast-1\" ], \"match\": \"any\" },\n"
                "{ \"name\": \"Disk_1\", \"tags\": \"lab\", \"match\": \"serial=S1\" } ] }";
        _cleanup_(config_error_done) ConfigError error = {};
        Catalog catalog = {};

        assert(parse(text, &catalog, &error) == 0);
        assert(catalog.n_entries == 3);
        assert(strcmp(catalog.entries[0].origin, "iommud.json: devices[0]") == 0);
        assert(catalog_find(&catalog, "gpu0") == &catalog.entries[0]);
        assert(catalog.entries[0].match.keys == (1U << DEVICE_KEY_VENDOR | 1U << DEVICE_KEY_VF));
        assert(catalog.entries[1].n_tags == 2 && catalog.entries[1].match.any);
        assert(catalog_find(&catalog, "Disk_1") == &catalog.entries[2]);
        assert(!catalog_find(&catalog, "disk_1") && !catalog_find(&catalog, ""));
        assert(catalog_knows_tag(&catalog, "fast-1") && !catalog_knows_tag(&catalog, "gpu0"));
        catalog_done(&catalog);
        assert(catalog.n_entries == 0);
}

static void test_nothing(void) {
        static const char *const cases[] = { "", "{}", "{\"devices\":[]}", "{\"version\":1}" };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(config_error_done) ConfigError error = {};
                Catalog catalog = {};

                assert(parse(cases[i], &catalog, &error) == 0);
                assert(catalog.n_entries == 0);
        }
}

#define ENTRY(text) "{\"devices\":[{" text "}]}"

static void test_bad(void) {
        static const struct {
                const char *text, *path, *says;
        } cases[] = {
                { "[]", "", "an array" },
                { "{\"device\":[]}", "", "did you mean \"devices\"?" },
                { "{\"version\":2}", "version", "version 2" },
                { ENTRY("\"name\":\"a\""), "devices[0]", "no \"match\"" },
                { ENTRY("\"match\":\"any\""), "devices[0]", "no \"name\" and no \"tags\"" },
                { ENTRY("\"name\":\"a\",\"match\":\"any\""), "devices[0]", "can't have one name" },
                { ENTRY("\"name\":\"0000:01:00.0\",\"match\":\"01:00.0\""), "devices[0].name",
                  "can be no name" },
                { ENTRY("\"name\":\"fe200000.dma\",\"match\":\"01:00.0\""), "devices[0].name",
                  "can be no name" },
                { ENTRY("\"name\":\"any\",\"match\":\"01:00.0\""), "devices[0].name", "can be no name" },
                { ENTRY("\"name\":\"\",\"match\":\"01:00.0\""), "devices[0].name", "can be no name" },
                { ENTRY("\"name\":\"a3b8f4f2-509f-382f-3c1e-e6bfe0fa1001\",\"match\":\"01:00.0\""),
                  "devices[0].name", "can be no name" },
                { ENTRY("\"name\":\"a\",\"match\":\"01:00.0\",\"tags\":[\"b\",\"c d\"]"),
                  "devices[0].tags[1]",
                  "can be no tag" },
                { ENTRY("\"name\":\"a\",\"match\":\"01:00.0\",\"tags\":[]"), "devices[0].tags",
                  "empty list" },
                { ENTRY("\"name\":\"a\",\"match\":\"b\""), "devices[0].match", "names no device" },
                { ENTRY("\"name\":\"a\",\"match\":\"tag:b\""), "devices[0].match", "names no device" },
                { ENTRY("\"name\":\"a\",\"match\":{\"tag\":\"b\"}"), "devices[0].match",
                  "unknown key \"tag\"" },
                { ENTRY("\"name\":\"a\",\"match\":{}"), "devices[0].match", "empty object" },
                { "{\"devices\":[{\"name\":\"a\",\"match\":\"01:00.0\"},"
                  "{\"name\":\"a\",\"match\":\"02:00.0\"}]}",
                  "devices[1].name", "iommud.json: devices[0] is called \"a\" already" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(config_error_done) ConfigError error = {};
                Catalog catalog = {};

                assert(parse(cases[i].text, &catalog, &error) == -EBADMSG);
                if (strcmp(error.path ?: "", cases[i].path) != 0 || !strstr(error.message, cases[i].says)) {
                        fprintf(stderr, "%s\n%s: %s\n", cases[i].text, error.path ?: "", error.message);
                        abort();
                }
                assert(error.line == 1 && error.column > 0);
                catalog_done(&catalog);
        }
}

int main(void) {
        test_good();
        test_nothing();
        test_bad();
        return 0;
}
