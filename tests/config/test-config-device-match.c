/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "config/device-match.h"

static void test_good(void) {
        static const struct {
                const char *s;
                DeviceMatch match;
        } cases[] = {
                { "any", { .kind = DEVICE_MATCH_ANY } },
                { "0000:01:00.0", { .kind = DEVICE_MATCH_NAME, .name = "0000:01:00.0" } },
                { "01:00.0", { .kind = DEVICE_MATCH_NAME, .name = "0000:01:00.0" } },
                { "ABCD:EF:00.7", { .kind = DEVICE_MATCH_NAME, .name = "abcd:ef:00.7" } },
                { "10000:e1:00.0", { .kind = DEVICE_MATCH_NAME, .name = "10000:e1:00.0" } },
                { "8086:10d3", { .kind = DEVICE_MATCH_IDS, .vendor = 0x8086, .device = 0x10d3 } },
                { "8086:10D3", { .kind = DEVICE_MATCH_IDS, .vendor = 0x8086, .device = 0x10d3 } },
                { "class:01", { .kind = DEVICE_MATCH_CLASS, .class = 0x010000, .class_mask = 0xff0000 } },
                { "class:0108", { .kind = DEVICE_MATCH_CLASS, .class = 0x010800, .class_mask = 0xffff00 } },
                { "class:010802",
                  { .kind = DEVICE_MATCH_CLASS, .class = 0x010802, .class_mask = 0xffffff } },
                { "class:FF", { .kind = DEVICE_MATCH_CLASS, .class = 0xff0000, .class_mask = 0xff0000 } },
                { "class:000000", { .kind = DEVICE_MATCH_CLASS, .class = 0, .class_mask = 0xffffff } },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                DeviceMatch match;

                assert(device_match_parse(cases[i].s, &match) == 0);
                assert(match.kind == cases[i].match.kind);
                assert(strcmp(match.name, cases[i].match.name) == 0);
                assert(match.vendor == cases[i].match.vendor && match.device == cases[i].match.device);
                assert(match.class == cases[i].match.class && match.class_mask == cases[i].match.class_mask);
        }
}

static void test_bad(void) {
        static const char *const cases[] = {
                "",
                "ANY",
                "any ",
                "none",
                "*",
                "8086:*",
                "8086",
                "class",
                "class:",
                "class:1",
                "class:010",
                "class:01080",
                "class:0108020",
                "class:01080200",
                "class:0x01",
                "class:zz",
                "class: 01",
                "class:01 ",
                "CLASS:01",
                "0000:01:00.8",
                "0000:01:00",
                "0000:01:00.0 ",
                "vfio0",
                "/dev/vfio/devices/vfio0",
                "group:1",
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                DeviceMatch match = { .kind = DEVICE_MATCH_NAME, .name = "untouched" };

                assert(device_match_parse(cases[i], &match) == -EINVAL);
                assert(match.kind == DEVICE_MATCH_NAME && strcmp(match.name, "untouched") == 0);
        }
}

int main(void) {
        test_good();
        test_bad();
        return 0;
}
